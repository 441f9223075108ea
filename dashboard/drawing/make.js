// What every component builds its page of. Stands before its script; text reaches the page through textContent only.
function make(tag, className, parent, text) {
  const node = document.createElement(tag);
  node.className = className;
  if (text !== undefined) node.textContent = text;
  parent?.append(node);
  return node;
}

// The value of what is drawn, in words: shown in the bubble of its component on hover and on focus by the keyboard.
function say(node, words) {
  if (words) node.dataset.says = words;
  else delete node.dataset.says;
}

// One bubble for a component: call once for what it draws in. Escape closes it, and it stays inside the window.
function bubble(parent) {
  const tip = make("div", "says", parent);
  tip.setAttribute("role", "tooltip");
  tip.popover = "manual";  // above everything, cut off by nothing
  const said = (event) => event.target.closest?.("[data-says]");
  const leave = (event) => event.key === "Escape" && hide();
  let shown = null;
  function hide() {
    if (!shown) return;
    shown = null;
    tip.hidePopover();
    document.removeEventListener("keydown", leave, true);
    document.removeEventListener("scroll", hide, true);
  }
  function show(node) {
    if (!node || node === shown) return;
    document.dispatchEvent(new Event("saying"));  // one bubble on the page: those of other components close
    shown = node;
    tip.textContent = node.dataset.says;
    tip.showPopover();
    const at = node.getClientRects()[0] ?? node.getBoundingClientRect();
    const box = tip.getBoundingClientRect();
    const right = document.documentElement.clientWidth - box.width - 8;
    tip.style.left = `${Math.max(8, Math.min(at.left + at.width / 2 - box.width / 2, right))}px`;
    tip.style.top = `${at.top - box.height - 6 < 8 ? at.bottom + 6 : at.top - box.height - 6}px`;
    document.addEventListener("keydown", leave, true);
    document.addEventListener("scroll", hide, true);
  }
  document.addEventListener("saying", hide);
  parent.addEventListener("pointerover", (event) => (said(event) ? show(said(event)) : hide()));
  parent.addEventListener("pointerout", (event) => !said({ target: event.relatedTarget ?? tip }) && hide());
  parent.addEventListener("focusin", (event) => event.target.matches(":focus-visible") && show(said(event)));
  parent.addEventListener("focusout", hide);
  new MutationObserver(() => shown && !shown.isConnected && hide()).observe(parent, { childList: true, subtree: true });
}

// One tab stop for many things that say a value; arrow keys, Home and End lead from one to the next.
function rove(root, selector) {
  const all = () => [...root.querySelectorAll(selector)];
  root.addEventListener("focusin", (event) => {
    if (!event.target.matches(selector)) return;
    for (const each of all()) each.tabIndex = each === event.target ? 0 : -1;
  });
  root.addEventListener("keydown", (event) => {
    if (!event.target.matches?.(selector)) return;
    const each = all();
    const at = each.indexOf(event.target);
    const to = { ArrowRight: at + 1, ArrowDown: at + 1, ArrowLeft: at - 1, ArrowUp: at - 1, Home: 0, End: each.length - 1 }[event.key];
    if (to === undefined) return;
    each[Math.max(0, Math.min(each.length - 1, to))].focus();
    event.preventDefault();
    event.stopPropagation();
  });
  return () => {  // call when what is in `root` was drawn anew, shown or hidden: the one that was the stop stays it
    const each = all();
    const stop = each.find((node) => node.getAttribute("tabindex") === "0") ?? each[0];
    for (const node of each) node.tabIndex = node === stop ? 0 : -1;
  };
}

// Puts a text on the clipboard.
async function copy(text) {
  if (navigator.clipboard && window.isSecureContext) return navigator.clipboard.writeText(text);
  const field = document.createElement("textarea");  // a page served without https has no clipboard
  field.value = text;
  document.body.append(field);
  field.select();
  document.execCommand("copy");
  field.remove();
}
