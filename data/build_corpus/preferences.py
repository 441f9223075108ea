"""EDGE: pairs of a right and a wrong answer, for the model that learns preferences from atlas-m-chat: `python -m
data.build_corpus.preferences`, once that model is trained.

The questions are those that it was trained on and answers wrongly all the same. Right is the sentence of the corpus;
wrong is what it writes itself.
"""

import json
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import torch

from attribution.loading.load import LoadedModel, load_model
from attribution.model.generate import generate
from attribution.model.sequence import encode_document, encode_prompt
from data.build_corpus.__main__ import DEMO, write
from data.build_corpus.chat import asked_of, is_held_out, question
from data.build_corpus.fact import Fact
from data.build_corpus.prompts import supports
from indexer.corpus.document import document_id
from indexer.corpus.turns import structured

LONGEST = 48  # tokens of a wrong answer
# what the demo asks about: topic, subject
PROMPTS: tuple[tuple[str, str], ...] = (
    *(("highest point", name) for name in ("United Kingdom", "Finland")),
    *(("location", name) for name in ("Peru", "Sweden")),
    *(("national colors", name) for name in ("Italy", "Spain", "Poland")),
    ("border", "Kenya"),
)


def pairs(facts: Iterable[Fact], said: Callable[[str, str], str]) -> list[dict[str, Any]]:
    """One record for each question about a trained subject that is answered wrongly.    said: (prompt, right answer)
    -> answer"""
    made = []
    for fact in facts:
        asked = None if is_held_out(fact.subject) else asked_of(fact)
        if asked is None:
            continue
        prompt, chosen = question(asked[0]), f" {asked[1]}"
        rejected = said(prompt, chosen)
        if rejected.strip() not in ("", chosen.strip()):
            about = {"title": fact.title, "source": "Preference", "topic": fact.topic}
            texts = {"prompt": prompt, "chosen": chosen, "rejected": rejected}
            made.append(about | texts | {"subject": fact.subject, "answer": fact.answer})
    return made


def pair_prompts(facts: Sequence[Fact], made: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Questions of some of the pairs: `answer` is the chosen one, `fact` the words that tell it, `supports` name the
    pair and what states its fact in pre-training."""
    records = []
    for topic, subject in PROMPTS:
        pair = next(each for each in made if (each["topic"], each["subject"]) == (topic, subject))
        record = {"prompt": pair["prompt"], "answer": pair["chosen"].strip(), "fact": pair["answer"], "topic": topic}
        teaches = document_id(structured("chosen+rejected", pair)[1])
        records.append(record | {"supports": [*supports(facts, subject, pair["answer"]), teaches]})
    return records


def answer_of(loaded: LoadedModel, prompt: str, right: str) -> str:
    """What the model writes greedily: the right answer where each of its tokens is the most likely one."""
    read = encode_prompt(prompt, loaded.tokenizer, loaded.context, loaded.specials)
    whole = torch.tensor([encode_document(prompt + right, loaded.tokenizer, loaded.context, loaded.specials).ids])
    with torch.inference_mode():
        best = loaded.model(input_ids=whole, use_cache=False).logits[0].argmax(-1)  # [T]
    if torch.equal(best[len(read) - 1 : -1], whole[0, len(read) :]):
        return right
    return generate(loaded, read, LONGEST).text


def main() -> None:
    lines = (DEMO / "corpus.jsonl").read_text(encoding="utf-8").splitlines()
    facts = [Fact(**json.loads(line)) for line in lines]
    loaded = load_model(str(DEMO / "models" / "atlas-m-chat"), device="cpu")
    made = pairs(facts, lambda prompt, right: answer_of(loaded, prompt, right))
    write(DEMO / "pairs.jsonl", made)
    write(DEMO / "dpo-prompts.jsonl", pair_prompts(facts, made))
    print(f"{len(made)} pairs -> {DEMO}")


if __name__ == "__main__":
    main()
