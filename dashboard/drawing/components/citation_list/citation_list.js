// Sentences of an answer with what each rests on: a button a citation. Text reaches the page through textContent only.
const lists = new WeakMap();

export default function ({ parentElement, data, setStateValue }) {
  let list = lists.get(parentElement);
  if (!list) {
    list = { root: make("ol", "sentences", parentElement) };
    lists.set(parentElement, list);
    bubble(parentElement);
    list.root.addEventListener("click", (event) => {
      const button = event.target.closest("button");
      if (button) list.send(button.dataset);
    });
  }
  list.send = ({ sentence, part }) =>
    setStateValue("citation", { sentence: Number(sentence), part: Number(part), at: Date.now() });
  list.root.setAttribute("aria-label", data.label);
  const held = list.root.getRootNode().activeElement?.dataset;
  list.root.replaceChildren(...data.sentences.map((sentence, i) => drawSentence(sentence, i, data.part)));
  if (held?.part) list.root.querySelector(`[data-sentence="${held.sentence}"][data-part="${held.part}"]`)?.focus({ preventScroll: true });
}

function drawSentence({ text, cited, others }, i, part) {
  const item = make("li", "sentence");
  const said = make("span", "said", item, text);
  said.dir = "auto";
  for (const each of cited) citation(each, i, part, item);
  if (!cited.length) make("span", "none", item, "cites no document");
  if (!others.length) return item;
  const line = make("div", "others", item, "Attributed, but not cited:");
  for (const each of others) citation(each, i, part, line);
  return item;
}

function citation(each, i, part, parent) {
  const button = make("button", "citation", parent, `${each.name} ${each.said}`);
  button.type = "button";
  button.dataset.sentence = i;
  button.dataset.part = each.part;
  say(button, `Sentence ${i + 1}, ${each.name}: ${each.said}`);
  button.setAttribute("aria-label", button.dataset.says);
  button.setAttribute("aria-pressed", each.part === part ? "true" : "false");
}
