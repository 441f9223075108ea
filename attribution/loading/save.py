"""EDGE: writes a loaded model as a folder of safetensors, whatever it was read from: GGUF, an adapter on its base."""

import secrets
import shutil
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError

from attribution.errors import BadInput
from attribution.loading.load import DTYPES, LoadedModel

NUMBERS = DTYPES | {"float16": torch.float16}


def check_place(folder: Path, dtype: str) -> None:
    """Raises BadInput for a folder that holds something already, and for a type of number that is none."""
    if dtype not in NUMBERS:
        raise BadInput(f"expected dtype {', '.join(NUMBERS)}, found {dtype!r}; choose one of these")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise BadInput(f"expected an empty or a new folder at {folder}, found something in it; give another")


def save(loaded: LoadedModel, folder: Path, dtype: str = "float32") -> None:
    """Weights, configuration and tokenizer, all of them or nothing. `dtype` float32 keeps every bit of what was
    computed with.

    Raises BadInput as `check_place` does, and where there is no room.
    """
    check_place(folder, dtype)
    model = loaded.model.to(NUMBERS[dtype])  # type: ignore[arg-type]
    for owner, name in ((model, "hf_quantizer"), (model.config, "quantization_config")):
        if hasattr(owner, name):  # a GGUF file was quantised; these numbers are not, and transformers would refuse them
            delattr(owner, name)
    whole = folder.absolute()
    scratch = whole.with_name(f"{whole.name}.{secrets.token_hex(8)}.partial")
    try:
        model.save_pretrained(scratch)
        _write_tokenizer(loaded.tokenizer, scratch)
        if whole.exists():
            whole.rmdir()  # it is empty
        scratch.rename(whole)
    except (OSError, SafetensorError) as error:
        found = error.strerror if isinstance(error, OSError) else error
        raise BadInput(f"expected to write {folder}, found: {found}; make room, or give another folder") from None
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _write_tokenizer(tokenizer: Any, folder: Path) -> None:
    """Raises OSError where the system refuses: the library has a plain Exception for it."""
    try:
        tokenizer.save_pretrained(str(folder))
    except Exception as error:
        if "os error" not in str(error):
            raise
        raise OSError(0, str(error)) from None
