// Bars from a common zero, each with its number, redrawn in place. Text reaches the page through textContent only.
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
    this.reach = rove(this.root, "div[data-says]");  // buttons are reached one by one, as all buttons are
    this.root.addEventListener("click", (event) => this.onClick(event));
  }

  update(data, send) {
    this.send = send;
    this.root.setAttribute("role", data.clickable ? "group" : "list");
    this.root.setAttribute("aria-label", data.label);
    const names = JSON.stringify([data.clickable, data.bars.map((bar) => [bar.key, bar.name])]);
    if (names !== this.names) this.build(data);
    this.names = names;
    const low = Math.min(0, ...data.bars.map((bar) => bar.amount));
    const width = Math.max(0, ...data.bars.map((bar) => bar.amount)) - low || 1;
    data.bars.forEach((bar, i) => {
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
    if (!this.root.querySelector("[tabindex='0']")) this.reach();
    this.legend.replaceChildren();
    for (const { hue, text } of data.legend) {
      const entry = make("span", "", this.legend);
      if (hue) make("span", "swatch", entry).dataset.hue = hue;
      entry.append(text);
    }
  }

  build(data) {
    this.root.replaceChildren();
    this.rows = data.bars.map((bar) => {
      const row = make(data.clickable ? "button" : "div", "bar", this.root);
      if (data.clickable) row.type = "button";
      else row.setAttribute("role", "listitem");
      row.dataset.key = bar.key;
      make("span", "name", row, bar.name);
      const track = make("span", "track", row);
      return [row, make("span", "fill", track), make("span", "zero", track), make("span", "said", row)];
    });
  }

  onClick(event) {
    const row = event.target.closest?.("button.bar");
    if (!row) return;
    const was = row.getAttribute("aria-pressed") === "true";
    for (const [each] of this.rows) each.setAttribute("aria-pressed", each === row && !was ? "true" : "false");
    this.send(row.dataset.key);
  }
}
