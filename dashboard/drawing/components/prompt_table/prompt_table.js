// One row per prompt, one column per size, one button per answer; where the sizes change, a new line of names. Text
// reaches the page through textContent only.
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
      if (button) table.send(button.dataset.column === undefined ? "generation" : "column", button.dataset);
    });
  }
  table.send = (name, { id, column }) => setStateValue(name, { id: id ?? column, at: Date.now() });
  const held = table.node.getRootNode().activeElement?.dataset?.column;
  table.node.setAttribute("aria-label", data.label);
  table.node.replaceChildren();
  let names = "";
  let body = null;
  const widest = Math.max(...data.rows.map((row) => row.columns.length), 0);
  for (const row of data.rows) {
    const here = JSON.stringify(row.columns);
    if (here !== names) {
      const head = make("tr", "", make("thead", "", table.node));
      drawNames(row.columns, data, head);
      head.lastChild.colSpan = 1 + widest - row.columns.length;
      body = make("tbody", "", table.node);
      names = here;
    }
    const line = make("tr", "", body);
    drawRow(row, line);
    line.lastChild.colSpan = 1 + widest - row.columns.length;
  }
  if (held !== undefined) [...table.node.querySelectorAll("th button")].find((each) => each.dataset.column === held)?.focus();
}

function drawNames(columns, data, parent) {
  for (const { name, shown } of [{ name: "", shown: "Prompt" }, ...columns]) {
    const head = make("th", "", parent, data.sortable ? undefined : shown);
    head.scope = "col";
    if (!data.sortable) continue;
    const button = make("button", "sort", head, shown);
    button.type = "button";
    button.dataset.column = name;
    button.title = "Rows by this column";
    const here = data.arranged && data.arranged.name === name;
    if (here) make("span", "arrow", button, data.arranged.turned ? " ▼" : " ▲").ariaHidden = "true";
    if (here) head.setAttribute("aria-sort", data.arranged.turned ? "descending" : "ascending");
  }
}

function drawRow(row, parent) {
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
    cell.dataset.size = row.columns[i].shown;
    if (!answer) return make("span", "none", cell, "not run");
    const button = make("button", answer.passes ? "" : "other", cell);
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
