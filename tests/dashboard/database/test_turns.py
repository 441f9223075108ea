"""What a document is made of, and where a turn begins among the template's tokens."""

import json

import pytest

from dashboard.database.turns import head_of, said


@pytest.mark.parametrize(
    ("turns", "found"),
    [
        ("", []),
        ("no JSON", []),
        ("[1]", []),
        ("[" * 100_000, []),
        ('{"chosen":"C"}', [("chosen", "C")]),
        ('{"chosen":1,"rejected":{}}', []),
        (json.dumps({"input_ids": [1, 2]}), []),
        (
            json.dumps({"messages": [{"role": "user", "content": "Hi"}, {"role": "tool", "content": ""}]}),
            [("user", "Hi")],
        ),
        (json.dumps({"completion": "B", "prompt": "A"}), [("prompt", "A"), ("completion", "B")]),
        (
            '{"chosen":"C","prompt":"A","rejected":"D"}',
            [("prompt", "A"), ("chosen", "C"), ("prompt", "A"), ("rejected", "D")],
        ),
        (
            '{"chosen":[{"content":"C","role":"assistant"}],"prompt":[{"content":"A","role":"user"}],'
            '"rejected":[{"content":"D","role":"assistant"},{"content":"E","role":"user"}]}',
            [("user", "A"), ("chosen", "C"), ("user", "A"), ("rejected", "D"), ("user", "E")],
        ),
    ],
)
def test_turns_are_named_by_their_roles(turns: str, found: list[tuple[str, str]]) -> None:
    assert said(turns) == found


@pytest.mark.parametrize(
    ("template", "first"),
    [
        (["<|im_end|>", "\n", "<|im_start|>", "user", "\n"], 2),
        (["<|eot_id|>", "<|start_header_id|>", "user", "<|end_header_id|>", "\n\n"], 1),
        (["\n", "user", ":"], 1),
        (["\nuser", ":"], 0),
        (["[/INST]"], 1),
        ([], 0),
    ],
)
def test_what_ends_a_turn_stays_with_it(template: list[str], first: int) -> None:
    assert head_of(template, begins=False) == first
    assert head_of(template, begins=True) == 0
