// Keys that work everywhere outside of a text field: / to the token filter, [ and ] to the next size, Esc one level out.
const heard = new WeakMap();
let wanted = 0;  // when / was pressed on a screen without a field to filter by: the next screen has one

export default function ({ parentElement, data, setTriggerValue }) {
  heard.set(parentElement, { data, setTriggerValue });
  if (Date.now() - wanted < 5000) waitFor(data.focus);
  if (parentElement.listening) return;
  parentElement.listening = true;
  const onKey = (event) => {
    const { data, setTriggerValue } = heard.get(parentElement);
    const target = event.composedPath()[0];
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    if (target.closest?.("input, textarea, select, [contenteditable=true], [role=dialog], [role=combobox]")) return;
    if (event.key === "/") {
      event.preventDefault();
      if (focus(data.focus)) return;
      wanted = Date.now();
      setTriggerValue("key", "/");
      waitFor(data.focus);
    } else if (data.keys.includes(event.key)) setTriggerValue("key", event.key);
  };
  document.addEventListener("keydown", onKey);
  return () => {
    document.removeEventListener("keydown", onKey);
    parentElement.listening = false;
  };
}

function focus(names) {
  const field = names.map((name) => document.querySelector(`input[aria-label="${CSS.escape(name)}"]`)).find(Boolean);
  field?.focus();
  if (field) wanted = 0;
  return Boolean(field);
}

function waitFor(names) {
  if (wanted && !focus(names) && Date.now() - wanted < 5000) setTimeout(() => waitFor(names), 60);
}
