"""EDGE: loads a language model and trusts nothing: safetensors or GGUF only, no remote code, every tensor checked."""

import hashlib
import json
import struct
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from huggingface_hub.errors import StrictDataclassError
from safetensors import SafetensorError
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase
from transformers.utils import logging

from attribution.errors import BadInput
from attribution.model.place import as_path, check_hub_id, refuse_escapes
from attribution.model.rebuilt import as_the_file_says
from attribution.model.specials import AUTO, Specials, choose_specials

logging.disable_progress_bar()  # a load takes a moment; what takes long has a bar of its own
# what transformers raises, unchecked, for files that hold something else than it expects
UNREADABLE = (
    *(OSError, ValueError, RuntimeError, LookupError, TypeError, AttributeError, ArithmeticError, ImportError),
    *(SafetensorError, StrictDataclassError, struct.error, MemoryError),
)
DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}


@dataclass(frozen=True)
class LoadedModel:
    """A model ready for explanation: eval mode, eager attention (fused kernels have no forward derivative)."""

    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    weights_hash: str
    tokenizer_hash: str
    device: torch.device
    begin: str = AUTO  # what stands before a text, and what ends one, where the configuration says it: see specials
    end: tuple[str, ...] = ()

    @cached_property
    def specials(self) -> Specials:
        """The tokens around what the model reads; raises BadInput where the configuration names one that is none."""
        stops = getattr(self.model.generation_config, "eos_token_id", None)
        listed = stops if isinstance(stops, list | tuple) else [] if stops is None else [stops]
        return choose_specials(self.tokenizer, [int(each) for each in listed], self.begin, self.end)

    @property
    def context(self) -> int:
        return int(self.model.config.max_position_embeddings)

    @property
    def n_params(self) -> int:
        return sum(p.numel() for p in self.model.parameters())


def choose_device(name: str = "auto") -> torch.device:
    """`auto` is CUDA where there is one, else the CPU; raises BadInput for a device that is not here."""
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError:
        raise BadInput(f"expected device 'auto', 'cpu' or 'cuda', found {name!r}; change [device]") from None
    if device.type == "cuda" and not torch.cuda.is_available():
        raise BadInput("expected a CUDA device because the configuration names one, found none; use device 'auto'")
    return device


def load_model(source: str, device: str = "auto", dtype: str = "auto", tokenizer: str = "") -> LoadedModel:
    """Load from a directory, a `.gguf` file or a hub id. `dtype` 'auto' is float32; `tokenizer`: where it lies, if not
    beside the weights.

    Raises BadInput for weights that are absent, incomplete, of wrong shape or not finite, and for a vocabulary that
    the tokenizer does not fit.
    """
    if dtype not in ("auto", *DTYPES):
        raise BadInput(f"expected dtype 'auto', 'float32' or 'bfloat16', found {dtype!r}; change [device]")
    where = choose_device(device)
    location, options = _locate(source)
    try:
        words = _tokenizer(tokenizer, location, options)
        loaded: Any = AutoModelForCausalLM.from_pretrained(
            location,
            dtype=DTYPES.get(dtype, torch.float32),
            attn_implementation="eager",
            use_safetensors=True,
            trust_remote_code=False,
            output_loading_info=True,
            **options,
        )
    except UNREADABLE as error:
        raise BadInput(f"expected a loadable model at {source}, found: {_one_line(error)}; check the files") from None
    model: PreTrainedModel = loaded[0]
    _check_tensors(source, model, loaded[1])
    _check_vocabulary(source, model, words)
    model.eval()
    model.to(where)  # type: ignore[arg-type]
    return LoadedModel(model, words, _weights_hash(model), _tokenizer_hash(words), where)


def _tokenizer(source: str, location: str, options: dict[str, str | bool]) -> PreTrainedTokenizerBase:
    if source and as_path(source).is_dir():
        location, options = source, {"local_files_only": True}
        refuse_escapes(Path(source))
    elif source:
        location, options = check_hub_id(source), {}
    found: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(location, trust_remote_code=False, **options)
    return found if "gguf_file" in options else as_the_file_says(found, location, options)


def _locate(source: str) -> tuple[str, dict[str, str | bool]]:
    path = as_path(source)
    if path.suffix == ".gguf":
        if not path.is_file():
            raise BadInput(f"expected a GGUF file at {source}, found none; check [[model]] path")
        return str(path.parent), {"gguf_file": path.name, "local_files_only": True}
    if not path.is_absolute() and not path.exists():
        return check_hub_id(source), {}  # the one case in which the user asked for the network
    if not path.is_dir():
        raise BadInput(f"expected a model directory at {source}, found none; run `python -m indexer train` or fix path")
    refuse_escapes(path)
    if not (path / "config.json").is_file():
        raise BadInput(f"expected config.json in {source}, found none; give the directory of a transformers model")
    if not any(path.glob("*.safetensors")):
        raise BadInput(f"expected weights as .safetensors in {source}, found none; convert them (pickle is not read)")
    _check_index(path / "model.safetensors.index.json")
    return str(path), {"local_files_only": True}


def _check_index(path: Path) -> None:
    """An index of weights in several files may name files beside it only: transformers would open any."""
    if not path.is_file():
        return
    try:
        named = set(json.loads(path.read_bytes())["weight_map"].values())
    except (ValueError, KeyError, TypeError, AttributeError):
        raise BadInput(f"expected an index with a weight_map in {path}, found none; get the file again") from None
    for name in sorted(map(str, named)):
        if Path(name).name != name:
            raise BadInput(f"expected weights beside {path}, found that it names {name!r} outside; mend that file")


def _check_tensors(source: str, model: PreTrainedModel, info: dict[str, Any]) -> None:
    for key, what in (
        ("missing_keys", "missing from the file"),
        ("unexpected_keys", "in the file but not in the model"),
        ("mismatched_keys", "of another shape"),
    ):
        names = sorted(str(name) for name in info.get(key) or ())
        if names:
            raise BadInput(f"expected the tensors of {source} to fit its config, found {names[0]} {what}")
    for name, tensor in model.state_dict().items():
        if not bool(torch.isfinite(tensor).all()):
            raise BadInput(f"expected finite weights in {source}, found NaN or infinity in {name}; get the file again")


def _check_vocabulary(source: str, model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> None:
    embedding: Any = model.get_input_embeddings()
    rows, entries = int(embedding.weight.shape[0]), len(tokenizer)
    if entries > rows:
        raise BadInput(
            f"expected a tokenizer of at most {rows} entries for {source}, found {entries}; "
            "put the tokenizer that the model was trained with beside it"
        )


def _weights_hash(model: PreTrainedModel) -> str:
    digest = hashlib.sha256()
    for name, tensor in sorted(model.state_dict().items()):
        digest.update(f"{name}{tuple(tensor.shape)}{tensor.dtype}".encode())
        digest.update(tensor.detach().cpu().contiguous().view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()[:16]


def _tokenizer_hash(tokenizer: PreTrainedTokenizerBase) -> str:
    backend = getattr(tokenizer, "backend_tokenizer", None)
    described = backend.to_str() if backend is not None else str(sorted(tokenizer.get_vocab().items()))
    return hashlib.sha256(described.encode()).hexdigest()[:16]


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())[:300]
