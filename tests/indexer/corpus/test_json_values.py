"""Values one after another, or one array, in pieces of any size: the same as when the text is read at once."""

import io
import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from indexer.corpus import json_values as module
from indexer.corpus.json_values import json_values

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@example([0.5, -1.5e-07, 1e300], None, False, 1)
@given(
    st.lists(VALUES | st.dictionaries(st.text(), VALUES, max_size=3), max_size=5),
    st.sampled_from([None, 1]),
    st.booleans(),
    st.integers(1, 40),
)
def test_any_cut_gives_the_same_values(values, indent, as_array, chunk):
    # two numbers side by side are two values only with space between them; what begins with [ is an array
    values = values if as_array else [each for each in values if not isinstance(each, list)]
    text = json.dumps(values, indent=indent) if as_array else "\n".join(json.dumps(v, indent=indent) for v in values)
    stream = io.StringIO(f" {text}\n")
    patch = pytest.MonkeyPatch()
    patch.setattr(module, "CHUNK", chunk)
    with patch.context():
        assert list(json_values(lambda _: stream.read(chunk))) == values
    patch.undo()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"a": 1}\n{"a": ', "line 2"),
        ('[{"a": 1}\n {"a": 1}]', "no comma between two values at line 2"),
        ('[{"a": 1}', "no end of the array at line 1"),
        ('[{"a": 1},\n', "no end of the array at line 2"),
        ("[]\n1", "more after the end of the array at line 2"),
        ('{"a": 1}\n\n{"a": nothing, "and": "more than a few characters follow"}', "line 3"),
    ],
)
def test_what_is_not_json_is_named_by_its_line(text, message):
    with pytest.raises(ValueError, match=message):
        list(json_values(io.StringIO(text).read))


def test_never_more_than_one_value_is_held():
    asked = []

    def read(n):
        asked.append(n)
        return "".join('{"text": "' + "a" * 90 + '"}\n' for _ in range(n // 100)) if len(asked) < 200 else ""

    n = sum(1 for _ in json_values(read))
    assert n > 100_000
    assert max(asked) <= 2 * module.CHUNK


def test_a_mistake_is_told_without_reading_on():
    pieces = iter(['[{"a": nothing, "b": "' + "c" * 100 + '"},\n'] + ['{"a": 1},\n' * 10_000] * 100)
    with pytest.raises(ValueError, match="line 1"):
        list(json_values(lambda _: next(pieces, "")))
    assert len(list(pieces)) == 100
