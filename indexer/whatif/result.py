"""What if, as JSON.

{
  "kind": "what_if", "model": name, "generation_id", "prompt", "text",
  "tokens": [{"token_id", "text", "start", "stop", "logp"}],                      K of them, as `ask` has them
  "stage": name of the model whose training would read the texts, "n_train": N of that stage,
  "texts": [{                                                                     in the order in which they were given
      "title", "document_id": of the text, "known": whether that stage was trained on it,
      "text": what its tokens were made from, "n_cut": tokens that training would drop,
      "tokens": [{"text", "start", "stop", "read_in", "learned"}],                T of them, as document_token has them
      "scores": [K] nats, "layer_scores": [[L]] by token, "shares": [[T]] by token
  }],                                                                             tokens and what is split: of the ten
  "instead_of": {the same of the document as it was trained on} | null,           texts of largest influence alone
  "difference": {"scores": [K], "layer_scores": [[L]]} | null,                    texts[0] less instead_of
  "spans": [{"first", "last", "kind": "word" | "answer", "start", "stop",         words in order, the whole answer last
      "scores": [nats of each text], "instead_of": nats | null, "difference": nats | null}],
  "notices": [sentence],
  "contrasted": [positions of tokens explained against a foil]                    not there without one
}
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexer.ask.opened import Opened
from indexer.ask.result import contrasted, plain_tokens
from indexer.ask.steps import asked_once
from indexer.size.foil import foil_of
from indexer.tracing.spans import summed
from indexer.whatif.read import Untrained
from indexer.whatif.scores import Split
from indexer.whatif.steps import WhatIf


def as_json(made: WhatIf, opened: Opened) -> dict[str, Any]:
    """The result, as the header of this file has it."""
    answer, traced = made.answer, opened.traced
    assert traced is not None  # noqa: S101 - without influence there is no result
    of_stage = traced.fitted.stages[made.stage].member
    texts = [_text(text, made.known[i], made.values[:, i], made.splits.get(i)) for i, text in enumerate(made.texts)]
    old = made.instead
    found: dict[str, Any] = {
        "kind": "what_if",
        "model": opened.member.entry.name,
        "generation_id": answer.generation_id,
        "prompt": answer.prompt.text,
        "text": answer.generation.text,
        "tokens": plain_tokens(answer),
        "stage": of_stage.entry.name,
        "n_train": of_stage.n_train,
        "texts": texts,
        "instead_of": None,
        "difference": None,
        "spans": _spans(made, opened),
        "notices": list(made.notices),
        **contrasted(answer, opened),
    }
    if old is not None:
        layers = made.splits[0].layers - old.split.layers
        found["instead_of"] = _text(old.text, True, old.split.layers.sum(axis=1), old.split)
        found["difference"] = {"scores": layers.sum(axis=1).tolist(), "layer_scores": layers.tolist()}
    return found


def _text(of: Untrained, known: bool, scores: NDArray[np.float32], split: Split | None) -> dict[str, Any]:
    made: dict[str, Any] = {
        "title": of.document.title,
        "document_id": of.document.document_id,
        "known": known,
        "text": of.read.text,
        "n_cut": of.read.n_cut,
        "scores": scores.tolist(),
    }
    if split is None:
        return made
    by_token = zip(of.read.covered, of.read.window_of, of.read.row.targets().tolist(), strict=True)
    return made | {
        "tokens": [
            {"text": of.read.text[start:stop], "start": start, "stop": stop, "read_in": window, "learned": learned}
            for (start, stop), window, learned in by_token
        ],
        "layer_scores": split.layers.tolist(),
        "shares": split.shares.tolist(),
    }


def _spans(made: WhatIf, opened: Opened) -> list[dict[str, Any]]:
    """log p of a span is the sum over its tokens, and so is its influence."""
    once = asked_once(foil_of(made.answer, opened.member.loaded))
    scores = summed(made.values, made.spans, once)  # [S, D]
    found: list[dict[str, Any]] = [
        {name: getattr(span, name) for name in ("first", "last", "kind", "start", "stop")}
        | {"scores": of.tolist(), "instead_of": None, "difference": None}
        for span, of in zip(made.spans, scores, strict=True)
    ]
    if made.instead is not None:
        before = summed(made.instead.split.layers.sum(axis=1), made.spans, once)  # [S]
        for row, of, was in zip(found, scores[:, 0].tolist(), before.tolist(), strict=True):
            row |= {"instead_of": was, "difference": of - was}
    return found
