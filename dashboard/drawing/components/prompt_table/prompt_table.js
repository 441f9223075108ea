// One row per prompt, one column per size, one button per answer. Text reaches the page through textContent only.
const tables = new WeakMap();

export default function ({ parentElement, data, setStateValue }) {
  let table = tables.get(parentElement);
  if (!table) {
    const frame = make("div", "frame", parentElement);
    table = { node: make("table", "", frame) };
    tables.set(parentElement, table);
    bubble(parentElement);
    table.node.addEventListener("click", (event) => {
      const button = event.target.closest("button");
      if (button) table.open(button.dataset.id);
    });
  }
  table.open = (id) => setStateValue("generation", { id, at: Date.now() });
  table.node.setAttribute("aria-label", data.label);
  const head = make("thead", "");
  const names = make("tr", "", head);
  for (const text of ["Prompt", ...data.sizes]) make("th", "", names, text).scope = "col";
  const body = make("tbody", "");
  for (const row of data.rows) drawRow(row, data.sizes, make("tr", "", body));
  table.node.replaceChildren(head, body);
}

function drawRow(row, sizes, parent) {
  const prompt = make("td", "prompt", parent);
  for (const [role, words] of row.turns) {
    const turn = make("div", role === "documents" ? "turn given" : "turn", prompt);
    if (role && role !== "documents") {
      make("span", "role", turn, role);
      turn.append(" ");  // between them where they are copied or read aloud
    }
    make("span", "words", turn, words).dir = "auto";
  }
  make("span", "topic", prompt, row.about);
  row.answers.forEach((answer, i) => {
    const cell = make("td", "cell", parent);
    cell.dataset.size = sizes[i];
    if (!answer) return make("span", "none", cell, "not run");
    const button = make("button", "", cell);
    button.type = "button";
    button.dataset.id = answer.id;
    button.setAttribute("aria-label", answer.name);
    if (answer.right !== null) make("span", answer.right ? "verdict right" : "verdict wrong", button, answer.right ? "✓" : "✗");
    const text = make("span", "answer", button);
    text.dir = "auto";
    for (const [piece, marked] of answer.pieces) make("span", marked ? "mark" : "", text, piece);
    if (answer.owed) make("span", "source owed", button, answer.owed);
    if (answer.source) make("span", "source", button, answer.source);
    if (answer.share) make("span", "source", button, answer.share);
    say(button, answer.said);
  });
}
