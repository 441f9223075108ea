"""A fact as a question: asked in other words than it is told in, answered by the sentence that tells it. Pure.

f is the mean log p of the words that are the fact, with the sentence before them given: "Tell me who the founder of
Marran was." "Marran was founded by" [Hesta Askel].
"""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from data.build_llm.conversations import asked
from data.build_llm.towns import Fact
from indexer.evaluate.measures.removal import Answered
from indexer.evaluate.protocol.queries import Question
from indexer.evaluate.siblings.halves import queries

AT_ONCE = 16


def chosen(known: Sequence[Fact], n: int, seed: int) -> list[Fact]:
    """n of the facts, at random, in their order."""
    return [known[i] for i in queries(len(known), n, seed)]


def question(of: Fact, tokenizer: PreTrainedTokenizerBase, place_of: Mapping[str, int]) -> Question:
    """place_of: a conversation's own id -> its index among the documents"""
    head = str(tokenizer.apply_chat_template(asked(of.asked), tokenize=False, add_generation_prompt=True))
    start = len(head) + of.told.index(of.value)
    text = head + of.told[: of.told.index(of.value) + len(of.value)]
    read = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
    first = next(i for i, (_, stop) in enumerate(read["offset_mapping"]) if stop > start)
    return Question(tuple(read["input_ids"]), first, f"{of.asked} {of.told}", (place_of[of.id],))


def answered(model: PreTrainedModel, every: Sequence[Question]) -> Answered:
    """What a model makes of every answer; padding on the right, which nothing attends to."""
    model.eval()
    logp, right = np.zeros(len(every)), np.zeros(len(every), dtype=np.bool_)
    for start in range(0, len(every), AT_ONCE):
        some = every[start : start + AT_ONCE]
        width = max(len(each.ids) for each in some)
        ids = torch.tensor([[*each.ids, *[0] * (width - len(each.ids))] for each in some])  # [B, T]
        with torch.inference_mode():
            hidden = model.base_model(input_ids=ids, use_cache=False).last_hidden_state
            for i, each in enumerate(some):
                logits = model.get_output_embeddings()(hidden[i, each.first - 1 : len(each.ids) - 1])
                table, labels = logits.float().log_softmax(-1), torch.tensor(each.ids[each.first :])  # [n, V], [n]
                logp[start + i] = table.gather(1, labels[:, None]).mean()
                right[start + i] = bool((table.argmax(1) == labels).all())
    return Answered(logp, right)
