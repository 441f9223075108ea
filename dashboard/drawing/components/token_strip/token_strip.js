// A listbox over the tokens of an answer, the prompt before it. Text reaches the page through textContent only.
// A click takes the word of a token, the next one a token inside it, the next one nothing, which is the whole answer.
// The page answers a click at once; Python answers later, and names the click that it has seen (data.seen).
const strips = new WeakMap();

export default function (component) {
  const { parentElement, data, setStateValue } = component;
  if (!strips.has(parentElement)) strips.set(parentElement, new Strip(parentElement));
  strips.get(parentElement).update(data, (span) => setStateValue("span", span));
}

class Strip {
  constructor(parent) {
    this.root = make("div", "strip", parent);
    this.promptRow = make("div", "row prompt-row", this.root);
    make("div", "name", this.promptRow, "Prompt");
    this.prompt = make("div", "text prompt", this.promptRow);
    this.prompt.setAttribute("role", "list");
    this.prompt.setAttribute("aria-label", "Tokens of the prompt; arrow keys move");
    this.reach = rove(this.prompt, "[data-says]");
    bubble(this.root);
    const row = make("div", "row", this.root);
    make("div", "name", row, "Answer");
    this.answer = make("div", "text answer", row);
    this.answer.setAttribute("role", "listbox");
    this.answer.setAttribute("aria-multiselectable", "true");
    this.steps = make("div", "steps", this.root);
    const foot = make("div", "foot", this.root);
    this.readout = make("div", "readout", foot);
    this.legends = make("div", "legends", foot);
    this.said = make("div", "aloud", this.root);
    this.said.setAttribute("aria-live", "polite");
    this.options = [];
    this.looks = new WeakMap();
    this.first = this.last = this.anchor = null;  // anchor: [first, last] of what a span is extended from
    this.fine = false;  // by tokens, not by words
    this.active = 0;
    this.sent = 0;
    this.answer.addEventListener("click", (event) => this.onClick(event));
    this.answer.addEventListener("dblclick", (event) => this.takeWord(this.indexOf(event.target)));
    this.answer.addEventListener("keydown", (event) => this.onKey(event));
    this.answer.addEventListener("pointerover", (event) => this.near(this.indexOf(event.target)));
    this.answer.addEventListener("pointerleave", () => this.near(null));
    this.answer.addEventListener("focusin", (event) => this.read(this.indexOf(event.target)));
    this.prompt.addEventListener("pointerover", (event) => this.readPrompt(event.target));
    this.prompt.addEventListener("focusin", (event) => this.readPrompt(event.target));
    this.prompt.addEventListener("pointerleave", () => this.read(null));
  }

  update(data, send) {
    this.data = data;
    this.send = send;
    this.root.classList.toggle("long", data.answer.length > 90);
    this.answer.setAttribute("aria-label", data.label);
    const texts = JSON.stringify([data.prompt, data.answer].map((part) => part.map((token) => [token.text, token.role])));
    if (texts !== this.texts) this.build();
    this.texts = texts;
    this.shade(this.sources, data.prompt);
    this.shade(this.options, data.answer);
    this.options.forEach((option, i) => {
      if (option.ariaLabel !== data.answer[i].name) option.ariaLabel = data.answer[i].name;
      if (option.dataset.says !== data.answer[i].note) say(option, data.answer[i].note);
      option.classList.toggle("copied", data.answer[i].copied);
    });
    this.sources.forEach((source, i) => {
      if ((source.dataset.says ?? "") === data.prompt[i].note) return;
      say(source, data.prompt[i].note);
      source.ariaLabel = `${data.prompt[i].text}, ${data.prompt[i].note}`;
    });
    if (!this.prompt.querySelector("[tabindex='0']")) this.reach();
    this.known = data.seen >= this.sent;
    if (this.known) {
      this.first = data.first;
      this.last = data.last;
      this.anchor = this.first === null ? null : [this.first, this.last];
      if (this.last !== null && !(this.first <= this.active && this.active <= this.last)) this.active = this.first;
      this.active = Math.min(this.active, Math.max(this.options.length - 1, 0));
      this.fine = this.first !== null && this.first === this.last && this.isPart(this.first);
    }
    this.mark();
    this.drawSteps(data.steps);
    this.drawLegends(data.legends, data.underlined, data.unknown);
    this.read(null);
  }

  build() {
    const focused = this.answer.contains(this.answer.getRootNode().activeElement);
    this.prompt.replaceChildren();
    this.answer.replaceChildren();
    this.sources = this.data.prompt.map((token) => {
      if (token.role) make("span", "role", this.prompt, token.role).setAttribute("role", "listitem");
      return this.place(token, this.prompt);
    });
    this.sources.forEach((source) => source.setAttribute("role", "listitem"));
    this.promptRow.hidden = this.sources.length === 0;
    const tall = this.data.prompt.reduce((n, token) => n + token.text.length, 0) > 600;
    this.prompt.classList.toggle("tall", tall);
    if (tall && !this.data.prompt.some((token) => token.note)) this.prompt.tabIndex = 0;  // else its tokens are reached
    else this.prompt.removeAttribute("tabindex");
    this.options = this.data.answer.map((token) => this.place(token, this.answer));
    this.options.forEach((option) => option.setAttribute("role", "option"));
    this.active = Math.min(this.active, Math.max(this.options.length - 1, 0));
    if (focused) this.options[this.active]?.focus({ preventScroll: true });
  }

  place(token, parent) {
    const [, before, body] = token.text.match(/^( *)([^]*)$/);  // a leading blank stays outside the coloured box
    if (before && body) parent.append(before);
    const line = token.template ? "↵" : "↵\n";  // the lines of a chat are its turns
    const shown = body === "" ? "␣" : body.replaceAll("\n", line).replaceAll("\t", "⇥");
    const looks = ["token", token.special ? "special" : "", token.template ? "template" : ""].filter(Boolean);
    const node = make("span", looks.join(" "), parent, shown);
    node.dir = "auto";
    return node;
  }

  shade(nodes, tokens) {
    nodes.forEach((node, i) => {
      const { v, sign, unknown } = tokens[i];
      const look = `${v} ${sign} ${tokens[i].signed} ${unknown}`;
      if (this.looks.get(node) === look) return;  // a click changes few of four hundred
      this.looks.set(node, look);
      node.classList.toggle("unknown", unknown);
      if (v === null || v === undefined) delete node.dataset.hue;
      else node.dataset.hue = v < 0 ? "cool" : tokens[i].signed ? "warm" : "strength";
      node.style.setProperty("--v", Math.min(Math.abs(v ?? 0), 1).toFixed(3));
      if (sign) node.dataset.sign = sign;
      else delete node.dataset.sign;
    });
  }

  mark() {
    this.options.forEach((option, i) => {
      const inside = this.first !== null && i >= this.first && i <= this.last;
      if (option.ariaSelected !== String(inside)) option.ariaSelected = String(inside);
      const reached = i === this.active ? 0 : -1;
      if (option.tabIndex !== reached || !option.hasAttribute("tabindex")) option.tabIndex = reached;
    });
  }

  choose(first, last) {
    this.first = first;
    this.last = last;
    this.known = false;
    this.mark();
    this.read(null);
    this.said.textContent = first === null ? "The whole answer" : this.written(first, last);
    clearTimeout(this.timer);
    this.sent = Date.now();
    const span = { first, last, at: this.sent };
    this.timer = setTimeout(() => this.send(span), 40);  // held arrow keys: one message, not thirty
  }

  wordOf(i) { return this.data.words.find(([first, last]) => first <= i && i <= last) ?? [i, i]; }

  isPart(i) {
    const [first, last] = this.wordOf(i);
    return first < last;
  }

  unit(i) { return this.fine ? [i, i] : this.wordOf(i); }

  take(unit) { this.choose(...(this.anchor = unit)); }

  onClick(event) {
    const i = this.indexOf(event.target);
    if (i === null) return;
    this.active = i;
    this.options[i].focus({ preventScroll: true });
    if (event.shiftKey && this.anchor !== null) return this.extend(i);
    this.enter(i);
  }

  enter(i) {  // one level further in: the word, a token of it, and out again
    if (this.first === i && this.last === i) return this.clear();
    const [first, last] = this.wordOf(i);
    const within = this.fine && first <= this.first && this.last <= last;
    this.fine = first < last && (within || (this.first === first && this.last === last));
    this.take(this.unit(i));
  }

  onKey(event) {
    const end = this.options.length - 1;
    const [first, last] = this.unit(this.active);
    const to = { ArrowRight: last + 1, ArrowLeft: first - 1, Home: 0, End: end, ArrowDown: this.line(1), ArrowUp: this.line(-1) }[event.key];
    if (to !== undefined) {
      const reached = this.unit(Math.max(0, Math.min(end, to)));
      this.active = event.shiftKey && to > last ? reached[1] : reached[0];
      this.options[this.active].focus();
      if (event.shiftKey && this.anchor !== null) this.extend(this.active);
      else this.take(reached);
    } else if (event.key === "Enter" || event.key === " ") {
      this.enter(this.active);
    } else if (event.key.toLowerCase() === "w" && !event.ctrlKey && !event.metaKey && !event.altKey) {
      this.takeWord(this.active);
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }

  line(step) {  // the token above or below the active one
    const from = this.options[this.active]?.getBoundingClientRect();
    if (!from) return 0;
    const middle = (from.left + from.right) / 2;
    let best = this.active, least = Infinity;
    this.options.forEach((option, i) => {
      const box = option.getBoundingClientRect();
      const down = (box.top - from.top) * step;
      if (down < from.height / 2) return;
      const far = down * 4 + Math.abs((box.left + box.right) / 2 - middle);
      if (far < least) [best, least] = [i, far];
    });
    return best;
  }

  takeWord(i) {
    if (i === null || !this.isPart(i)) return;
    getSelection()?.removeAllRanges();  // a double click marks the text as well
    this.fine = false;
    this.take(this.wordOf(i));
  }

  extend(i) {
    const [first, last] = this.unit(i);
    this.choose(Math.min(this.anchor[0], first), Math.max(this.anchor[1], last));
  }

  clear() {
    this.anchor = null;
    this.fine = false;
    this.choose(null, null);
  }

  indexOf(node) {
    const i = this.options.indexOf(node);
    return i < 0 ? null : i;
  }

  written(first, last) { return this.data.answer.slice(first, last + 1).map((token) => token.text).join("").trim(); }

  near(i) {  // what a click would take
    const [first, last] = i === null ? [-1, -1] : this.unit(i);
    this.options.forEach((option, k) => option.classList.toggle("near", first <= k && k <= last));
    this.read(i);
  }

  read(i) {  // of a token that is pointed at, else of what is chosen
    this.readout.replaceChildren();
    const { answer, chosen, hint } = this.data;
    if (i !== null && answer[i]) return this.readOut(answer[i].text, answer[i].note);
    if (this.known) this.readOut(chosen.text, chosen.note);
    else if (this.first !== null) this.readOut(this.written(this.first, this.last), "");
    if (this.first === null) this.readout.append(`${this.known && chosen.text ? ". " : ""}${hint}`);
  }

  readOut(text, note) {
    if (text) make("b", "", this.readout, `“${text}”`);
    if (note) this.readout.append(`${text ? " · " : ""}${note}`);
  }

  drawSteps(steps) {
    this.steps.hidden = !steps.length || seen();
    if (this.steps.hidden || this.steps.childElementCount) return;
    const list = make("ol", "", this.steps);
    for (const step of steps) make("li", "", list, step);
    const button = make("button", "", this.steps, "Got it");
    button.type = "button";
    button.addEventListener("click", () => {
      this.steps.hidden = true;
      see();
      this.options[this.active]?.focus({ preventScroll: true });
    });
  }

  readPrompt(node) {
    const i = this.sources.indexOf(node);
    if (i < 0 || !this.data.prompt[i].note) return;
    this.readout.replaceChildren();
    this.readOut(this.data.prompt[i].text, this.data.prompt[i].note);
  }

  drawLegends(legends, underlined, unknown) {
    this.legends.replaceChildren();
    for (const [look, words] of [["copied", underlined], ["unknown", unknown ? "not computed" : ""]]) {
      if (!words) continue;
      const legend = make("span", "legend", this.legends);
      make("span", `sample ${look}`, legend, "abc").setAttribute("aria-hidden", "true");
      make("span", "", legend, words);
    }
    for (const { name, low, high, signed } of legends) {
      const legend = make("span", "legend", this.legends);
      make("span", "", legend, name);
      make("span", "", legend, low);
      const ramp = make("span", "ramp", legend);
      ramp.dataset.hue = signed ? "signed" : "strength";
      ramp.setAttribute("aria-hidden", "true");
      make("span", "", legend, high);
    }
  }
}

// Whether the first steps were dismissed: the browser keeps it, and where it may keep nothing, this page.
const SEEN = "whence first steps";
let dismissed = false;

function seen() {
  try { return dismissed || localStorage.getItem(SEEN) !== null; } catch { return dismissed; }
}

function see() {
  dismissed = true;
  try { localStorage.setItem(SEEN, "dismissed"); } catch { /* as long as this page is open */ }
}
