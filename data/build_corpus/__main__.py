"""EDGE: writes the demo's corpus, prompts and question–answer pairs; the same packages always give the same files."""

import argparse
import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from data.build_corpus import (
    chat,
    elements,
    factbook,
    geonames,
    packages,
    passages,
    prompts,
    readings,
    targets,
    wordnet,
)
from data.build_corpus.fact import Fact

DEMO = Path(__file__).parents[1] / "demo"
DEMO_LLM = DEMO.with_name("demo-llm")
MAX_CHARS = 210  # about 60 tokens


def unique(facts: Iterable[Fact]) -> list[Fact]:
    """First of each text that fits; ordered by a hash of the text, so that no source stands in one block."""
    kept: dict[str, Fact] = {}
    for fact in facts:
        if len(fact.text) <= MAX_CHARS:
            kept.setdefault(fact.text, fact)
    return sorted(kept.values(), key=lambda fact: fact.document_id)


def write(target: Path, records: Iterable[dict[str, Any]]) -> None:
    lines = [json.dumps(record, ensure_ascii=False) + "\n" for record in records]
    target.write_text("".join(lines), encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m data.build_corpus", description=__doc__)
    parser.add_argument("--packages", type=Path, default=Path("data/demo/.packages"), help="where to download to")
    folders = packages.unpacked(parser.parse_args().packages)
    sources = {"wordnet": wordnet, "factbook": factbook, "elements": elements, "geonames": geonames}
    facts = unique(fact for name, source in sources.items() for fact in source.facts(folders[name]))
    write(DEMO / "corpus.jsonl", [asdict(fact) for fact in facts])
    write(DEMO / "prompts.jsonl", prompts.prompts(facts))
    for name in targets.SETS:
        write(DEMO / f"{name}.jsonl", targets.targets(facts, name))
    write(DEMO / "wrong-capitals.jsonl", targets.wrong(facts, "capitals"))
    write(DEMO / "chat.jsonl", [asdict(fact) for fact in chat.pairs(facts)])
    write(DEMO / "readings.jsonl", readings.learned(facts))
    write(DEMO / "chat-prompts.jsonl", [*chat.chat_prompts(facts), *readings.asked(facts)])
    write(DEMO_LLM / "passages.jsonl", passages.questions(facts))
    for (source, topic), n in sorted(Counter((fact.source, fact.topic) for fact in facts).items()):
        print(f"{source:<16} {topic:<16} {n:>6}")
    print(f"{len(facts)} documents, {sum(len(fact.text) for fact in facts):,} characters -> {DEMO}")


if __name__ == "__main__":
    main()
