from hypothesis import given
from hypothesis import strategies as st

from dashboard.database.records import PromptPart, PromptToken
from dashboard.screens.explain.prompt_parts import by_part

PARTS = [
    PromptPart(0, "system", "", 0, 4),
    PromptPart(1, "question", "", 4, 9),
    PromptPart(2, "document", "Peru", 9, 20),
]
TOKENS = [PromptToken(0, "", 0, 0)] + [PromptToken(i + 1, "x", 2 * i, 2 * i + 2) for i in range(10)]


@given(st.lists(st.floats(-10, 10), min_size=11, max_size=11))
def test_parts_add_up_to_the_prompt(values: list[float]) -> None:
    sums = by_part(PARTS, TOKENS, dict(enumerate(values)))
    assert [each.part for each in sums] == [-1, 0, 1, 2]
    assert abs(sum(each.amount for each in sums) - sum(values)) < 1e-9
    assert sums[1].amount == values[1] + values[2]
    assert sums[3].name == "Document: Peru"


def test_without_saliency_there_are_no_parts() -> None:
    assert by_part(PARTS, TOKENS, {}) == []


def test_a_stored_part_goes_before_characters() -> None:
    [_, _, found] = by_part(PARTS, [PromptToken(0, "x", 0, 2, part=2)], {0: 1.0})
    assert (found.part, found.amount) == (2, 1.0)
