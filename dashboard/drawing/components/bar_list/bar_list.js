// Bars from a common zero, each with its number, redrawn in place; some unfold into the bars that they are the sum of.
// Text reaches the page through textContent only.
const charts = new WeakMap();

export default function (component) {
  const { parentElement, data, setStateValue } = component;
  if (!charts.has(parentElement)) charts.set(parentElement, new Bars(parentElement));
  charts.get(parentElement).update(data, (key) => setStateValue("bar", { key, at: Date.now() }));
}

class Bars {
  constructor(parent) {
    this.root = make("div", "bars", parent);
    this.legend = make("div", "legend", parent);
    bubble(parent);
    this.reach = rove(this.root, "div:not([hidden]) > div[data-says]");  // buttons are reached one by one, as all are
    this.open = new Set();
    this.root.addEventListener("click", (event) => this.onClick(event));
  }

  update(data, send) {
    this.send = send;
    this.root.setAttribute("role", data.clickable ? "group" : "list");
    this.root.setAttribute("aria-label", data.label);
    const all = data.bars.flatMap((bar) => [bar, ...bar.parts]);
    const names = JSON.stringify([data.clickable, data.bars.map((bar) => [bar.key, bar.name, bar.parts.map((part) => part.key)])]);
    if (names !== this.names) this.build(data);
    this.names = names;
    const low = Math.min(0, ...all.map((bar) => bar.amount));
    const width = Math.max(0, ...all.map((bar) => bar.amount)) - low || 1;
    all.forEach((bar, i) => {
      const [row, fill, zero, said] = this.rows[i];
      fill.dataset.hue = data.unsigned ? "strength" : bar.amount < 0 ? "cool" : "warm";
      fill.style.left = `${(100 * (Math.min(bar.amount, 0) - low)) / width}%`;
      fill.style.width = `${(100 * Math.abs(bar.amount)) / width}%`;
      zero.style.left = `${(-100 * low) / width}%`;
      said.textContent = bar.said;
      row.classList.toggle("faded", data.chosen !== "" && data.chosen !== bar.key);
      row.setAttribute("aria-label", `${bar.name}: ${bar.said}`);
      say(row, `${bar.name}: ${bar.said}`);
      if (data.clickable) row.setAttribute("aria-pressed", data.chosen === bar.key ? "true" : "false");
    });
    for (const bar of data.bars) if (bar.parts.some((part) => part.key === data.chosen)) this.open.add(bar.key);
    this.unfold();
    this.legend.replaceChildren();
    for (const { hue, text } of data.legend) {
      const entry = make("span", "", this.legend);
      if (hue) make("span", "swatch", entry).dataset.hue = hue;
      entry.append(text);
    }
  }

  build(data) {
    this.root.replaceChildren();
    this.rows = [];
    this.folds = [];
    const folded = data.bars.some((bar) => bar.parts.length);
    this.root.classList.toggle("folded", folded);
    const clickable = data.clickable;
    for (const bar of data.bars) {
      const line = folded ? make("div", "line", this.root) : this.root;
      if (folded && !clickable) line.setAttribute("role", "listitem");
      let fold = null;
      if (bar.parts.length) {
        fold = make("button", "fold", line);
        fold.type = "button";
        fold.dataset.fold = bar.key;
        fold.setAttribute("aria-label", `Parts of ${bar.name}`);
      }
      this.rows.push(this.row(bar, clickable, line, folded));
      const parts = bar.parts.map((part) => {
        const inner = make("div", "line part", this.root);
        if (!clickable) inner.setAttribute("role", "listitem");
        this.rows.push(this.row(part, clickable, inner, folded));
        return inner;
      });
      if (fold) this.folds.push([bar.key, fold, parts]);
    }
  }

  row(bar, clickable, parent, folded) {
    const row = make(clickable ? "button" : "div", "bar", parent);
    if (clickable) row.type = "button";
    else row.setAttribute("role", folded ? "group" : "listitem");
    row.dataset.key = bar.key;
    make("span", "name", row, bar.name);
    const track = make("span", "track", row);
    return [row, make("span", "fill", track), make("span", "zero", track), make("span", "said", row)];
  }

  unfold() {
    for (const [key, fold, parts] of this.folds) {
      const open = this.open.has(key);
      fold.setAttribute("aria-expanded", open ? "true" : "false");
      for (const part of parts) part.hidden = !open;
    }
    this.reach();
  }

  onClick(event) {
    const fold = event.target.closest?.("button.fold");
    if (fold) {
      if (!this.open.delete(fold.dataset.fold)) this.open.add(fold.dataset.fold);
      return this.unfold();
    }
    const row = event.target.closest?.("button.bar");
    if (!row) return;
    const was = row.getAttribute("aria-pressed") === "true";
    for (const [each] of this.rows) each.setAttribute("aria-pressed", each === row && !was ? "true" : "false");
    this.send(row.dataset.key);
  }
}
