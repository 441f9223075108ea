// A listbox over the tokens of an answer, the prompt before it. Text reaches the page through textContent only.
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
    const foot = make("div", "foot", this.root);
    this.readout = make("div", "readout", foot);
    this.legends = make("div", "legends", foot);
    this.options = [];
    this.looks = new WeakMap();
    this.first = this.last = this.anchor = null;
    this.active = 0;
    this.sent = 0;
    this.answer.addEventListener("click", (event) => this.onClick(event));
    this.answer.addEventListener("dblclick", (event) => this.takeWord(this.indexOf(event.target)));
    this.answer.addEventListener("keydown", (event) => this.onKey(event));
    this.answer.addEventListener("pointerover", (event) => this.read(this.indexOf(event.target)));
    this.answer.addEventListener("pointerleave", () => this.read(this.last));
    this.answer.addEventListener("focusin", (event) => this.read(this.indexOf(event.target)));
    this.prompt.addEventListener("pointerover", (event) => this.readPrompt(event.target));
    this.prompt.addEventListener("focusin", (event) => this.readPrompt(event.target));
    this.prompt.addEventListener("pointerleave", () => this.read(this.last));
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
    if (data.seen >= this.sent) {
      this.anchor = this.first = data.first;
      this.last = data.last;
      if (this.last !== null) this.active = Math.min(this.last, this.options.length - 1);
    }
    this.mark();
    this.drawLegends(data.legends, data.underlined);
    this.read(this.last);
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
      const { v, sign } = tokens[i];
      const look = `${v} ${sign} ${tokens[i].signed}`;
      if (this.looks.get(node) === look) return;  // a click changes few of four hundred
      this.looks.set(node, look);
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
    this.mark();
    this.read(last);
    clearTimeout(this.timer);
    this.sent = Date.now();
    const span = { first, last, at: this.sent };
    this.timer = setTimeout(() => this.send(span), 40);  // held arrow keys: one message, not thirty
  }

  onClick(event) {
    const i = this.indexOf(event.target);
    if (i === null) return;
    this.active = i;
    this.options[i].focus({ preventScroll: true });
    if (event.shiftKey && this.anchor !== null) return this.extend(i);
    if (this.first === i && this.last === i) return this.clear();
    this.anchor = i;
    this.choose(i, i);
  }

  onKey(event) {
    const end = this.options.length - 1;
    const to = { ArrowRight: this.active + 1, ArrowLeft: this.active - 1, Home: 0, End: end,
      ArrowDown: this.line(1), ArrowUp: this.line(-1) }[event.key];
    if (to !== undefined) {
      this.active = Math.max(0, Math.min(end, to));
      this.options[this.active].focus();
      if (event.shiftKey && this.anchor !== null) this.extend(this.active);
      else this.choose((this.anchor = this.active), this.active);
    } else if (event.key === "Enter" || event.key === " ") {
      if (this.first === this.active && this.last === this.active) this.clear();
      else this.choose((this.anchor = this.active), this.active);
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
    const word = this.data.words.find(([first, last]) => first <= i && i <= last);
    if (i === null || !word) return;
    getSelection()?.removeAllRanges();  // a double click marks the text as well
    this.anchor = word[0];
    this.choose(...word);
  }

  extend(i) { this.choose(Math.min(this.anchor, i), Math.max(this.anchor, i)); }

  clear() {
    this.anchor = null;
    this.choose(null, null);
  }

  indexOf(node) {
    const i = this.options.indexOf(node);
    return i < 0 ? null : i;
  }

  read(i) {
    this.readout.replaceChildren();
    if (i === null || i === undefined || !this.data.answer[i]) {
      this.readout.textContent = this.data.hint;
      return;
    }
    make("b", "", this.readout, `“${this.data.answer[i].text}”`);
    this.readout.append(` · ${this.data.answer[i].note}`);
  }

  readPrompt(node) {
    const i = this.sources.indexOf(node);
    if (i < 0 || !this.data.prompt[i].note) return;
    this.readout.replaceChildren();
    make("b", "", this.readout, `“${this.data.prompt[i].text}”`);
    this.readout.append(` · ${this.data.prompt[i].note}`);
  }

  drawLegends(legends, underlined) {
    this.legends.replaceChildren();
    if (underlined) {
      const legend = make("span", "legend", this.legends);
      make("span", "sample copied", legend, "abc").setAttribute("aria-hidden", "true");
      make("span", "", legend, underlined);
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
