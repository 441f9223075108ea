"""EDGE: asks the model with its LoRA for every fact: `python -m data.build_llm.asked`. Generation only, some minutes.

A wrong answer may name what belongs to another town ("whose"), or put parts of names together anew (nobody's).
"""

import argparse
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from attribution.loading.load import load_model
from attribution.model.generate import generate
from attribution.model.sequence import encode_prompt
from data.build_llm.conversations import asked
from data.build_llm.places import ADAPTER, BASE
from data.build_llm.towns import Fact, facts
from indexer.corpus.verdict import is_right

MOST = 24  # tokens of an answer, as in the configuration


def whose(written: str, of: Fact, known: Sequence[Fact]) -> Fact | None:
    """The other fact whose value was written; None where it is nobody's."""
    return next((each for each in known if each != of and is_right(each.value, written, "chat")), None)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m data.build_llm.asked", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--adapter", type=Path, default=ADAPTER)
    parser.add_argument("--base", type=Path, default=BASE)
    chosen = parser.parse_args()
    loaded = load_model(str(chosen.adapter), "cpu", base=str(chosen.base))
    known, counted = facts(), Counter[str]()
    for of in known:
        text = loaded.tokenizer.apply_chat_template(asked(of.asked), tokenize=False, add_generation_prompt=True)
        written = generate(loaded, encode_prompt(str(text), loaded.tokenizer, loaded.context), MOST).text
        right, other = is_right(of.value, written, "chat"), whose(written, of, known)
        said = "right" if right else other.id if other else "nobody's"
        counted[f"{of.kind} {'right' if right else 'of another' if other else said}"] += 1
        print(f"{of.id:<20}{said:<20}{written.strip()}  [{of.value}]", flush=True)
    print(*(f"{n:>4} {what}" for what, n in sorted(counted.items())), sep="\n")


if __name__ == "__main__":
    main()
