// Sentences with a few styles. Text reaches the page through textContent only; styles come from a fixed list.
const STYLES = new Set(["muted", "strong", "serif", "mark", "warm", "cool", "role"]);
const BLOCKS = new Set(["quote", "title", "note", "fact", "problem", "command"]);

export default function ({ parentElement, data }) {
  let root = parentElement.querySelector(".prose");
  if (!root) {
    root = document.createElement("div");
    root.className = "prose";
    parentElement.append(root);
  }
  root.replaceChildren(...data.blocks.map(({ kind, pieces }) => {
    const block = document.createElement(kind === "title" ? "h2" : "p");
    block.className = BLOCKS.has(kind) ? `block ${kind}` : "block";
    block.dir = "auto";
    if (kind === "problem") block.setAttribute("role", "status");
    for (const [text, style] of pieces) {
      const span = document.createElement("span");
      if (STYLES.has(style)) span.className = style;
      span.textContent = text;
      block.append(span);
    }
    return block;
  }));
}
