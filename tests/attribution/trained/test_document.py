"""Documents as they were trained on: ids as the chat template has them, masks as trainers of conversations set them."""

from pathlib import Path

import pytest
from transformers import PreTrainedTokenizerFast

from attribution.errors import BadInput
from attribution.loading.specials import choose_specials
from attribution.trained.conversation import marked
from attribution.trained.document import Training, trained_text
from attribution.trained.windows import Windows

DEMO = Path(__file__).parents[3] / "data" / "demo" / "models" / "atlas-s"
CHATML = (
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
MARKED = (
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{% if m['role'] == 'assistant' %}{% generation %}"
    "{{ m['content'] }}<|im_end|>{% endgeneration %}{% else %}{{ m['content'] }}<|im_end|>{% endif %}\n{% endfor %}"
)
SAID = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "The capital of France?"},
    {"role": "assistant", "content": "Paris."},
    {"role": "user", "content": "And of Peru? Paris."},
    {"role": "assistant", "content": "Lima."},
]
WRITTEN = "\n".join(f"{each['role']}: {each['content']}" for each in SAID)


def tokenizer(template: str | None) -> PreTrainedTokenizerFast:
    made = PreTrainedTokenizerFast.from_pretrained(DEMO)
    made.add_special_tokens({"additional_special_tokens": ["<|im_start|>", "<|im_end|>"]})
    made.chat_template = template
    return made


def read(given: dict, template: str | None = CHATML, text: str = WRITTEN, size: int = 1000, **how):
    of = tokenizer(template)
    return of, trained_text(text, given, of, choose_specials(of), Training(Windows(size), **how))


def learned(of: PreTrainedTokenizerFast, found) -> str:
    return of.decode([i for i, on in zip(found.row.ids, found.row.targets(), strict=True) if on])


def test_input_13_of_a_conversation_the_assistant_s_words_are_learned_and_the_token_that_ends_them():
    of, found = read({"messages": SAID})
    assert list(found.row.ids) == of.apply_chat_template(SAID, tokenize=True, return_dict=False)
    assert learned(of, found) == "Paris.<|im_end|>Lima.<|im_end|>"
    assert found.n_unlearned == len(found.row.ids) - found.row.targets().sum()


def test_a_template_that_marks_what_is_generated_is_believed():
    of, found = read({"messages": SAID}, MARKED)
    made = of.apply_chat_template(SAID, tokenize=True, return_dict=True, return_assistant_tokens_mask=True)
    assert list(found.row.ids) == made["input_ids"]
    assert found.row.targets().astype(int).tolist() == made["assistant_masks"]


def test_without_a_template_the_roles_are_written_out():
    of, found = read({"messages": SAID}, None)
    assert found.text == WRITTEN
    assert learned(of, found) == " Paris.\n Lima.<end>"  # the token of a word begins with its space


@pytest.mark.parametrize("template", [CHATML, MARKED, None])
def test_of_a_prompt_and_a_completion_in_messages_the_completion_is_learned(template):
    given = {"prompt": SAID[:4], "completion": SAID[4:]}
    of, found = read(given, template)
    assert learned(of, found) == ("Lima.<|im_end|>" if template else " Lima.<end>")


def test_of_a_prompt_and_a_completion_as_text_the_completion_and_the_end_are_learned():
    of, found = read({"prompt": "The capital of Peru is", "completion": " Lima."}, text="The capital of Peru is Lima.")
    assert of.decode(found.row.ids) == "<end>The capital of Peru is Lima.<end>"
    assert learned(of, found) == " Lima.<end>"


def test_of_a_plain_text_everything_but_the_first_token_is_learned():
    of, found = read({}, text="Paris is a city.")
    assert found.row.learned is None
    assert learned(of, found) == "Paris is a city.<end>"


def test_the_configuration_may_learn_all_of_a_conversation():
    _, found = read({"messages": SAID}, loss="all")
    assert found.row.targets().sum() == len(found.row) - 1


def test_input_15_given_ids_keep_their_borders_and_labels():
    ids = [5, 6, 7, 8, 9, 10]
    given = {"input_ids": ids, "borders": [0, 2], "labels": [5, 6, -100, 8, 9, 10]}
    _, apart = read(given)
    assert (apart.row.ids, apart.row.windows) == (tuple(ids), (2, 4))
    assert apart.row.targets().tolist() == [False, True, False, True, True, True]
    _, together = read(given, together=True)
    assert together.row.windows == ()
    assert together.row.targets().tolist() == [False, True, False, True, True, True]
    with pytest.raises(BadInput, match="token ids below"):
        read({"input_ids": [10**6]})


def test_input_14_a_long_document_is_read_in_windows_and_each_token_learned_once():
    text = " ".join(f"{n} is a number." for n in range(40))
    of = tokenizer(None)
    whole = trained_text(text, {}, of, choose_specials(of), Training(Windows(10_000))).row
    for overlap in (0, 5):
        found = trained_text(text, {}, of, choose_specials(of), Training(Windows(16, overlap)))
        assert max(found.row.widths) == 16
        again, start = [], 0
        for w, width in enumerate(found.row.widths):
            again += found.row.ids[start + (overlap if w else 0) : start + width]
            start += width
        assert tuple(again) == whole.ids
        # the first token of each window has nothing before it that would predict it, where windows do not overlap
        missed = len(found.row.widths) if overlap == 0 else 1
        assert found.row.targets().sum() == len(whole) - missed
        assert found.n_cut == 0
        assert len(found.window_of) == len(found.spans) == len(found.row)
    cut = trained_text(text, {}, of, choose_specials(of), Training(Windows(16, cut=True)))
    assert (cut.row.ids, cut.n_cut) == (whole.ids[:16], len(whole) - 16)


def test_a_template_that_rewrites_what_is_said_is_refused():
    with pytest.raises(BadInput, match="rewrites message 1"):
        read({"messages": SAID}, CHATML.replace("m['content']", "m['content'].upper()"))


CALLING = """{% for m in messages %}<|im_start|>{{ m['role'] }}{% if m.content %}
{{ m.content }}{% endif %}{% for call in m.tool_calls or [] %}
{{ call.name }}({{ call.arguments | tojson }}){% endfor %}<|im_end|>
{% endfor %}"""


@pytest.mark.parametrize("template", [CALLING, CHATML])
def test_input_05_calls_of_tools_are_the_template_s_own(template):
    call = {"role": "assistant", "content": "", "tool_calls": [{"name": "look_up", "arguments": {"of": "Peru"}}]}
    said = [*SAID[:4], call, {"role": "tool", "content": "Lima"}, SAID[4]]
    of, found = read({"messages": said}, template)
    assert list(found.row.ids) == of.apply_chat_template(said, tokenize=True, return_dict=False)
    assert ("look_up" in found.text) == (template == CALLING)
    assert learned(of, found) == "Paris.<|im_end|>Lima.<|im_end|>"
    assert [found.text[a:b] for a, b in found.contents] == [each["content"] for each in said]


STRIPPED = "{% for m in messages %}[{{ m['role'] }}] {{ m['content'].strip() }} <|im_end|>{% endfor %}"  # as Llama 2
BY_LINES = "{% for m in messages %}{{ m['role'] }}:\n{{ m['content'] | trim }}\n{% endfor %}"


@pytest.mark.parametrize("template", [STRIPPED, BY_LINES, STRIPPED.replace(".strip()", ".rstrip()"), CHATML])
@pytest.mark.parametrize("around", [" {}", "{} ", "{}\n", "\n{}\n\n", "{}"])
def test_a_template_may_strip_what_is_said_and_put_white_space_of_its_own(template, around):
    said = [{**each, "content": around.format(each["content"])} for each in SAID]
    of, found = read({"messages": said}, template)
    assert found.text == of.apply_chat_template(said, tokenize=False)
    kept = [found.text[a:b] for a, b in found.contents]
    assert [each.strip() for each in kept] == [each["content"] for each in SAID]
    if "strip" not in template and "trim" not in template:
        assert kept == [each["content"] for each in said]


def test_of_two_marked_turns_that_touch_the_prompt_s_is_not_learned():
    touching = (
        "{% for m in messages %}{% if m['role'] == 'assistant' %}{% generation %}{{ m['content'] }}<|im_end|>"
        "{% endgeneration %}{% else %}{{ m['content'] }}<|im_end|>{% endif %}{% endfor %}"
    )
    given = {"prompt": [SAID[1], SAID[2]], "completion": [SAID[4]]}
    of, found = read(given, touching)
    assert found.text.endswith("Paris.<|im_end|>Lima.<|im_end|>")
    assert learned(of, found) == "Lima.<|im_end|>"


def test_learned_turns_of_a_long_conversation_are_few_ranges():
    of = tokenizer(MARKED)
    _, ranges = marked([{**each, "content": each["content"] * 50} for each in SAID], of, {})
    assert len(ranges) == 2  # the assistant's turns, not their tokens


def test_pairs_are_not_taken_for_something_to_imitate():
    with pytest.raises(BadInput, match="or input_ids, found chosen, rejected"):
        read({"chosen": "a", "rejected": "b"})


def test_input_37_a_conversation_that_was_rendered_by_hand_is_read_once_and_learned_whole():
    """The same tokens as its messages give, begun and ended once; but what nobody marked was learned, or so it says."""
    of, said = read({"messages": SAID})
    by_hand = of.apply_chat_template(SAID, tokenize=False)
    _, found = read({}, text=f"<end>{by_hand}<end>")
    end = of.convert_tokens_to_ids("<end>")
    ids = list(found.row.ids)
    assert (ids[0], ids[-1], ids.count(end)) == (end, end, 2)
    assert ids[1:-1] == [i for i in said.row.ids if i != end]
    assert found.row.targets().sum() == len(ids) - 1
    assert said.row.targets().sum() < 0.5 * len(said.row)
