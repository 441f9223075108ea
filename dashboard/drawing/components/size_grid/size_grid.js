// Rows are sizes, columns are tokens; dials show probability and prompt share. Text goes through textContent only.
const grids = new WeakMap();

export default function ({ parentElement, data, setStateValue }) {
  let grid = grids.get(parentElement);
  if (!grid) {
    const frame = make("div", "frame", parentElement);
    grid = { table: make("table", "", frame), foot: make("div", "foot", parentElement) };
    grids.set(parentElement, grid);
    bubble(parentElement);
    grid.table.addEventListener("click", (event) => {
      const cell = event.target.closest("button");
      if (cell) grid.choose(cell);
    });
    grid.table.addEventListener("keydown", (event) => move(event, grid.table));
  }
  grid.choose = (cell) => {
    const { row, column } = cell.dataset;
    for (const other of grid.table.querySelectorAll("button"))
      other.setAttribute("aria-pressed", other.dataset.column === column ? "true" : "false");
    setStateValue("cell", { row: Number(row), column: Number(column), at: Date.now() });
  };
  const held = grid.table.getRootNode().activeElement?.dataset;
  grid.table.setAttribute("aria-label", data.label);
  grid.table.replaceChildren(...data.rows.map((row, r) => drawRow(row, r, data)));
  if (held) grid.table.querySelector(`button[data-row="${held.row}"][data-column="${held.column}"]`)?.focus({ preventScroll: true });
  drawFoot(grid.foot, data.rows, data);
}

function drawRow(row, r, data) {
  const line = make("tr", "");
  const name = make("th", "", line);
  name.scope = "row";
  make("span", "look", name).style.background = row.colour;
  name.append(row.size);
  make("small", "", name, row.about);
  row.tokens.forEach((token, c) => {
    const cell = make("td", token.fork ? "fork" : "", line);
    if (token.off) cell.classList.add("off");
    const button = make("button", "", cell);
    button.type = "button";
    Object.assign(button.dataset, { row: r, column: c });
    button.setAttribute("aria-label", token.name);
    button.setAttribute("aria-pressed", c === data.column ? "true" : "false");
    say(button, token.name);
    make("span", "flag", button, token.fork ? `≠ ${token.fork}` : "");
    make("span", token.special ? "word special" : "word", button, token.text);
    const dials = make("span", "dials", button);
    dial("probability", token.probability, dials);
    dial("share", token.share, dials);
  });
  return line;
}

function dial(kind, value, parent) {
  if (value === null) return;
  make("span", `dial ${kind}`, parent).style.setProperty("--v", value.toFixed(3));
}

function drawFoot(foot, rows, { marker, what }) {
  foot.replaceChildren();
  const any = (name) => rows.some((row) => row.tokens.some((token) => token[name] !== null));
  for (const [name, words] of [["probability", `probability of the ${what}`], ["share", "share of the bits that came from the prompt"]]) {
    if (!any(name)) continue;
    const key = make("span", "", foot);
    dial(name, 0.7, key);
    key.append(words);
  }
  if (rows.some((row) => row.tokens.some((token) => token.fork))) make("span", "", foot, `≠ ${marker}`);
}

function move(event, table) {
  const at = event.target.closest?.("button")?.dataset;
  const step = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0] }[event.key];
  if (!at || !step) return;
  const to = `button[data-row="${Number(at.row) + step[0]}"][data-column="${Number(at.column) + step[1]}"]`;
  table.querySelector(to)?.focus();
  event.preventDefault();
}
