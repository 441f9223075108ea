"""EDGE: writes a loaded model as a folder of safetensors, whatever it was read from: GGUF, an adapter on its base."""

from pathlib import Path

import torch

from attribution.errors import BadInput
from attribution.loading.load import DTYPES, LoadedModel


def save(loaded: LoadedModel, folder: Path, dtype: str = "float32") -> None:
    """Weights, configuration and tokenizer. `dtype` float32 keeps every bit of what was computed with.

    Raises BadInput for a folder that holds something already, and for a type of number that is none.
    """
    numbers = DTYPES | {"float16": torch.float16}
    if dtype not in numbers:
        raise BadInput(f"expected dtype {', '.join(numbers)}, found {dtype!r}; choose one of these")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise BadInput(f"expected an empty or a new folder at {folder}, found something in it; give another")
    model = loaded.model.to(numbers[dtype])  # type: ignore[arg-type]
    for owner, name in ((model, "hf_quantizer"), (model.config, "quantization_config")):
        if hasattr(owner, name):  # a GGUF file was quantised; these numbers are not, and transformers would refuse them
            delattr(owner, name)
    try:
        model.save_pretrained(folder)
        loaded.tokenizer.save_pretrained(str(folder))
    except OSError as error:
        raise BadInput(f"expected to write in {folder}, found: {error.strerror}; give another folder") from None
