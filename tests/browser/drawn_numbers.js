// Every element of our components that says a value on hover, in the order of the page; not what is hidden from all.
(() => {
  const found = [];
  const visit = (root) => {
    for (const element of root.querySelectorAll("*")) {
      if (element.shadowRoot) visit(element.shadowRoot);
      if (!(root instanceof ShadowRoot) || !element.dataset?.says || !/\d/.test(element.dataset.says)) continue;
      if (element.closest("[aria-hidden=true]") || !element.getClientRects().length) continue;
      found.push(element.closest(".measure") ?? element);  // a card says what is known of a score beside it
    }
  };
  visit(document);
  return found;
})()
