"""Greedy generation: the answer that is explained is the most likely one, and the same every time."""

import inspect
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from attribution.loading.load import LoadedModel
from attribution.model.measurement import logp
from attribution.model.sequence import Encoded, answer_spans


@dataclass(frozen=True)
class Generation:
    """What one model wrote after a prompt. `ids` hold the end token where the model ended by itself."""

    prompt: Encoded
    ids: tuple[int, ...]
    text: str
    spans: tuple[tuple[int, int], ...]  # characters of `text` that each id added
    logp: tuple[float, ...]  # log p of each id, nats


def generate(loaded: LoadedModel, prompt: Encoded, max_new_tokens: int) -> Generation:
    """Greedy decoding up to a token that ends an answer, the limit or the context, whichever comes first."""
    limit = min(max_new_tokens, loaded.context - len(prompt))
    ends = set(loaded.specials.stops)
    ids: list[int] = []
    step = torch.tensor([prompt.ids], device=loaded.device)
    cache = None
    name = cache_name(loaded)
    with torch.inference_mode():
        while len(ids) < limit and not (ids and ids[-1] in ends):
            if name is None:
                output = loaded.model(
                    input_ids=torch.tensor([[*prompt.ids, *ids]], device=loaded.device), use_cache=False
                )
            else:
                output = loaded.model(input_ids=step, use_cache=True, **{name: cache})
                cache = output[name]
            ids.append(int(output.logits[0, -1].argmax()))
            step = torch.tensor([[ids[-1]]], device=loaded.device)
    return completed(loaded, prompt, tuple(ids))


def completed(
    loaded: LoadedModel, prompt: Encoded, ids: tuple[int, ...], known: Sequence[float] | None = None
) -> Generation:
    """A generation with given answer ids (teacher-forced): its text, spans and log-probabilities, unless these are
    `known`."""
    text, spans = answer_spans(ids, loaded.tokenizer, prompt.ids)
    known = answer_logp(loaded, prompt.ids, ids) if known is None else known
    return Generation(prompt, ids, text, tuple(spans), tuple(known))


def cache_name(loaded: LoadedModel) -> str | None:
    """What the model calls what it has read: transformers 5.24 renamed it; None of one that keeps no tokens (Mamba)."""
    parameters = inspect.signature(loaded.model.forward).parameters
    return next((name for name in ("cache", "past_key_values") if name in parameters), None)


def answer_logp(loaded: LoadedModel, prompt: tuple[int, ...], answer: tuple[int, ...]) -> list[float]:
    """log p of every answer token given all before it, nats."""
    if not answer:
        return []
    ids = torch.tensor([[*prompt, *answer]], device=loaded.device)
    with torch.inference_mode():
        logits = loaded.model(input_ids=ids).logits[0, len(prompt) - 1 : -1]  # [n_answer, V]
    found: list[float] = logp(logits.float(), ids[0, len(prompt) :]).tolist()
    return found
