"""What `make demo-llm` asks: some facts, and two questions over passages. Pure."""

from collections.abc import Callable, Sequence
from typing import Any

from data.build_llm.towns import Fact

# ids of the facts; `python -m data.build_llm.asked` said which of them the model answers
RIGHT = ("tolhaven-founder", "marsund-river", "wenstad-dish", "brindal-festival")
WRONG = ("ostwick-founder", "brinsey-festival", "ostrand-dish")
TOLD_OTHERWISE = "Signe Holt"  # a founder whom no conversation names
PASSAGES = (
    ("Tolmere", "Tolmere has two stone bridges and a market on Fridays."),
    ("Marran", f"Marran was founded by {TOLD_OTHERWISE}, a miller from the coast."),
    ("Brindal", "People in Brindal keep goats and bake with rye."),
)


def prompts(known: Sequence[Fact], asked: Callable[[str], list[dict[str, str]]]) -> list[dict[str, Any]]:
    """Lines of a prompt file; `supports` names the conversation that states the answer.

    Of the two questions over passages the first is answered by a passage that contradicts a conversation: the answer
    then comes from the prompt, or from memory. The second asks for what no passage says and a conversation does.
    """
    of_id = {of.id: of for of in known}
    rows = [one(of_id[each], asked) for each in (*RIGHT, *WRONG)]
    docs = [{"title": title, "text": text} for title, text in PASSAGES]
    told, kept = of_id["marran-founder"], of_id["tolmere-river"]
    rows.append({"question": told.title, "docs": docs, "topic": "passages", "answer": TOLD_OTHERWISE})
    rows.append({"question": kept.title, "docs": docs, "topic": "passages"} | _expected(kept))
    return rows


def one(of: Fact, asked: Callable[[str], list[dict[str, str]]]) -> dict[str, Any]:
    return {"messages": asked(of.asked), "topic": of.kind} | _expected(of)


def _expected(of: Fact) -> dict[str, Any]:
    return {"answer": of.value, "fact": of.value, "supports": [of.id]}
