"""README names every command and every target, and what it shows as an example works."""

import argparse
import re
import tomllib
from dataclasses import fields
from pathlib import Path

import duckdb
import pytest

from dashboard.__main__ import _parser as dashboard_parser
from indexer.__main__ import parser
from indexer.config.config import Config, Device, Factors, Prompts, Scores
from indexer.config.toml_table import Table
from tests.synthetic_database import build_synthetic

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")


def commands() -> dict[str, argparse.ArgumentParser]:
    [sub] = [action for action in parser()._actions if isinstance(action, argparse._SubParsersAction)]
    return dict(sub.choices)


def options(of: argparse.ArgumentParser) -> list[str]:
    return [option for action in of._actions for option in action.option_strings if option not in ("-h", "--help")]


@pytest.mark.parametrize("name", commands())
def test_every_command_and_its_options_are_documented(name):
    rows = [line for line in README.splitlines() if line.startswith(f"| `python -m indexer {name} ")]
    assert len(rows) == 1, f"name `python -m indexer {name}` in one row of README's table of commands"
    assert [option for option in options(commands()[name]) if option not in rows[0]] == []


def test_no_command_is_documented_that_is_not_there():
    assert set(re.findall(r"^\| `python -m indexer (\w+)", README, flags=re.MULTILINE)) == set(commands())


def test_the_options_of_the_dashboard_are_documented():
    [row] = [line for line in README.splitlines() if line.startswith("| `python -m dashboard ")]
    assert [option for option in options(dashboard_parser()) if option not in row] == []


def targets() -> dict[str, str]:
    return dict(re.findall(r"^([a-z-]+):.*## *(.*)$", MAKEFILE, flags=re.MULTILINE))


def test_every_target_is_documented_and_helped():
    phony = re.search(r"^\.PHONY: (.*)$", MAKEFILE, flags=re.MULTILINE)
    assert phony is not None
    assert set(phony[1].split()) == set(targets())
    assert [name for name in targets() if f"| `make {name}` |" not in README] == []


def example(language: str) -> str:
    found = re.search(rf"```{language}\n(.*?)```", README, flags=re.DOTALL)
    assert found is not None
    return found[1]


def test_the_configuration_that_is_shown_is_one():
    config = Table(tomllib.loads(example("toml")), Config, where="README.md", folder=ROOT).build()
    assert [model.name for model in config.model] == ["small"]


@pytest.mark.parametrize(("section", "cls"), [("factors", Factors), ("scores", Scores), ("device", Device)])
def test_the_defaults_that_are_told_are_the_defaults(section, cls):
    told = re.findall(rf"^\| `\[{section}\] (\w+)` \| ([\d.]+|true|false) \|", README, flags=re.MULTILINE)
    assert told
    for key, value in told:
        assert getattr(cls(), key) == {"true": True, "false": False}.get(
            value, value if value.isalpha() else float(value)
        )


@pytest.mark.parametrize(
    ("section", "cls"), [("prompts", Prompts), ("factors", Factors), ("scores", Scores), ("device", Device)]
)
def test_every_key_is_explained(section, cls):
    rows = [line for line in README.splitlines() if line.startswith(f"| `[{section}] ")]
    told = {key for row in rows for key in re.findall(r"`(?:\[\w+\] )?(\w+)`", row.split("|")[1])}
    assert told == {field.name for field in fields(cls)}


def test_the_query_that_is_shown_is_answered(tmp_path):
    with duckdb.connect(str(build_synthetic(tmp_path)), read_only=True) as db:
        rows = db.execute(example("sql")).fetchall()
        [(tokens,)] = db.execute("SELECT count(*) FROM generation_token").fetchall()
    assert len(rows) == 3 * tokens


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md", "data/README.md"])
def test_links_lead_to_files_that_are_there(name):
    text = re.sub(r"<!--.*?-->", "", (ROOT / name).read_text(encoding="utf-8"), flags=re.DOTALL)
    links = [link for link in re.findall(r"\]\(([^)#]+)", text) if not link.startswith("http")]
    assert [link for link in links if not ((ROOT / name).parent / link).exists()] == []
