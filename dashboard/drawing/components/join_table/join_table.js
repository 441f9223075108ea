// Documents of several sizes joined: one row per document, its rank and its share in each size. textContent only.
const tables = new WeakMap();

export default function ({ parentElement, data, setStateValue }) {
  let table = tables.get(parentElement);
  if (!table) {
    table = { node: make("table", "", make("div", "frame", parentElement)) };
    tables.set(parentElement, table);
    table.reach = rove(table.node, "td[data-says]");
    bubble(parentElement);
    table.node.addEventListener("click", (event) => {
      const button = event.target.closest("button");
      if (button) table.open(button.dataset.id);
    });
  }
  table.open = (id) => setStateValue("document", { id, at: Date.now() });
  table.node.setAttribute("aria-label", data.label);
  const head = make("thead", "");
  const names = make("tr", "", head);
  make("th", "", names, "Document").scope = "col";
  data.sizes.forEach((size, i) => {
    const name = make("th", "", names);
    name.scope = "col";
    make("span", "look", name).style.background = data.colours[i];
    name.append(size);
  });
  const body = make("tbody", "");
  for (const row of data.rows) drawRow(row, data, make("tr", row.shared ? "shared" : "", body));
  table.node.replaceChildren(head, body);
  table.reach();
}

function drawRow(row, { sizes, colours }, parent) {
  const about = make("td", "", parent);
  const button = make("button", "", about, row.title || "untitled");
  button.type = "button";
  button.dataset.id = row.id;
  make("div", "where", about, row.where);
  const text = make("div", "text", about, row.text);
  text.dir = "auto";
  row.cells.forEach((cell, i) => {
    const place = make("td", "cell", parent);
    place.dataset.size = sizes[i];
    if (cell.none) {
      const words = make("span", "none", place, cell.none);
      words.dir = "auto";
    } else {
      make("div", "", place, `no. ${cell.rank} · ${cell.said}`);
      say(place, `${sizes[i]}: ${cell.words}`);
      place.setAttribute("aria-label", place.dataset.says);
      const bar = make("div", "bar", place);
      bar.style.width = `${Math.min(cell.share, 1) * 100}%`;
      bar.style.background = colours[i];
    }
  });
}
