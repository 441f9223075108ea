"""One name for each method, and databases in which two methods had one."""

import pytest

from attribution.prompt.context.method_names import CITING, SHAPLEY, measured_name
from attribution.prompt.saliency.method import methods

OF_TOKENS = {("shapley", metric) for metric in ("comprehensiveness", "sufficiency", "completeness_gap")}


def test_no_method_of_documents_is_called_as_one_of_tokens():
    assert not set(CITING) & set(methods())
    assert not {each.label for each in CITING.values()} & {each.label for each in methods().values()}


@pytest.mark.parametrize(
    ("measured", "expected"),
    [
        ({("shapley", "top_drop")}, SHAPLEY),  # documents alone, as most databases of before have it
        ({("shapley", "top_drop"), *OF_TOKENS}, SHAPLEY),  # both: that of documents was written over the other
        ({("shapley", "top_drop"), ("shapley", "prediction"), *OF_TOKENS}, "shapley"),  # more than eight documents
        ({("shapley", "top_drop"), (SHAPLEY, "top_drop"), *OF_TOKENS}, "shapley"),  # of today
    ],
)
def test_what_was_stored_before_is_told_apart(measured, expected):
    assert measured_name("shapley", "top_drop", measured) == expected
    for method, metric in measured - {("shapley", "top_drop")}:
        assert measured_name(method, metric, measured) == method
