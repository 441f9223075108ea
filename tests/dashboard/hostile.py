"""Text that must be shown and must not act."""

HOSTILE = [
    "<script>window.hacked = 1; alert('script')</script>",
    "<iframe srcdoc=\"<script>parent.hacked = 1; alert('frame')</script>\"></iframe>",
    "<style>@import url('http://evil.invalid/a.css'); body { background: url(http://evil.invalid/b.png) }</style>",
    "<img src=x onerror=\"window.hacked=1; alert('img')\">",
    "![image](http://evil.invalid/c.png) [link](javascript:alert('link'))",
    "$\\rule{900em}{900em}$ $$\\href{javascript:alert(1)}{x}$$ :red[coloured] :material/delete: # heading",
    "\u202etxet desrever\u202c zero\u200bwidth\ufeff tag\U000e0041 \u2066isolate",
    "'; DROP TABLE document; -- \" ` ${7*7} {{7*7}} %s",
    "NUL\x00 bell\x07 escape\x1b[31m",
    "a" * 10_000,
]


def hostile_facts() -> list[tuple[str, str, str]]:
    """Fifteen countries whose names and currencies are hostile, for the synthetic database."""
    texts = [text.replace("\x00", "\ufffd") for text in HOSTILE]
    capitals = ["Delhi" if i == 7 else f"Capital{i}" for i in range(15)]  # one prompt of that database asks for Delhi
    return [(f"{texts[i % len(texts)]} {i}", capitals[i], texts[(i + 3) % len(texts)]) for i in range(15)]
