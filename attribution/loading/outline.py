"""EDGE: a model's shapes from its configuration, in a second: nothing of its weights is read. And
whether earlier weights are of the same model."""

from collections.abc import Sequence

import torch
from transformers import AutoConfig, AutoModelForCausalLM

from attribution.errors import BadInput
from attribution.loading.adapter import ALONE, MERGED
from attribution.loading.load import UNREADABLE, LoadedModel
from attribution.loading.located import check_present, locate
from attribution.loading.matrices import read_matrices

Shape = tuple[int, ...]


def outline(source: str, base: str = "") -> LoadedModel | None:
    """The model without weights or tokenizer; None where only loading it tells what it is.

    Raises BadInput for a place where no model is.
    """
    place = locate(source, base)
    try:
        settings = AutoConfig.from_pretrained(place.location, trust_remote_code=False, **place.options)
        with torch.device("meta"):
            model = AutoModelForCausalLM.from_config(settings, attn_implementation="eager", trust_remote_code=False)
    except UNREADABLE:
        return None
    return LoadedModel(model.eval(), None, "", "", torch.device("meta"))  # type: ignore[arg-type]


def check_checkpoints(checkpoints: Sequence[str], source: str, base: str = "", explain: str = MERGED) -> None:
    """Raises BadInput for a checkpoint that is not there, and for one of another model than that at `source`: it would
    be opened hours later, or be averaged in. Names and shapes are compared, where the configurations tell them.

    base, explain: as for `load_model`, of the model and of those that are adapters.
    """
    check_present(checkpoints, base)
    own = _shapes(source, base, explain) if checkpoints else None
    if own is None:
        return
    for each in checkpoints:
        found = _shapes(each, base, explain)
        if found is None:
            raise BadInput(f"expected the settings of a model in the checkpoint {each}, found others; check its files")
        for name in sorted(own.keys() | found.keys()):
            if own.get(name) != found.get(name):
                raise BadInput(
                    f"expected {_tensor(own.get(name))} as {name} in the checkpoint {each}, as in {source}, found "
                    f"{_tensor(found.get(name))}; name earlier weights of the same model"
                )


def _shapes(source: str, base: str, explain: str) -> dict[str, Shape] | None:
    """Of every parameter by its name; where an adapter is explained alone, of what training moved of its own, too."""
    of = outline(source, base)
    if of is None:
        return None
    shapes = {name: tuple(p.shape) for name, p in of.model.named_parameters()}
    adapter = locate(source, base).adapter
    if explain == ALONE and adapter is not None:
        moved = {name: pair for name, pair in read_matrices(adapter).pairs.items() if pair["B"].any()}
        shapes |= {f"{name}.lora_{which}": tuple(pair[which].shape) for name, pair in moved.items() for which in "AB"}
    return shapes


def _tensor(shape: Shape | None) -> str:
    return "no tensor" if shape is None else f"a tensor of {' × '.join(map(str, shape))}"
