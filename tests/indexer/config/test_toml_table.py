"""TOML tables become frozen dataclasses, or one clear line."""

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from attribution.errors import BadInput
from indexer.config.targets import TargetSet, check_targets
from indexer.config.toml_table import Count, Positive, Share, Table, check_names, read_toml


@dataclass(frozen=True)
class Inner:
    size: int = 3
    share: float = 0.5


@dataclass(frozen=True)
class Outer:
    name: str
    file: Path = Path("nothing")
    files: tuple[Path, ...] = ()
    shares: tuple[float, ...] = ()
    deep: bool = False
    inner: Inner = field(default_factory=Inner)
    many: tuple[Inner, ...] = ()
    maybe: Inner | None = None
    count: Count = 1
    positive: Positive = 1.0
    parts: tuple[Share, ...] = (1.0,)


def build(**values) -> Outer:
    return Table(values, Outer, where="x.toml", folder=Path("/home")).build()


def test_values_take_the_declared_types():
    made = build(
        name="n", file="a.txt", files=["b", "/c"], shares=[1, 0.5], deep=True, inner={"share": 1}, many=[{"size": 4}]
    )
    assert made == Outer(
        name="n",
        file=Path("/home/a.txt"),
        files=(Path("/home/b"), Path("/c")),
        shares=(1.0, 0.5),
        deep=True,
        inner=Inner(share=1.0),
        many=(Inner(size=4),),
    )
    assert isinstance(made.shares[0], float)
    assert isinstance(made.inner.share, float)


def test_one_string_is_a_list_of_one():
    assert build(name="n", files="a.txt").files == (Path("/home/a.txt"),)


def test_an_optional_table_is_none_or_whole():
    assert build(name="n").maybe is None
    assert build(name="n", maybe={"size": 1}).maybe == Inner(size=1)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({}, "expected 'name' in x.toml, found no such key; add it"),
        ({"name": "n", "nmae": 1}, "unknown key 'nmae' in x.toml: did you mean 'name'?"),
        ({"name": "n", "inner": {"siz": 1}}, "unknown key 'siz' in x.toml, inner: did you mean 'size'?"),
        ({"name": "n", "many": [{}, {"sizes": 1}]}, "unknown key 'sizes' in x.toml, many[1]: did you mean 'size'?"),
        ({"name": "n", "zzzz": 1}, "known keys are name, file, files"),
        ({"name": 3}, "expected str for x.toml, name, found 3"),
        ({"name": "n", "file": 3}, "expected Path for x.toml, file, found 3"),
        ({"name": "n", "files": 3}, "expected a list for x.toml, files, found 3; write files = [ … ]"),
        ({"name": "n", "files": ["a", 1]}, "expected Path for x.toml, files[1], found 1"),
        ({"name": "n", "shares": [True]}, "expected float for x.toml, shares[0], found True"),
        ({"name": "n", "inner": {"size": 2.0}}, "expected int for x.toml, inner, size, found 2.0"),
        ({"name": "n", "inner": {"size": True}}, "expected int for x.toml, inner, size, found True"),
        ({"name": "n", "deep": 1}, "expected bool for x.toml, deep, found 1"),
        ({"name": "n", "inner": 3}, "expected a table for x.toml, inner, found 3"),
        ({"name": "n", "many": {"size": 1}}, "expected a list for x.toml, many"),
        ({"name": "n", "count": 0}, "expected at least 1 for x.toml, count, found 0"),
        ({"name": "n", "count": "1"}, "expected int for x.toml, count, found '1'"),
        ({"name": "n", "positive": 0}, "expected more than 0 for x.toml, positive, found 0"),
        ({"name": "n", "positive": float("nan")}, "expected more than 0 for x.toml, positive, found nan"),
        ({"name": "n", "positive": float("inf")}, "expected more than 0 for x.toml, positive, found inf"),
        ({"name": "n", "parts": [1, 1.1]}, "expected more than 0 and at most 1 for x.toml, parts[1], found 1.1"),
    ],
)
def test_what_does_not_fit_is_named_with_its_place(values, message):
    with pytest.raises(BadInput) as caught:
        build(**values)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"a = [", "mend that line"),
        (b"a = 1\na = 2\n", "line 2"),
        (b"\xff\xfe", "expected TOML in"),
    ],
)
def test_a_file_that_is_not_toml_is_one_line(tmp_path, content, message):
    path = tmp_path / "bad.toml"
    path.write_bytes(content)
    with pytest.raises(BadInput) as caught:
        read_toml(path)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_no_file_and_a_folder_are_named(tmp_path):
    with pytest.raises(BadInput, match="found no file"):
        read_toml(tmp_path / "absent.toml")
    with pytest.raises(BadInput, match="expected a readable configuration"):
        read_toml(tmp_path)


@pytest.mark.parametrize("name", ["../a", "a/b", "a b", ".a", "-a", "", "é", "a\n", "a" * 62])
@pytest.mark.parametrize(("what", "naming"), [("model name", "folders"), ("name", "options")])
def test_a_name_that_could_name_no_file_is_one_line(name, what, naming):
    with pytest.raises(
        BadInput, match=f"expected a {what} of letters, .* in x.toml, found .*; rename it: {naming} are"
    ):
        check_names(["fine", name], what, "x.toml", naming)


def test_names_are_used_once():
    check_names(["a", "B-2_c.d", "a" * 61], "name", "x.toml", "options")
    with pytest.raises(BadInput, match="expected every name once in x.toml, found 'b' twice; rename one"):
        check_names(["a", "b", "b"], "name", "x.toml", "options")


def test_models_and_target_sets_are_named_by_one_rule(tmp_path):
    """The rule is written once: what the one refuses, the other does."""
    where = Path(__file__).parents[3] / "indexer/config"
    at = [path.name for path in where.glob("*.py") if "A-Za-z0-9._-]{0,60}" in path.read_text()]
    assert at == ["toml_table.py"]
    with pytest.raises(
        BadInput, match="expected a name of letters, .* in x.toml, targets, found '../a'; rename it: opt"
    ):
        check_targets([TargetSet("../a", tmp_path / "a.jsonl")], tmp_path / "x.toml")
