"""Text from outside meets the page in render.py only; everything else may say literals and escaped labels.

The test reads the syntax trees of the dashboard: a call of Streamlit that interprets its text needs a literal there.
"""

import ast
import re
import sys
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

HERE = Path(__file__).parents[3] / "dashboard"
FILES = sorted(HERE.rglob("*.py"))
ALLOWED = "render.py"
HEADING = "heading.py"  # says what `panel` is given, which is held to literals below

FORBIDDEN = {
    *("write", "markdown", "html", "table", "iframe", "image", "latex", "json", "exception", "help", "echo", "code"),
    *("write_stream", "graphviz_chart", "mermaid_chart", "pydeck_chart", "map", "pdf", "video", "audio"),
    *("dataframe", "data_editor", "feedback", "chat_message", "plotly_chart", "bokeh_chart", "pyplot"),
    *("altair_chart", "vega_lite_chart", "echarts_chart", "line_chart", "bar_chart", "area_chart", "scatter_chart"),
}
OURS = {"render", "sheet", "bar"}  # modules of ours with a function of such a name; all else is Streamlit's
INTERPRETED = {
    *("caption", "title", "header", "subheader", "error", "warning", "info", "success", "toast", "metric", "text"),
    *("button", "download_button", "form_submit_button", "link_button", "checkbox", "toggle", "radio", "selectbox"),
    *(
        "multiselect",
        "slider",
        "select_slider",
        "text_input",
        "text_area",
        "number_input",
        "segmented_control",
        "pills",
    ),
    *("expander", "popover", "tabs", "status", "spinner", "badge", "page_link", "dialog"),
}
MARKDOWN_OPTIONS = {"radio", "segmented_control", "pills"}


def calls(tree: ast.AST) -> Iterator[tuple[str, ast.Call]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            yield node.func.attr, node


def detours(tree: ast.AST) -> Iterator[str]:
    """Streamlit under another name, a function of its that is handed on, charts and cells that fetch or lead away."""
    called = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "streamlit":
            if node.module != "streamlit.web":  # serving.py starts it
                yield f"from {node.module}"
        elif isinstance(node, ast.Import):
            yield from (each.name for each in node.names if each.name == "streamlit" and each.asname != "st")
        elif isinstance(node, ast.Attribute):
            handed_on = node.attr in FORBIDDEN | INTERPRETED and id(node) not in called
            if isinstance(node.value, ast.Name) and node.value.id == "st" and handed_on:
                yield f"st.{node.attr}"
            if node.attr in ("add_layout_image", "LinkColumn", "ImageColumn", "MarkdownColumn", "JsonColumn"):
                yield node.attr
        elif isinstance(node, ast.Call) and re.match(r"(getattr|vars)\(st\b|eval\(|exec\(", ast.unparse(node)):
            yield ast.unparse(node.func)


def is_ours(value: ast.expr) -> bool:
    """A literal, a constant in capitals, an escaped label, or figures and literals in a sentence."""
    if isinstance(value, ast.Constant):
        return True
    if isinstance(value, ast.Name):
        return value.id.isupper()
    if isinstance(value, ast.Subscript):
        return is_ours(value.value)
    if isinstance(value, ast.IfExp):
        return is_ours(value.body) and is_ours(value.orelse)
    if isinstance(value, ast.JoinedStr):
        return all(isinstance(part, ast.Constant) or is_figure(part) for part in value.values)
    if isinstance(value, ast.Call):
        named = value.func.attr if isinstance(value.func, ast.Attribute) else getattr(value.func, "id", "")
        return named in {"label"} | SENTENCES
    return False


SENTENCES = {"_count", "scale_note"}  # functions that return sentences of ours, checked by eye
FIGURES = {"len", "signed", "plain", "percent", "parameters", "label"}


def is_figure(part: ast.expr) -> bool:
    """{number:format}, {signed(...)}, {render.label(...)}: nothing that a corpus can write."""
    if not isinstance(part, ast.FormattedValue):
        return False
    if part.format_spec is not None:  # one that only a number has: {title:>10} would pass any text
        return re.fullmatch(r"f'[+,]?[\d,]*(\.\d+)?[%defgx,]'", ast.unparse(part.format_spec)) is not None
    value = part.value
    if isinstance(value, ast.Call):
        named = value.func.attr if isinstance(value.func, ast.Attribute) else getattr(value.func, "id", "")
        return named in FIGURES
    return isinstance(value, ast.Name) and value.id in {"total"}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(HERE)))
def test_no_other_way_for_text_to_reach_the_page(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    assert "unsafe_allow" not in source
    assert "components.v1" not in source
    tree = ast.parse(source)
    assert not list(detours(tree)), path.name
    if path.name in (ALLOWED, HEADING):
        return
    for name, call in calls(tree):
        where = f"{path.name}:{call.lineno} st.{name}"
        if _receiver(call) in OURS or "logging." in ast.unparse(call.func):
            continue
        assert name not in FORBIDDEN, where
        if name in INTERPRETED:
            texts = call.args[:1] + [
                each.value for each in call.keywords if each.arg in {"help", "placeholder", "text", "label", "body"}
            ]
            assert all(is_ours(text) for text in texts), where
        if name == "progress":
            assert all(is_ours(each.value) for each in call.keywords if each.arg == "text"), where
        if name in MARKDOWN_OPTIONS:
            keywords = {each.arg: each.value for each in call.keywords}
            assert "format_func" in keywords, where
            formatted = ast.unparse(keywords["format_func"])
            assert "render.label" in formatted or formatted.endswith("__getitem__"), where


def test_every_panel_says_what_its_number_is_not() -> None:
    """A head is drawn by `panel` only, with two literals; About explains instead of showing a number."""
    panels = 0
    for path in FILES:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call):
                continue
            if isinstance(node.func, ast.Attribute) and node.func.attr in ("subheader", "header", "title"):
                assert path.name == HEADING or "about" in path.parts or _receiver(node) != "st", path
            if isinstance(node.func, ast.Name) and node.func.id == "panel":
                title, is_not = (each.value for each in node.args if isinstance(each, ast.Constant))
                assert title and re.search(r"\bnot\b", is_not) and is_not.endswith("."), (path, title)
                assert len(re.findall(r"[.!?](\s|$)", is_not)) == 1, f"{title}: one sentence"
                panels += 1
    assert panels >= 14


PLANTED = [
    "st.markdown(text)",
    "st.caption(document.text)",
    'st.button(f"{name}")',
    'st.button(f"{name:>10}")',
    "st.html(x)",
    "column.markdown(text)",
    "st.columns(2)[0].caption(text)",
    "st.sidebar.write(text)",
    "st.dataframe(frame)",
    "st.selectbox(label=text)",
    "st.text_input('a', placeholder=text)",
    "st.progress(0.5, text=text)",
    "say = st.markdown",
    "getattr(st, 'markdown')(text)",
    "from streamlit import markdown",
    "from streamlit.components.v1 import html",
    "import streamlit as other",
    "st.altair_chart(chart)",
    "st.plotly_chart(figure)",
    "figure.add_layout_image(source='url')",
    "st.column_config.LinkColumn()",
]


@pytest.mark.parametrize("line", PLANTED)
def test_the_rule_catches_what_it_should(tmp_path: Path, line: str) -> None:
    (tmp_path / "planted.py").write_text(line + "\n")
    with pytest.raises(AssertionError):
        test_no_other_way_for_text_to_reach_the_page(tmp_path / "planted.py")
    (tmp_path / "planted.py").write_text('st.caption("ours")\nst.button(f"{len(x):,} documents")\nrender.table(x)\n')
    test_no_other_way_for_text_to_reach_the_page(tmp_path / "planted.py")


def test_only_the_queries_speak_sql() -> None:
    for path in FILES:
        if "queries" not in path.parts:
            assert "SELECT " not in path.read_text(encoding="utf-8"), path


def test_components_write_text_and_never_markup() -> None:
    for path in HERE.rglob("*.js"):
        source = path.read_text(encoding="utf-8")
        for way in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function", "srcdoc",
                    "fetch(", "XMLHttpRequest", "import(", ".href", ".src"):  # fmt: skip
            assert way not in source, f"{path.name}: {way}"
    for path in HERE.rglob("*.css"):
        assert "url(" not in path.read_text(encoding="utf-8")
        assert "@import" not in path.read_text(encoding="utf-8")


def test_no_module_hides_another() -> None:
    """Streamlit puts dashboard/ first on the path of the process."""
    ours = {path.stem for path in HERE.glob("*.py")} | {path.name for path in HERE.iterdir() if path.is_dir()}
    others = set(sys.stdlib_module_names) | set(packages_distributions())
    assert not (ours - {"__init__", "__main__", "__pycache__"}) & others


def _receiver(call: ast.Call) -> str:
    value = call.func.value if isinstance(call.func, ast.Attribute) else None
    return value.id if isinstance(value, ast.Name) else ""
