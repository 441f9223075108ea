"""A stand-in for the worker's function: an answer in pieces, without a model."""

import re
import time
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from attribution.prompt.text.sentences import document_sentences
from indexer.corpus.prompt_file import prompt_from_row
from tests.synthetic_what_if import what_if_result


def run(request: dict[str, Any], report: Callable[..., None], cancelled: Callable[[], bool]) -> dict[str, Any]:
    if request.get("kind") == "what_if":
        before = "The capital of France is Lyon." if request.get("instead_of") else None
        return what_if_result(request["text"], before, request["model"], request["generation_id"])
    if request.get("kind") == "saliency":
        n = 7  # more sources than any prompt of the tests shows
        return {"method": request["method"], "scores": [[float(n + i - j) for j in range(n + i)] for i in range(3)]}
    given = prompt_from_row(request)
    words = [" Paris", ".", ""]
    tokens = [
        {"text": word, "start": i, "stop": i + len(word), "logp": -0.1 * (i + 1), "token_id": i}
        for i, word in enumerate(words)
    ]
    prompt: list[dict[str, Any]] = [{"text": "", "start": 0, "stop": 0, "part": -1}]
    for match in re.finditer(r"\s?\S+|\s", given.text):
        first = match.start() + len(match[0]) - len(match[0].lstrip())
        part = next((each.part for each in given.parts if each.start <= first < each.stop), -1)
        prompt.append({"text": match[0], "start": match.start(), "stop": match.end(), "part": part})
    result: dict[str, Any] = {
        "prompt": given.text,
        "model": request["model"],
        "text": " Paris.",
        "tokens": tokens,
    }
    result["prompt_tokens"] = prompt
    report("generating", 0.3, result | {"left": ["the exact scores of training documents"]})
    for _ in range(30 if given.text.startswith("Three seconds") else 5):
        if cancelled():
            return {}
        time.sleep(0.1)
    result["saliency"] = {}
    if not given.docs:
        return result
    designs = {"single": sum(part.kind == "document" for part in given.parts)}
    inside = len(document_sentences(given.text, given.parts))
    if inside > designs["single"]:
        designs |= {"sentences_half": inside, "sentences_single": inside}
    return result | {
        "parts": [asdict(part) for part in given.parts],
        "notices": ["document 3 is empty and was left out"],
        "ablation": [
            {
                "design": design,
                "number": i,
                "present": present,
                "log_odds": [3.0 if present[0] else -3.0] * len(tokens),  # without the first it is not written
            }
            for design, n in designs.items()
            for i, present in enumerate([[True] * n, *([j != i for j in range(n)] for i in range(n))])
        ],
    }
