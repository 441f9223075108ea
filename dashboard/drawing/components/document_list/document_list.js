// Training documents as cards: a signed bar, the text, its heat. Text reaches the page through textContent only.
const lists = new WeakMap();

export default function (component) {
  const { parentElement, data, setStateValue } = component;
  if (!lists.has(parentElement)) lists.set(parentElement, new List(parentElement));
  lists.get(parentElement).update(data, (name, id) => setStateValue(name, { id, at: Date.now() }));
}

class List {
  constructor(parent) {
    this.scale = make("div", "foot", parent);
    this.root = make("div", "list", parent);
    this.root.setAttribute("role", "list");
    bubble(parent);
    this.root.addEventListener("click", (event) => this.onClick(event));
  }

  update(data, send) {
    this.data = data;
    this.send = send;
    const held = this.root.getRootNode().activeElement;
    const focus = held?.dataset ? [held.closest(".card")?.dataset.id, held.className] : null;
    this.root.setAttribute("aria-label", data.label);
    this.legend(data.heat, data.keys, data.unheated);
    this.root.replaceChildren(...data.items.map((item) => this.card(item)));
    this.mark(data.selected);
    const card = focus && [...this.root.children].find((node) => node.dataset.id === focus[0]);
    card?.getElementsByClassName(focus[1])[0]?.focus({ preventScroll: true });
  }

  card(item) {
    const card = make("div", item.score ? "card" : "card plain");
    card.dataset.id = item.id;
    card.setAttribute("role", "listitem");
    if (item.score) this.measure(item, make("div", "measure", card));
    const body = make("div", "body", card);
    const head = make("div", "head", body);
    const title = make("button", "title", head, item.title || "untitled");
    title.type = "button";
    title.setAttribute("aria-label", item.name);
    if (item.score) say(title, measured(item));
    make("span", "where", head, item.where);
    if (item.citation) {
      const cite = make("button", "cite", head, "Copy as a citation");
      cite.type = "button";
      cite.setAttribute("aria-label", `Copy ${item.title || "untitled"} as a citation`);
      cite.setAttribute("aria-live", "polite");
    }
    if (this.data.pages) {
      const page = make("button", "page", head, "Open document");
      page.type = "button";
      page.setAttribute("aria-label", `Open document ${item.title}`);
    }
    if (item.before) make("div", "more", body, `… ${item.before}`);
    if (item.lines.length) this.lines(item, make("div", "lines", body));
    else this.text(item, make("p", item.unheated && this.data.unheated ? "text unheated" : "text", body));
    if (item.after) make("div", "more", body, `… ${item.after}`);
    if (item.notice) make("div", "notice", body, item.notice);
    const badges = item.badges.length ? make("div", "badges", body) : null;
    for (const { text, strong } of item.badges) make("span", strong ? "badge strong" : "badge", badges, text);
    return card;
  }

  lines(item, parent) {
    parent.setAttribute("role", "list");
    for (const line of item.lines) {
      const row = make("div", "line", parent);
      row.setAttribute("role", "listitem");
      const measure = make("div", "share", row);
      say(make("div", "said", measure, line.said), line.words);
      const [, fill] = this.track(measure, "strength", line.words);
      fill.style.width = `${100 * Math.min(line.bar, 1)}%`;
      this.text({ ...line, unsigned: item.unsigned }, make("p", "text", row));
    }
  }

  track(parent, hue, words) {
    const track = make("div", "track", parent);
    track.setAttribute("aria-hidden", "true");
    say(track, words);
    const fill = make("div", "fill", track);
    fill.dataset.hue = hue;
    return [track, fill];
  }

  measure(item, parent) {
    const score = make("div", "score", parent, item.score);
    score.dataset.hue = item.hue;
    make("span", "unit", score, ` ${item.unit}`);
    say(score, measured(item));
    const [track, fill] = this.track(parent, item.hue, score.dataset.says);
    const width = Math.min(Math.abs(item.bar), 1);
    const both = this.data.diverging;
    if (both) make("div", "zero", track);
    fill.style.width = `${(both ? 50 : 100) * width}%`;
    fill.style.left = both ? `${item.bar < 0 ? 50 - 50 * width : 50}%` : "0";
    if (item.facts) make("div", "facts", parent, item.facts);
  }

  text(item, parent) {
    parent.dir = "auto";
    let plain = "";  // a node for all that has no amount
    let cool = "";  // and one for neighbours whose amounts are too small for a colour
    const flush = () => {
      parent.append(plain);
      if (cool) this.told(make("span", "token", parent, cool), this.data.cold);
      plain = cool = "";
    };
    let begins = null;  // what the end of a line becomes after a label, which stands on a line of its own
    item.pieces.forEach(([text, v], i) => {
      const kind = item.kinds[i];
      const cold = v === null || Math.abs(v) < 0.015;
      if (begins !== null && kind !== "role" && kind !== "window") {
        text = text.replace(/^\n+/, begins);
        begins = kind === "template" ? " " : null;
      }
      if (cold && !kind) {
        if (v === null || !this.data.cold ? cool : plain) flush();
        if (v === null || !this.data.cold) plain += text;
        else cool += text;
      } else {
        flush();
        if (kind === "role" || kind === "window") {
          begins = "";
          return make("span", kind, parent, text);
        }
        if (kind === "template") text = text.replaceAll("\n", cold ? " " : "↵");
        const token = make("span", `token ${kind}`, parent, text);
        if (cold) return;
        token.dataset.hue = v === "mark" ? "mark" : item.unsigned ? "strength" : v < 0 ? "cool" : "warm";
        if (v !== "mark") token.style.setProperty("--v", Math.min(Math.abs(v), 1).toFixed(3));
        this.told(token, item.told[i]);
      }
    });
    flush();
    rove(parent, "[data-says]")();
  }

  told(node, words) {
    if (!words) return;
    say(node, words);
    node.setAttribute("aria-description", words);
  }

  legend(heat, keys, unheated) {
    this.scale.hidden = !heat && !keys.length && !unheated;
    this.scale.replaceChildren();
    if (heat) {
      const scale = make("span", "key", this.scale, `${heat.name} ${heat.low}`);
      const ramp = make("span", heat.signed ? "ramp" : "ramp unsigned", scale);
      ramp.setAttribute("aria-hidden", "true");
      scale.append(heat.high);
    }
    if (unheated) {
      const key = make("span", "key", this.scale);
      make("span", "hatch", key).setAttribute("aria-hidden", "true");
      key.append(unheated);
    }
    for (const words of keys) make("span", "key", this.scale, words);
  }

  mark(id) {
    this.selected = id;
    for (const card of this.root.children) {
      const here = id !== "" && card.dataset.id === id;
      if (here) card.setAttribute("aria-current", "true");
      else card.removeAttribute("aria-current");
      card.querySelector(".title")?.setAttribute("aria-pressed", here ? "true" : "false");
    }
  }

  async cite(id, button) {
    const address = new URL(window.location);
    address.searchParams.set("document", id);
    await copy(`${this.data.items.find((item) => item.id === id).citation} ${address}`);
    button.textContent = "Copied";
    setTimeout(() => (button.textContent = "Copy as a citation"), 1600);
  }

  onClick(event) {
    const card = event.target.closest?.(".card");
    if (!card) return;
    if (event.target.closest(".page")) return this.send("page", card.dataset.id);
    if (event.target.closest(".cite")) return this.cite(card.dataset.id, event.target);
    const marked = this.root.getRootNode().getSelection?.()?.toString() || String(getSelection());
    if (event.detail && marked) return;  // reading, not choosing; a click by the keyboard (detail 0) always chooses
    const id = this.selected === card.dataset.id ? "" : card.dataset.id;
    this.mark(id);
    this.send("document", id);
  }
}

function measured(item) {
  return `${item.score} ${item.unit}${item.facts ? `, ${item.facts}` : ""}`;
}
