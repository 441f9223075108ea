// One bar of parts that follow each other; a part below zero leads back and is hatched. Text through textContent only.
const stacks = new WeakMap();

export default function (component) {
  const { parentElement, data } = component;
  if (!stacks.has(parentElement)) stacks.set(parentElement, new Stack(parentElement));
  stacks.get(parentElement).update(data);
}

class Stack {
  constructor(parent) {
    this.bar = make("div", "stack", parent);
    this.bar.setAttribute("role", "list");
    this.reach = rove(this.bar, "[data-says]");
    bubble(parent);
    this.ends = make("div", "ends", parent);
    this.ends.setAttribute("aria-hidden", "true");
    this.legend = make("ul", "legend", parent);
  }

  update({ label, parts, unit, whole }) {
    this.bar.setAttribute("aria-label", label);
    this.bar.replaceChildren();
    this.legend.replaceChildren();
    let at = 0;
    const ends = [0, ...parts.map((part) => (at += part.amount))];
    const low = Math.min(...ends);
    const width = Math.max(...ends) - low || 1;
    parts.forEach((part, i) => {
      const [from, to] = [Math.min(ends[i], ends[i + 1]), Math.max(ends[i], ends[i + 1])];
      if (part.amount !== 0) {
        const box = make("div", part.amount < 0 ? "part less" : "part", this.bar);
        box.dataset.hue = part.hue;
        box.setAttribute("role", "listitem");
        box.setAttribute("aria-label", `${part.name}: ${part.said}`);
        say(box, `${part.name}: ${part.said}`);
        box.style.left = `${(100 * (from - low)) / width}%`;
        box.style.width = `${(100 * (to - from)) / width}%`;
      }
      const entry = make("li", "", this.legend);
      make("span", "swatch", entry).dataset.hue = part.hue;
      make("span", "", entry, part.name);
      make("span", "said", entry, part.said);
    });
    this.reach();
    this.ends.replaceChildren();
    make("span", "", this.ends, low < 0 ? `${low.toFixed(1).replace("-", "−")} ${unit}` : `0 ${unit}`);
    make("span", "", this.ends, whole);
  }
}
