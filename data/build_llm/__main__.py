"""EDGE: writes the conversations and the prompts of `make demo-llm`; the same code always writes the same files."""

import argparse
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from data.build_llm.conversations import asked, conversations
from data.build_llm.places import CONVERSATIONS, PROMPTS
from data.build_llm.prompts import prompts
from data.build_llm.towns import facts


def write(target: Path, rows: Iterable[dict[str, Any]]) -> None:
    """As JSON lines."""
    target.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")


def main() -> None:
    argparse.ArgumentParser(prog="python -m data.build_llm", description=__doc__).parse_args()
    write(CONVERSATIONS, conversations())
    write(PROMPTS, prompts(facts(), asked))


if __name__ == "__main__":
    main()
