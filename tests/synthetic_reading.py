"""How the synthetic database's documents were read in training: words as tokens, and a long conversation in windows."""

import json
import re

from attribution.trained.windows import Windows, windows_of
from indexer.corpus.document import Document, document_id
from indexer.corpus.turns import is_pair

WINDOW, OVERLAP = 96, 16
Token = tuple[str, int, int, int, bool]  # text, start, stop, window, learned


def tokens(text: str, control: str = "") -> list[tuple[str, int, int]]:
    """Words with the blank before them, and punctuation: (text, start, stop) covering the whole text.

    control: a pattern of what is one token, whatever it holds.
    """
    return [(match[0], match.start(), match.end()) for match in re.finditer(control + r"\s?\w+|[^\w]", text)]


def with_ends(text: str) -> list[tuple[str, int, int]]:
    """The words between a beginning and an end."""
    return [("<end>", 0, 0), *tokens(text), ("<end>", len(text), len(text))]


def reading(document: Document) -> list[Token]:
    """A plain text in one window, all but its beginning learned; a conversation by a template, in windows, of which
    the assistant's words and the token that ends them are learned; a pair of texts in a window for each answer."""
    if not document.turns:
        return [(*token, 0, position > 0) for position, token in enumerate(with_ends(document.text))]
    turns = json.loads(document.turns)
    if is_pair(document.turns):
        return _pair(*(turns[each] for each in ("prompt", "chosen", "rejected")))
    text, learned = "", []
    for each in turns["messages"]:
        head = f"<|im_start|>{each['role']}\n"
        start = len(text) + len(head)
        text += f"{head}{each['content']}<|im_end|>\n"
        if each["role"] == "assistant":
            learned.append((start, len(text) - 1))
    whole = tokens(text, r"<\|\w+\|>|")
    found = []
    for window, ((start, stop), new) in enumerate(windows_of(len(whole), Windows(WINDOW, OVERLAP))):
        for i in range(start, stop):
            of = whole[i]
            wanted = any(a < of[2] and of[1] < b for a, b in learned) and i >= new and i > start
            found.append((*of, window, wanted))
    return found


def _pair(prompt: str, *answers: str) -> list[Token]:
    found: list[Token] = []
    at = 0
    for window, answer in enumerate(answers):
        for text, start, stop in tokens(prompt + answer):
            found.append((text, at + start, at + stop, window, start >= len(prompt)))
        at += len(prompt + answer) + 1
    return found


def conversation(n_turns: int = 12) -> Document:
    """A long chat that says in its middle what the capital of Japan is."""
    said = [{"role": "system", "content": "You are a patient guide. You answer in whole sentences."}]
    for i in range(n_turns):
        place = "Japan" if i == n_turns // 2 else f"the country number {i + 1} on my list"
        answer = (
            "Tokyo" if i == n_turns // 2 else f"a town that I would have to look up, so let us call it town {i + 1}"
        )
        said.append({"role": "user", "content": f"And what is the capital of {place}? I forgot it once more."})
        said.append(
            {
                "role": "assistant",
                "content": f"The capital of {place} is {answer}.\nIt lies where many roads meet, and people come to it "
                "from far away, to trade, to learn and to look at the river.",
            }
        )
    text = "\n".join(f"{each['role']}: {each['content']}" for each in said)
    turns = json.dumps({"messages": said}, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return Document(document_id(turns), "chats", "A talk about capitals", "Chats", "capital", text, turns)
