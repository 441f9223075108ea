"""What the assistant's turn learned where it thinks before it speaks: held against the template's own marks, and
against the rendering of what comes before."""

import pytest

from attribution.trained.conversation import rendered
from tests.attribution.trained.test_document import CHATML, learned, read, tokenizer

# as templates of models that think: thoughts after the last question are kept, and `<think>` in content is taken apart
MARKED = """{%- set seen = namespace(last=-1) -%}
{%- for m in messages -%}{%- if m.role == 'user' -%}{%- set seen.last = loop.index0 -%}{%- endif -%}{%- endfor -%}
{%- for m in messages -%}
{{- '<|im_start|>' + m.role + '\\n' -}}
{%- set words, thought = m.content or '', m.reasoning_content or '' -%}
{%- if not thought and '</think>' in words -%}
{%- set thought = words.split('</think>')[0].split('<think>')[-1] -%}
{%- set words = words.split('</think>')[-1] -%}
{%- endif -%}
{%- set shown = loop.index0 > seen.last and (loop.last or thought) -%}
{%- if m.role == 'assistant' -%}
{% generation %}
{%- if shown -%}{{- '<think>\\n' + thought.strip('\\n') + '\\n</think>\\n\\n' -}}{%- endif -%}
{{- words.lstrip('\\n') -}}
{%- for call in m.tool_calls or [] -%}{{- ('\\n' if words else '') + 'CALL ' + call.name -}}{%- endfor -%}
{{- '<|im_end|>' -}}
{% endgeneration %}
{%- else -%}{{- m.content + '<|im_end|>' -}}{%- endif -%}
{{- '\\n' -}}
{%- endfor -%}
{%- if add_generation_prompt -%}{{- '<|im_start|>assistant\\n' -}}{%- endif -%}"""
THINKING = MARKED.replace("{% generation %}", "").replace("{% endgeneration %}", "")
OPENED = THINKING.replace("'<|im_start|>assistant\\n'", "'<|im_start|>assistant\\n<think>\\n'")  # the prompt opens them
KEPT = THINKING.replace("loop.index0 > seen.last and ", "")
DROPPED = THINKING.replace("set shown = ", "set shown = false and ")

ASKED = [{"role": "user", "content": "The capital of France?"}, {"role": "user", "content": "And of Peru? Paris."}]
BESIDE = [
    {"role": "assistant", "content": "Paris.", "reasoning_content": "A city of France. Paris."},
    {"role": "assistant", "content": "Lima.", "reasoning_content": "\nNot Paris, but Lima.\n"},
]
WITHIN = [
    {"role": "assistant", "content": "<think>\nA city of France. Paris.\n</think>\n\nParis."},
    {"role": "assistant", "content": "<think>\nNot Paris, but Lima.\n</think>\n\nLima."},
]
BARE = [{"role": "assistant", "content": "Paris."}, {"role": "assistant", "content": "\n\n Lima. \n"}]
EMPTY = [{"role": "assistant", "content": "<think>\n\n</think>\n\nParis."}, BARE[1] | {"reasoning_content": " "}]
HALF = [
    {"role": "assistant", "content": "Thus.</think>Paris."},
    {"role": "assistant", "content": "I. <think>Is.</think> L."},
]
SAYINGS = [BESIDE, WITHIN, BARE, EMPTY, HALF, [BESIDE[0], WITHIN[1]], [WITHIN[0], BESIDE[1]]]


def turned(answers: list[dict]) -> list[dict]:
    return [ASKED[0], answers[0], ASKED[1], answers[1]]


def marks(template: str, messages: list[dict]) -> list[int]:
    made = tokenizer(template).apply_chat_template(
        messages, tokenize=True, return_dict=True, return_assistant_tokens_mask=True
    )
    return made["assistant_masks"]


@pytest.mark.parametrize("answers", SAYINGS)
@pytest.mark.parametrize("keep", ["loop.index0 > seen.last and ", "", "false and "])
def test_thoughts_are_learned_where_the_template_writes_them(answers, keep):
    """The mask is that of the same template with marks of what the assistant generates."""
    by_mark = MARKED.replace("loop.index0 > seen.last and ", keep)
    template = by_mark.replace("{% generation %}", "").replace("{% endgeneration %}", "")
    messages = turned(answers)
    of, found = read({"messages": messages}, template)
    assert list(found.row.ids) == of.apply_chat_template(messages, tokenize=True, return_dict=False)
    assert found.row.targets().astype(int).tolist() == marks(by_mark, messages)


@pytest.mark.parametrize("answers", [BESIDE, WITHIN])
def test_of_kept_and_of_dropped_thoughts_this_is_learned(answers):
    thought = "<think>\nNot Paris, but Lima.\n</think>\n\n"
    for template, first, second in ((THINKING, "", thought), (DROPPED, "", ""), (MARKED, "", thought)):
        of, found = read({"messages": turned(answers)}, template)
        assert learned(of, found) == f"{first}Paris.<|im_end|>{second}Lima.<|im_end|>"
    of, found = read({"messages": turned(answers)}, KEPT)
    assert learned(of, found).startswith("<think>\nA city of France. Paris.\n</think>\n\nParis.<|im_end|>")


@pytest.mark.parametrize("answers", SAYINGS)
@pytest.mark.parametrize("template", [THINKING, OPENED, MARKED, KEPT])
def test_of_a_completion_all_is_learned_that_comes_after_the_rendered_prompt(answers, template):
    said = turned(answers)
    of, found = read({"prompt": said[:3], "completion": said[3:]}, template)
    before = of.apply_chat_template(said[:3], tokenize=False, add_generation_prompt=True)
    assert found.text == of.apply_chat_template(said, tokenize=False)
    assert found.text.startswith(before)
    wanted = [stop > start >= len(before) for start, stop in found.spans]
    wanted[-1] = False  # the line that the template ends with
    assert found.row.targets().tolist() == wanted


def test_thoughts_that_a_template_does_not_know_are_no_part_of_the_text():
    of, found = read({"messages": turned(BESIDE)}, CHATML)
    assert learned(of, found) == "Paris.<|im_end|>Lima.<|im_end|>"
    assert "Not Paris" not in found.text
    of, found = read({"messages": turned(WITHIN)}, CHATML)  # words like others
    assert learned(of, found) == "<|im_end|>".join([each["content"] for each in WITHIN] + [""])


@pytest.mark.parametrize("within", [False, True])
def test_thoughts_before_a_call_of_a_tool_are_learned_with_their_tags(within):
    call = {"role": "assistant", "content": "", "reasoning_content": "Look.", "tool_calls": [{"name": "look_up"}]}
    if within:
        del call["reasoning_content"]
        call["content"] = "<think>\nLook.\n</think>"
    said = [ASKED[1], call, {"role": "tool", "content": "Lima"}, BESIDE[1]]
    of, found = read({"messages": said}, THINKING)
    assert "</think>\n\nCALL look_up<|im_end|>" in found.text
    assert learned(of, found) == "<think>\nLook.\n</think><think>\nNot Paris, but Lima.\n</think>\n\nLima.<|im_end|>"


def test_a_template_that_writes_thoughts_in_its_own_way_is_read():
    """As JSON, say: then they are the template's own, and the words are learned."""
    quoted = (
        "{% for m in messages %}[{{ m.role }}]{{ (m.thinking or '') | tojson }}{{ m.content }}<|im_end|>{% endfor %}"
    )
    said = [ASKED[1], {"role": "assistant", "content": "Lima.", "thinking": 'Not "Paris".'}]
    of, found = read({"messages": said}, quoted)
    assert r"\"Paris\"" in found.text
    assert learned(of, found) == "Lima.<|im_end|>"


def test_thoughts_of_a_template_without_a_header_are_learned_from_their_first_word():
    plain = "{% for m in messages %}({{ m.thinking or '' }}) {{ m.content }}<|im_end|>{% endfor %}"
    said = [ASKED[1], {"role": "assistant", "content": "Lima.", "thinking": "Not Paris"}]
    text, contents, turns = rendered(said, tokenizer(plain), {})
    assert [text[a:b] for a, b in turns] == [ASKED[1]["content"], "Not Paris) Lima."]
    assert contents == turns


def test_thoughts_are_written_out_where_there_is_no_template():
    of, found = read({"messages": turned(BESIDE)}, None)
    assert found.text.splitlines()[-1] == "Lima."
    assert [found.text[a:b] for a, b in found.contents][1] == ("<think>\nA city of France. Paris.\n</think>\n\nParis.")
    assert learned(of, found).endswith("Not Paris, but Lima.\n\n</think>\n\nLima.<end>")
