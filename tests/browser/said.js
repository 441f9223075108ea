// Everything that the page says: the text of our components and of Streamlit's captions, what charts say of themselves.
() => {
  const said = [];
  const visit = (root) => {
    for (const element of root.querySelectorAll("*")) {
      if (element.shadowRoot) visit(element.shadowRoot);
      const label = element.matches?.(".stPlotlyChart") ? element.getAttribute("aria-label") : null;
      if (label) said.push(label);
      const ours = root instanceof ShadowRoot || element.closest?.("[data-testid=stCaptionContainer]");
      if (!ours || element.tagName === "STYLE") continue;
      const text = [...element.childNodes].filter((node) => node.nodeType === 3).map((node) => node.textContent).join("");
      if (text.trim()) said.push(text.trim());
    }
  };
  visit(document.querySelector("[data-testid=stMain]"));
  return said;
}
