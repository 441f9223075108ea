"""Saliency on a transformers model that the caller holds. Only this module of the package imports torch by itself."""

import numpy as np
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from attribution.errors import BadInput
from attribution.model.measurement import foil_token
from attribution.model.sequence import answer_spans, disjoint, encode_prompt
from attribution.prompt.saliency.saliency import absent_token, saliency
from attribution.prompt.text.pasted import pasted_answer
from whence.prompt_map import PromptMap


def explain(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    prompt: str,
    completion: str,
    method: str,
    foil: str | None,
    steps: int,
) -> PromptMap:
    """See `whence.saliency`."""
    if model.training:
        raise BadInput("expected a model in evaluation mode, found it in training mode; call model.eval() first")
    if method == "shapley":
        raise BadInput("expected a method for single tokens, found 'shapley', which is for parts; ask with `Runs.ask`")
    context = int(getattr(model.config, "max_position_embeddings", None) or tokenizer.model_max_length)
    encoded = encode_prompt(prompt, tokenizer, context)
    ids, _ = pasted_answer(prompt, completion, tokenizer, context - len(encoded))
    found = saliency(
        model,
        encoded.ids,
        ids,
        method,
        foil_ids=None if foil is None else [foil_token(foil, tokenizer)] * len(ids),
        absent_id=absent_token(tokenizer),
        steps=steps,
    )
    text, spans = answer_spans(ids, tokenizer)
    tokens = tuple(text[start:stop] for start, stop in spans)
    sources = (*(prompt[start:stop] for start, stop in disjoint(encoded.spans)), *tokens[:-1])
    scores = np.where(found.visible().numpy(), found.scores.double().numpy(), np.nan)
    return PromptMap(method, tokens, sources, len(encoded), scores)
