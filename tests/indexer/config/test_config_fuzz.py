"""Whatever stands in a configuration, it becomes settings or one clear line."""

import dataclasses

from hypothesis import given
from hypothesis import strategies as st

from attribution.errors import BadInput
from indexer.config.config import Config, read_config
from indexer.config.toml_table import Table

KEYS = [field.name for field in dataclasses.fields(Config)] + [
    "files", "licence", "name", "family", "path", "stage", "recipe", "folder", "file", "documents", "rank", "damping",
    "keep", "seed", "x", "", "__class__",
]  # fmt: skip
VALUES = st.recursive(
    st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.none(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4),
    max_leaves=12,
)
GOOD = {
    "corpus": {"files": ["c.jsonl"]},
    "model": [{"name": "m", "family": "f", "path": "p"}],
    "prompts": {"file": "p.jsonl"},
    "output": {"folder": "build"},
}


@given(st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=6), st.booleans())
def test_any_table_is_a_configuration_or_one_line(tmp_path_factory, values, begin_good):
    given_values = {**GOOD, **values} if begin_good else values
    try:
        config = Table(given_values, Config, "c.toml", tmp_path_factory.getbasetemp()).build()
    except BadInput as error:
        assert "\n" not in str(error)  # noqa: PT017
    else:
        assert all(path.is_absolute() for path in config.corpus.files)
        hash(config)


@given(st.binary(max_size=100) | st.text(alphabet='[]{}="\n.#abc1', max_size=100).map(str.encode))
def test_any_bytes_are_no_configuration_and_said_to_be_none(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("config") / "c.toml"
    path.write_bytes(content)
    try:
        read_config(path)
    except BadInput as error:
        assert "c.toml" in str(error) or str(path) in str(error)  # noqa: PT017
    else:
        raise AssertionError(f"{content!r} should not be enough of a configuration")
