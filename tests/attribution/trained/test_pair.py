"""Preference pairs as trainers of preferences read them: both answers after the prompt, the prompt read only."""

import pytest

from attribution.loading.specials import choose_specials
from attribution.trained.document import Training
from attribution.trained.pair import trained_pair
from attribution.trained.windows import Windows
from tests.attribution.trained.test_document import CHATML, MARKED, SAID, learned, tokenizer


def read(given: dict, template: str | None = CHATML, size: int = 1000, **how):
    of = tokenizer(template)
    return of, trained_pair(given, of, choose_specials(of), Training(Windows(size), **how))


PAIR = {"prompt": SAID[:4], "chosen": SAID[4:], "rejected": [{"role": "assistant", "content": "Quito."}]}


@pytest.mark.parametrize("template", [CHATML, MARKED])
def test_both_answers_are_rendered_after_the_prompt_by_the_chat_template(template):
    of, found = read(PAIR, template)
    whole = [[*SAID[:4], *PAIR[side]] for side in ("chosen", "rejected")]
    ids = [of.apply_chat_template(each, tokenize=True, return_dict=False) for each in whole]
    assert list(found.row.ids) == [*ids[0], *ids[1]]
    assert found.row.windows == (len(ids[0]), len(ids[1]))
    assert learned(of, found) == "Lima.<|im_end|>Quito.<|im_end|>"
    assert found.window_of == (0,) * len(ids[0]) + (1,) * len(ids[1])


@pytest.mark.parametrize("loss", ["auto", "all", "assistant"])
def test_texts_are_joined_to_their_prompt_and_what_both_begin_with_cancels(loss):
    given = {"prompt": "The capital of Peru is", "chosen": " Lima, by the sea.", "rejected": " Lima, in the sky."}
    of, found = read(given, loss=loss)
    chosen, rejected = found.row.rows()
    assert of.decode(chosen.ids) == "<end>The capital of Peru is Lima, by the sea.<end>"
    assert of.decode(rejected.ids) == "<end>The capital of Peru is Lima, in the sky.<end>"
    assert learned(of, found) == " by the sea.<end> in the sky.<end>"
    spans = [found.text[a:b] for a, b in found.spans]
    assert "".join(spans) == found.text.replace("\n", "")


def test_without_a_prompt_the_answers_tell_where_they_part():
    of, found = read({"chosen": "Q: Peru? A: Lima", "rejected": "Q: Peru? A: Quito"})
    assert learned(of, found) == " Lima<end> Quito<end>"
    assert not found.row.targets()[0]


def test_roles_are_written_out_without_a_template():
    of, found = read(PAIR, None)
    assert learned(of, found) == " Lima.<end> Quito.<end>"
    assert found.text.startswith("system: Be brief.\nuser:")


def test_an_answer_that_is_too_long_is_cut_and_counted():
    given = {"prompt": "one", "chosen": " two three four", "rejected": " five"}
    _, whole = read(given)
    _, found = read(given, size=3)
    assert found.row.windows == (3, 3)
    assert found.n_cut == len(whole.row) - 6
    assert found.row.targets().tolist() == [False, False, True, False, False, True]


def test_two_equal_answers_have_nothing_to_learn():
    _, found = read({"prompt": "one", "chosen": " two", "rejected": " two"})
    assert not found.row.targets().any()
