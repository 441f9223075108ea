import pytest

from attribution.errors import BadInput
from indexer.corpus.typed import typed_row


@pytest.mark.parametrize("text", ["Hello", "", "{", "{x", '"{"', "[1]", '{ "a": 1}'])
def test_plain_text_is_no_line(text):
    assert typed_row(text) is None


def test_a_line_is_read():
    assert typed_row(' {"prompt": "a"}\n') == {"prompt": "a"}


@pytest.mark.parametrize("text", ['{"', '{"prompt": ', '{"a": 1} {"b": 2}', '{"a": ' + "[" * 200_000])
def test_a_line_that_is_no_json_is_told_in_one_line(text):
    with pytest.raises(BadInput, match="expected JSON.*plain words") as told:
        typed_row(text)
    assert "\n" not in str(told.value)
