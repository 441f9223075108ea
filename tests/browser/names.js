// What an assistive technology would miss in our components: controls without a name, roles without their children.
() => {
  const faults = [];
  const visit = (root) => {
    for (const element of root.querySelectorAll("*")) {
      if (element.shadowRoot) visit(element.shadowRoot);
      if (!(root instanceof ShadowRoot)) continue;
      const role = element.getAttribute("role");
      const name = (element.getAttribute("aria-label") ?? element.textContent).trim();
      const where = `${element.tagName.toLowerCase()}.${element.className}`;
      if ((element.tagName === "BUTTON" || role === "option" || role === "listbox" || role === "list") && !name) faults.push(`${where} has no name`);
      if (role === "option" && element.closest("[role=listbox]") === null) faults.push(`${where} is in no listbox`);
      if (role === "option" && !element.hasAttribute("aria-selected")) faults.push(`${where} does not say whether it is selected`);
      if (role === "listitem" && element.parentElement.getAttribute("role") !== "list") faults.push(`${where} is in no list`);
      if (role === "listbox" && element.querySelectorAll("[tabindex='0']").length !== 1) faults.push(`${where} needs one tab stop`);
      if (element.tagName === "TH" && !element.scope) faults.push(`${where} has no scope`);
      if (element.id && root.querySelectorAll(`#${CSS.escape(element.id)}`).length > 1) faults.push(`${element.id} twice`);
    }
  };
  visit(document);
  return [...new Set(faults)];
}
