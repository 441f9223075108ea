// Keys that work everywhere outside of a text field: / to the field of the screen that filters or searches, else to the
// one that asks; [ and ] to the next size; Esc one level out.
const heard = new WeakMap();

export default function ({ parentElement, data, setTriggerValue }) {
  heard.set(parentElement, { data, setTriggerValue });
  if (parentElement.listening) return;
  parentElement.listening = true;
  const onKey = (event) => {
    const { data, setTriggerValue } = heard.get(parentElement);
    const target = event.composedPath()[0];
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    if (target.closest?.("input, textarea, select, [contenteditable=true], [role=dialog], [role=combobox]")) return;
    if (event.key === "/") {
      event.preventDefault();
      focus(data.focus);
    } else if (data.keys.includes(event.key)) setTriggerValue("key", event.key);
  };
  document.addEventListener("keydown", onKey);
  return () => {
    document.removeEventListener("keydown", onKey);
    parentElement.listening = false;
  };
}

function focus(names) {
  names.map((name) => document.querySelector(`input[aria-label="${CSS.escape(name)}"]`)).find(Boolean)?.focus();
}
