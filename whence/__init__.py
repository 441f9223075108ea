"""Whence from Python: read a built database, ask its models, and explain a model that you hold.

    import whence

    runs = whence.open("data/demo/build")
    runs.answers()

Importing does nothing; reading needs neither torch nor transformers. Every error is a WhenceError whose message is one
line: what was expected, what was found, what to do.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from attribution.errors import BadInput, Damaged, Locked, TryAgain, WhenceError
from indexer import __version__

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

    from whence.prompt_map import PromptMap
    from whence.runs import Runs

__all__ = [
    "BadInput",
    "Damaged",
    "Locked",
    "TryAgain",
    "WhenceError",
    "__version__",
    "open",
    "saliency",
]


def open(folder: str | Path) -> Runs:
    """Open the published database in an output folder of `whence build`, read-only.

    Raises BadInput where nothing is published there or another version of Whence wrote it, Damaged where no database of
    the folder is whole.
    """
    from whence.runs import open_runs

    return open_runs(Path(folder))


def saliency(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    prompt: str,
    completion: str,
    method: str = "grad_x_input",
    *,
    foil: str | None = None,
    steps: int = 64,
) -> PromptMap:
    """What every token of `completion` owes to each token before it, by a model that you hold: [K, S] scores.

    The prompt is read as `<bos> prompt` (`<eos>` where the tokenizer has no bos) and is not sent through a chat
    template. method: grad_norm, grad_x_input, integrated_gradients, layer_integrated_gradients, occlusion or attention.
    foil: one token; explains why each token and not this one. steps: gradients of the integrated methods.

    Raises BadInput for an unknown method, a model in training mode, an empty completion, a prompt that does not fit,
    and a foil that is not one token. Imports torch and transformers.
    """
    from whence.held_model import explain

    return explain(model, tokenizer, prompt, completion, method, foil, steps)
