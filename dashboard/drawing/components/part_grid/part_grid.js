// Rows are blocks of a model, columns its heads and groups of neurons; every cell says its number, some can be chosen.
// One tab stop; arrow keys lead to the cell beside, above or below. Text goes through textContent only.
const grids = new WeakMap();

export default function ({ parentElement, data, setStateValue }) {
  if (!grids.has(parentElement)) grids.set(parentElement, new Grid(parentElement));
  grids.get(parentElement).update(data, (key) => setStateValue("part", { key, at: Date.now() }));
}

class Grid {
  constructor(parent) {
    this.frame = make("div", "frame", parent);
    this.table = make("table", "", this.frame);
    this.foot = make("div", "foot", parent);
    this.at = [0, 0];
    bubble(parent);
    this.table.addEventListener("click", (event) => this.onClick(event));
    this.table.addEventListener("keydown", (event) => this.onKey(event));
    this.table.addEventListener("focusin", (event) => this.stop(this.place(event.target)));
  }

  update(data, send) {
    this.send = send;
    const shape = JSON.stringify([data.rows, data.size, data.groups.map(({ name, columns, rows }) => [name, columns, rows.map((row) => row.map((cell) => cell.key))])]);
    if (shape !== this.shape) this.build(data);
    this.shape = shape;
    this.table.setAttribute("aria-label", data.label);
    this.cells.forEach((line, r) => {
      const all = data.groups.flatMap((group) => group.rows[r]);
      line.forEach((node, c) => this.paint(node, all[c], data));
    });
    if (!this.table.contains(this.table.getRootNode().activeElement)) this.begin(data);
    this.stop(this.at);
    this.legend(data);
  }

  build(data) {
    this.table.className = data.size;
    this.table.replaceChildren();
    const head = make("thead", "", this.table);
    const names = make("tr", "", head);
    const numbers = make("tr", "numbers", head);
    for (const line of [names, numbers]) make("td", "corner", line);
    data.groups.forEach((group, g) => {
      const name = make("th", g ? "first" : "", names, group.name);
      name.colSpan = group.columns.length;
      name.scope = "colgroup";
      group.columns.forEach((column, c) => {
        const number = make("th", g && !c ? "first" : "", numbers, data.size === "narrow" && c % 8 ? "" : column);
        number.scope = "col";
        if (!number.textContent) number.setAttribute("aria-label", column);
      });
    });
    const body = make("tbody", "", this.table);
    this.cells = data.rows.map((row, r) => {
      const line = make("tr", "", body);
      make("th", "", line, row).scope = "row";
      return data.groups.flatMap((group, g) =>
        group.rows[r].map((cell, c) => {
          const box = make("td", g && !c ? "first" : "", line);
          const node = make(cell.key ? "button" : "div", "part", box);
          if (cell.key) node.type = "button";
          else node.setAttribute("role", "img");
          return node;
        }),
      );
    });
  }

  paint(node, cell, data) {
    const words = `${cell.name}: ${cell.said}`;
    node.dataset.key = cell.key;
    node.ariaLabel = words;
    say(node, words);
    node.textContent = data.size === "roomy" ? cell.number : "";
    if (cell.amount === null) {
      node.dataset.hue = "none";
      node.style.removeProperty("--v");
    } else {
      node.dataset.hue = cell.amount < 0 ? "cool" : "warm";
      node.style.setProperty("--v", Math.min(Math.abs(cell.amount), 1).toFixed(3));
    }
    if (cell.key) node.setAttribute("aria-pressed", cell.key === data.chosen ? "true" : "false");
  }

  begin(data) {  // the tab stop: the chosen part, else the strongest of those that can be chosen
    let best = -1;
    this.cells.forEach((line, r) => line.forEach((node, c) => {
      const size = node.dataset.key && node.dataset.key === data.chosen ? 2 : node.dataset.key ? Number(node.style.getPropertyValue("--v")) : -1;
      if (size > best) [best, this.at] = [size, [r, c]];
    }));
  }

  stop(at) {
    if (!at) return;
    this.at = at;
    this.cells.forEach((line, r) => line.forEach((node, c) => {
      const reached = r === at[0] && c === at[1] ? 0 : -1;
      if (node.tabIndex !== reached || !node.hasAttribute("tabindex")) node.tabIndex = reached;
    }));
  }

  place(node) {
    for (const [r, line] of this.cells.entries()) if (line.includes(node)) return [r, line.indexOf(node)];
    return null;
  }

  onClick(event) {
    const node = event.target.closest?.("button.part");
    if (!node) return;
    const was = node.getAttribute("aria-pressed") === "true";
    for (const each of this.table.querySelectorAll("button.part")) each.setAttribute("aria-pressed", each === node && !was ? "true" : "false");
    this.send(node.dataset.key);
  }

  onKey(event) {
    const at = this.place(event.target);
    if (!at) return;
    const [r, c] = at;
    const end = this.cells[r].length - 1;
    const to = { ArrowRight: [r, c + 1], ArrowLeft: [r, c - 1], ArrowDown: [r + 1, c], ArrowUp: [r - 1, c], Home: [r, 0], End: [r, end] }[event.key];
    if (!to) return;
    this.cells[to[0]]?.[to[1]]?.focus();
    event.preventDefault();
    event.stopPropagation();
  }

  legend({ legend, unknown }) {
    this.foot.replaceChildren();
    const scale = make("span", "key", this.foot, `${legend.name} ${legend.low}`);
    make("span", "ramp", scale).setAttribute("aria-hidden", "true");
    scale.append(legend.high);
    if (!unknown) return;
    const none = make("span", "key", this.foot);
    make("span", "part swatch", none).dataset.hue = "none";
    none.append(unknown);
  }
}
