"""Links of a page in the repository lead to the same page in the site."""

from docs.generate.site import mended, places_of, stage
from tests.test_documentation import ROOT

PLACES = {
    "docs/index.md": "index.md",
    "docs/a.png": "a.png",
    "docs/method.md": "method.md",
    "data/README.md": "repository/data-readme.md",
}


def test_between_pages_of_the_documentation_nothing_changes():
    text = "[a](method.md#b) ![p](a.png) [web](https://example.org/x.md) [here](#there)"
    assert mended(text, "docs/index.md", PLACES) == text


def test_out_of_it_and_back():
    assert mended("[d](../data/README.md#x)", "docs/index.md", PLACES) == "[d](repository/data-readme.md#x)"
    assert mended("[m](../docs/method.md)", "data/README.md", PLACES) == "[m](../method.md)"


def test_what_has_no_page_keeps_its_words():
    assert mended("see [`code`](../indexer/x.py), and", "docs/index.md", PLACES) == "see `code`, and"


def test_code_is_left_alone():
    text = "```toml\n[a](b.py)\n```"
    assert mended(text, "docs/index.md", PLACES) == text


def test_every_page_is_there_and_old_ones_are_gone(tmp_path):
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "old.md").write_text("old")
    stage(ROOT, {"api/one.md": "# one"}, tmp_path / "site")
    made = {path.relative_to(tmp_path / "site").as_posix() for path in (tmp_path / "site").rglob("*") if path.is_file()}
    assert made == {*places_of(ROOT).values(), "api/one.md", "mark.svg"}
