"""A stand-in for the worker's function: an answer in pieces, without a model."""

import time
from collections.abc import Callable
from typing import Any


def run(request: dict[str, Any], report: Callable[..., None], cancelled: Callable[[], bool]) -> dict[str, Any]:
    words = [" Paris", ".", ""]
    tokens = [{"text": word, "start": i, "stop": i + len(word), "logp": -0.1 * (i + 1)} for i, word in enumerate(words)]
    prompt = [{"text": "", "start": 0, "stop": 0}]
    prompt += [
        {"text": (" " if i else "") + word, "start": 0, "stop": 1} for i, word in enumerate(request["prompt"].split())
    ]
    result: dict[str, Any] = {
        "prompt": request["prompt"],
        "model": request["model"],
        "text": " Paris.",
        "tokens": tokens,
    }
    result["prompt_tokens"] = prompt
    report("generating", 0.3, result)
    for _ in range(5):
        if cancelled():
            return {}
        time.sleep(0.1)
    rows = [[float(len(prompt) + i - j) for j in range(len(prompt) + i)] for i in range(len(tokens))]
    return result | {"saliency": {"grad_norm": rows}}
