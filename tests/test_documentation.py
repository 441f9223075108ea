"""The documentation names every command, key, table and public function, and what it shows as an example works."""

import argparse
import contextlib
import dataclasses
import io
import re
import shlex
import tomllib
from pathlib import Path

import duckdb
import pytest

from docs.generate.__main__ import kept_pages, sources
from docs.generate.api import pages, room
from docs.generate.commands import commands, make_targets
from docs.generate.configuration import tables_of
from docs.generate.site import OTHERS
from indexer.config.config import Config
from indexer.config.toml_table import Table
from indexer.database.statements import create_summaries, create_tables, create_views
from tests.synthetic_database import build_synthetic

ROOT = Path(__file__).parents[1]
DOCS = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "docs").glob("*.md"))
EVERYWHERE = ["README.md", *(name for name in OTHERS if name.endswith(".md")), *DOCS]
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", flags=re.MULTILINE | re.DOTALL)


def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def sections(name: str, level: str) -> dict[str, str]:
    """Heading, without its code marks -> what stands below it."""
    parts = re.split(rf"^{level} (.*)$", text(name), flags=re.MULTILINE)
    return {head.replace("`", ""): body for head, body in zip(parts[1::2], parts[2::2], strict=True)}


@pytest.mark.parametrize("name", kept_pages())
def test_a_generated_page_is_what_the_code_says_today(name):
    assert text(name) == kept_pages()[name], f"{name} is out of date; run `python -m docs.generate`"


@pytest.mark.parametrize("name", commands())
def test_every_command_and_its_options_are_documented(name):
    said = sections("docs/commands.md", "##")[f"whence {name}"]
    of = commands()[name]
    options = [option for action in of._actions for option in action.option_strings if option not in ("-h", "--help")]
    assert [option for option in options if not re.search(rf"^\| `{option}\b", said, flags=re.MULTILINE)] == []
    assert " ".join(of.description.split())[:40] in " ".join(said.replace("\\", "").split())


def test_no_command_is_documented_that_is_not_there():
    told = {head.removeprefix("whence ") for head in sections("docs/commands.md", "##") if head.startswith("whence ")}
    assert told == set(commands())


def test_every_target_is_documented_and_helped():
    phony = re.search(r"^\.PHONY: (.*)$", MAKEFILE, flags=re.MULTILINE)
    assert phony is not None
    assert set(phony[1].split()) == set(make_targets(MAKEFILE))
    said = sections("docs/commands.md", "##")["Targets of the Makefile"]
    assert [name for name in make_targets(MAKEFILE) if f"| `make {name}` |" not in said] == []


@pytest.mark.parametrize(("heading", "cls"), list(tables_of(Config)))
def test_every_key_is_documented_with_its_default(heading, cls):
    said = sections("docs/configuration.md", "##")[heading]
    told = dict(re.findall(r"^\| `(\w+)` \| [^|]* \| ([^|]*) \|", said, flags=re.MULTILINE))
    tables = {name.strip("[]").rpartition(".")[2] for name, _ in tables_of(Config)}
    assert set(told) == {field.name for field in dataclasses.fields(cls)} - tables | {"prompts"} & set(told)
    for field in dataclasses.fields(cls):
        default = told.get(field.name)
        if default not in (None, "required", "none"):
            value = tomllib.loads(f"value = {default.strip('`')}")["value"]
            assert (tuple(value) if isinstance(value, list) else value) == field.default


def test_every_table_and_column_is_documented():
    with duckdb.connect() as db:
        create_tables(db)
        columns = db.execute(
            "SELECT table_name, column_name, data_type FROM duckdb_columns() WHERE NOT internal"
        ).fetchall()
        create_summaries(db)
        create_views(db)
        named = db.execute("SELECT table_name FROM duckdb_columns() WHERE NOT internal").fetchall()
    said = sections("docs/database.md", "###")
    assert {name for (name,) in named} == set(said)
    assert [row for row in columns if f"| `{row[1]}` | {row[2]} |" not in said[row[0]]] == []


def test_every_public_name_is_documented():
    made = pages(sources())
    for module, source in sources().items():
        for name in re.findall(r"^(?:def|class) ([A-Za-z]\w*)", source, flags=re.MULTILINE):
            _, there, below = made[room(module)].partition(f"\n## {module}\n")
            assert there and f"\n### {name}\n" in below.partition("\n## ")[0], (module, name)


def places(nav: list | dict | str) -> list[str]:
    if isinstance(nav, str):
        return [nav]
    return [place for each in (nav if isinstance(nav, list) else nav.values()) for place in places(each)]


def test_every_page_is_in_the_navigation_once():
    nav = places(tomllib.loads(text("zensical.toml"))["project"]["nav"])
    others = [f"repository/{name.removesuffix('.md').replace('/', '-').lower()}.md" for name in OTHERS]
    own = [name.removeprefix("docs/") for name in DOCS]
    assert sorted(nav) == sorted([*own, *others, *(f"api/{name}.md" for name in pages(sources()))])


def examples(language: str, *names: str) -> list[str]:
    return [body for name in names for tongue, body in FENCE.findall(text(name)) if tongue == language]


@pytest.mark.parametrize(
    ("name", "model"), [("README.md", "small"), ("docs/your-data.md", "small"), ("docs/your-lora.md", "facts")]
)
def test_the_configuration_that_is_shown_is_one(name, model):
    config = Table(tomllib.loads(examples("toml", name)[0]), Config, where=name, folder=ROOT).build()
    assert [each.name for each in config.model] == [model]


def test_the_query_that_is_shown_is_answered(tmp_path):
    [query] = [body for body in examples("sql", "docs/database.md") if "rank <= 3" in body]
    with duckdb.connect(str(build_synthetic(tmp_path)), read_only=True) as db:
        rows = db.execute(query).fetchall()
        [(tokens,)] = db.execute("SELECT count(*) FROM generation_token").fetchall()
    assert len(rows) == 3 * tokens


def shown_commands() -> list[tuple[str, str]]:
    """(page, line) of every line of a block of code that gives a command; CHANGELOG tells of old ones."""
    found = []
    for name in EVERYWHERE:
        if name not in ("CHANGELOG.md", "docs/commands.md"):
            lines = [
                line for language in ("", "bash") for body in examples(language, name) for line in body.splitlines()
            ]
            found += [(name, line) for line in lines if re.match(r"(\.venv/bin/)?(whence|python -m \w+) ", line)]
    return found


@pytest.mark.parametrize(("name", "line"), shown_commands())
def test_the_commands_that_are_shown_are_ones(name, line):
    words = shlex.split(re.sub(r"^(\.venv/bin/)?(python -m (indexer|dashboard)|whence) ?", r"\3 ", line).strip())
    if words[0] == "python":  # another module of ours
        module = words[2].replace(".", "/")
        assert (ROOT / f"{module}.py").is_file() or (ROOT / module / "__main__.py").is_file()
        return
    if words[0] == "dashboard":
        words[0] = "serve"
    elif words[0] == "indexer":
        words.pop(0)
    with contextlib.redirect_stderr(io.StringIO()) as said:
        try:
            _parser(words[0]).parse_args(words[1:])
        except SystemExit:
            pytest.fail(f"{name}: {line}: {said.getvalue()}")


def _parser(name: str) -> argparse.ArgumentParser:
    assert name in commands(), name
    return commands()[name]


def anchors(name: str) -> set[str]:
    """What headings of a page are called in addresses."""
    heads = re.findall(r"^#+ (.*)$", FENCE.sub("", text(name)), flags=re.MULTILINE)
    return {re.sub(r"[\s]+", "-", re.sub(r"[^\w\s-]", "", head.lower()).strip()) for head in heads}


@pytest.mark.parametrize("name", EVERYWHERE)
def test_links_lead_to_files_and_headings_that_are_there(name):
    body = FENCE.sub("", re.sub(r"<!--.*?-->", "", text(name), flags=re.DOTALL))
    made = {f"docs/api/{page}.md" for page in pages(sources())}  # in the site only
    for link, anchor in re.findall(r"\]\(([^)#\s]*)#?([^)\s]*)\)", body):
        if link.startswith("http"):
            continue
        target = ((ROOT / name).parent / link).resolve() if link else ROOT / name
        assert target.exists() or target.relative_to(ROOT).as_posix() in made, (name, link)
        if anchor and target.suffix == ".md":
            assert anchor in anchors(target.relative_to(ROOT).as_posix()), (name, link, anchor)
