"""EDGE: the table of docs/architectures.md, from tiny models: `python -m tests.attribution.architecture_table`."""

import tempfile
from pathlib import Path

from transformers import T5ForConditionalGeneration

from attribution.components.units import Units, units
from attribution.errors import BadInput
from attribution.exact.agreement import check_agreement
from attribution.loading.load import load_model
from attribution.model.coverage import OTHERS, coverage
from attribution.model.tracked import track
from indexer.training.tokenizer import train_tokenizer
from tests.attribution.architectures import CONFIGS, DECODERS, opened_model
from tests.tiny_family import TEXTS

PATH = Path(__file__).parents[2] / "docs/architectures.md"
HEADER = (
    "| architecture | linear layers, embedding, head | not explained, besides norms | heads and neurons |\n"
    "| --- | --- | --- | --- |\n"
)


def table() -> str:
    """One row an architecture."""
    return HEADER + "".join(f"| {name} | {' | '.join(_row(name))} |\n" for name in CONFIGS)


def _row(name: str) -> tuple[str, str, str]:
    if name not in DECODERS:
        return "refused", _line(name), ""
    tracked = track(opened_model(name))
    left = [of.name for of in coverage(tracked) if of.kind == OTHERS]
    rest = ", ".join(f"`{each}`" for each in left[:4]) + (f" and {len(left) - 4} more" if len(left) > 4 else "")
    try:
        check_agreement(tracked)
    except BadInput as error:
        check_agreement(tracked, forward_mode=False)
        rest = f"token losses: {error}" + (f"; {rest}" if rest else "")
    linear_left = any(word in each for each in left for word in ("experts", "mixer"))
    split = units(tracked)
    apart = "apart" if isinstance(split, Units) else split.reason
    return "in part" if linear_left else "in full", rest or "nothing", apart


def _line(name: str) -> str:
    """What `build` and `plan` say of it."""
    with tempfile.TemporaryDirectory() as folder:
        T5ForConditionalGeneration(CONFIGS[name]()).save_pretrained(folder)
        train_tokenizer(TEXTS, 280).save_pretrained(folder)
        try:
            load_model(folder, "cpu")
        except BadInput as error:
            return str(error).replace(folder, "…")
    raise AssertionError(f"{name} was expected to be refused")


def write() -> None:
    text = PATH.read_text(encoding="utf-8")
    before, _, after = text.partition(HEADER)
    rest = after[after.index("\n\n") + 1 :] if "\n\n" in after else ""
    PATH.write_text(before + table() + rest, encoding="utf-8")


if __name__ == "__main__":
    write()
