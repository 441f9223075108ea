"""A preference pair as token ids: the prompt with the chosen answer in one window, with the rejected in another.

Both are rendered as a prompt with a completion is. What both windows begin with, the prompt above all, is read by both
alike: in the difference of their log-probabilities it cancels, so it counts as read and not as learned. A window that
is too long is cut, as in preference training.
"""

from collections.abc import Mapping
from dataclasses import replace
from itertools import takewhile
from typing import Any

import numpy as np
from transformers import PreTrainedTokenizerBase

from attribution.loading.specials import Specials
from attribution.passes.batches import Row
from attribution.trained.document import TrainedText, Training, trained_text

SIDES = ("chosen", "rejected")


def trained_pair(
    given: Mapping[str, Any], tokenizer: PreTrainedTokenizerBase, specials: Specials, how: Training
) -> TrainedText:
    """A pair as training read it, without its preference.    given: `chosen`, `rejected` and perhaps `prompt`, texts or
    lists of messages

    Raises BadInput for what the chat template refuses.
    """
    whole = replace(how, windows=replace(how.windows, overlap=0, cut=True))
    sides = []
    for side in SIDES:
        answer = given[side]
        prompt = given.get("prompt") or ("" if isinstance(answer, str) else [])
        sides.append(trained_text("", {"prompt": prompt, "completion": answer}, tokenizer, specials, whole))
    chosen, rejected = sides
    alike = len(list(takewhile(lambda ids: ids[0] == ids[1], zip(chosen.row.ids, rejected.row.ids, strict=False))))
    start = len(chosen.text) + 1
    learned = [at for each in sides for at in (each.row.targets() & (np.arange(len(each.row)) >= alike)).tolist()]
    row = Row(
        (*chosen.row.ids, *rejected.row.ids),
        learned=tuple((t, t + 1) for t, wanted in enumerate(learned) if wanted),
        windows=(len(chosen.row), len(rejected.row)),
    )
    return TrainedText(
        f"{chosen.text}\n{rejected.text}",
        row,
        (*chosen.spans, *((a + start, b + start) for a, b in rejected.spans)),
        chosen.n_cut + rejected.n_cut,
        (*chosen.contents, *((a + start, b + start) for a, b in rejected.contents)),
    )
