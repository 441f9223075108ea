"""EDGE: loads a language model and trusts nothing: safetensors or GGUF only, no remote code, every tensor checked."""

import hashlib
import json
import re
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from huggingface_hub.errors import StrictDataclassError
from safetensors import SafetensorError
from transformers import AutoModelForCausalLM, AutoTokenizer, PretrainedConfig, PreTrainedModel, PreTrainedTokenizerBase
from transformers.utils import logging

from attribution.errors import BadInput
from attribution.loading.adapter import ALONE, MERGED
from attribution.loading.attention import PLAIN, fuse_attention
from attribution.loading.beside import Trained, put_beside
from attribution.loading.experts import take_apart
from attribution.loading.located import Located, locate, tokenizer_place
from attribution.loading.matrices import read_matrices
from attribution.loading.merge import merge
from attribution.loading.rebuilt import as_the_file_says
from attribution.loading.specials import AUTO, Specials, choose_specials
from attribution.loading.wide_head import widen_head
from attribution.schedule import Schedule

logging.disable_progress_bar()  # a load takes a moment; what takes long has a bar of its own
# what transformers raises, unchecked, for files that hold something else than it expects
UNREADABLE = (
    *(OSError, ValueError, RuntimeError, LookupError, TypeError, AttributeError, ArithmeticError, ImportError),
    *(SafetensorError, StrictDataclassError, struct.error, MemoryError, AssertionError),
)
UNLIMITED = 2048  # tokens that are read of a model without a limit: enough for a document, and memory is finite
DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}
# settings that say where a model lies and how it is run, not what it computes
ABOUT = frozenset({"_name_or_path", "transformers_version", "dtype", "torch_dtype", "architectures", "use_cache"})


@dataclass(frozen=True)
class LoadedModel:
    """A model ready for explanation: eval mode, fused attention where there is one."""

    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    weights_hash: str
    tokenizer_hash: str
    device: torch.device
    begin: str = AUTO  # what stands before a text, and what ends one, where the configuration says it: see specials
    end: tuple[str, ...] = ()
    schedule: Schedule = Schedule()
    trained: Trained | None = None  # of an adapter that stands beside its base; anything else was trained in whole

    @cached_property
    def function_hash(self) -> str:
        """Of weights and settings: the same weights with another base of their rotary positions compute otherwise."""
        settings = json.dumps(_computed(self.model.config.to_dict()), sort_keys=True, default=str)
        return hashlib.sha256(f"{self.weights_hash} {settings}".encode()).hexdigest()[:16]

    @cached_property
    def specials(self) -> Specials:
        """The tokens around what the model reads; raises BadInput where the configuration names one that is none."""
        return choose_specials(self.tokenizer, _stops(self.model), self.begin, self.end)

    @property
    def settings(self) -> PretrainedConfig:
        """Those of the part that reads and writes text: a model of texts and images has others beside them."""
        return self.model.config.get_text_config(decoder=True)

    @property
    def context(self) -> int:
        """Tokens that the model can read; where neither it (ALiBi, Mamba) nor its tokenizer sets a limit, UNLIMITED."""
        said = getattr(self.settings, "max_position_embeddings", None) or getattr(self.settings, "seq_length", None)
        length = getattr(self.tokenizer, "model_max_length", None)
        return int(said or (length if length and length < 2**31 else UNLIMITED))

    @property
    def n_rows(self) -> int:
        """Rows of the embedding: entries of the tokenizer, and often some more that pad it to a round number."""
        return len(torch.as_tensor(self.model.get_input_embeddings().weight))

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


def load_model(
    source: str,
    device: str = "auto",
    dtype: str = "auto",
    tokenizer: str = "",
    base: str = "",
    explain: str = MERGED,
    experts: bool = False,
) -> LoadedModel:
    """Load from a directory, a `.gguf` file, a hub id (`owner/name`, `owner/name@revision`) or a LoRA adapter's folder.

    `dtype` 'auto' is float32; of 'bfloat16' the head multiplies in float32; `tokenizer`: where it lies, if not beside
    the weights; `base`: what an adapter is merged into, if not what it names; `explain` "adapter": its matrices stay
    beside the base; `experts`: those of a mixture become layers of their own.

    Raises BadInput for weights that are absent, incomplete, of wrong shape or not finite, and for a vocabulary that
    the tokenizer does not fit.
    """
    if dtype not in ("auto", *DTYPES):
        raise BadInput(f"expected dtype 'auto', 'float32' or 'bfloat16', found {dtype!r}; change [device]")
    where = choose_device(device)
    place = locate(source, base)
    try:
        words = _tokenizer(_words_of(place, tokenizer))
        loaded: Any = AutoModelForCausalLM.from_pretrained(
            place.location,
            dtype=DTYPES.get(dtype, torch.float32),
            attn_implementation=PLAIN,  # and then fused, where it can be changed for a pass
            experts_implementation="eager",  # the fused ones have no forward derivative
            use_safetensors=True,
            trust_remote_code=False,
            output_loading_info=True,
            **place.options,
        )
    except UNREADABLE as error:
        if "Unrecognized configuration class" in str(error):
            raise BadInput(_no_decoder(source, str(error))) from None
        raise BadInput(f"expected a loadable model at {source}, found: {_one_line(error)}; check the files") from None
    model: PreTrainedModel = loaded[0]
    _check_loaded(source, loaded[1])
    trained = None
    if place.adapter is not None:
        matrices = read_matrices(place.adapter)
        if explain == ALONE:
            trained = put_beside(model, place.adapter, matrices)
        else:
            merge(model, place.adapter, matrices)
    if experts and trained is None:
        take_apart(model)
    _check_finite(source, model)
    _check_vocabulary(source, model, words)
    _check_settings(place.location, model)
    widen_head(model)
    fuse_attention(model)
    model.eval()
    model.to(where)  # type: ignore[arg-type]
    return LoadedModel(model, words, _weights_hash(model), _tokenizer_hash(words), where, trained=trained)


def _tokenizer(place: Located) -> PreTrainedTokenizerBase:
    found: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(
        place.location, trust_remote_code=False, **place.options
    )
    longest = getattr(found, "model_max_length", None)
    if not (longest is None or isinstance(longest, int | float)):  # compared with a number whenever a text is read
        raise _no_number("a number", "model_max_length", f"tokenizer_config.json of {place.location}", longest)
    return found if "gguf_file" in place.options else as_the_file_says(found, place.location, place.options)


def _words_of(place: Located, named: str) -> Located:
    """Of the tokenizer: what is named, else what lies beside an adapter, else beside the weights."""
    if named:
        return tokenizer_place(named)
    if place.adapter is not None and place.adapter.has_tokenizer:
        return tokenizer_place(str(place.adapter.folder))
    return place


def _check_loaded(source: str, info: dict[str, Any]) -> None:
    for key, what in (
        ("missing_keys", "missing from the file"),
        ("unexpected_keys", "in the file but not in the model"),
        ("mismatched_keys", "of another shape"),
    ):
        names = sorted(str(name) for name in info.get(key) or ())
        if names:
            raise BadInput(f"expected the tensors of {source} to fit its config, found {names[0]} {what}")


def _check_finite(source: str, model: PreTrainedModel) -> None:
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


def _stops(model: PreTrainedModel) -> list[int]:
    """The ids that end an answer, where the model's generation settings say some."""
    said = getattr(model.generation_config, "eos_token_id", None)
    return [int(each) for each in (said if isinstance(said, list | tuple) else [] if said is None else [said])]


def _check_settings(location: str, model: PreTrainedModel) -> None:
    """What transformers takes whatever it holds, and is read as numbers here."""
    try:
        _stops(model)
    except (TypeError, ValueError, OverflowError):
        said = model.generation_config.eos_token_id
        raise _no_number("token ids", "eos_token_id", f"generation_config.json of {location}", said) from None
    cap = getattr(model.config.get_text_config(decoder=True), "final_logit_softcapping", None)
    if not (cap is None or isinstance(cap, int | float)):
        raise _no_number("a number", "final_logit_softcapping", f"config.json of {location}", cap)


def _no_number(wanted: str, field: str, file: str, found: object) -> BadInput:
    return BadInput(f"expected {wanted} as {field} in {file}, found {found!r}; correct it there")


def _computed(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Those that a model's function depends on, of its parts too."""
    return {
        str(name): _computed(value) if isinstance(value, Mapping) else value
        for name, value in settings.items()
        if name not in ABOUT and not str(name).startswith("_")
    }


def _weights_hash(model: PreTrainedModel) -> str:
    digest = hashlib.sha256()
    for name, tensor in sorted(model.state_dict().items()):
        digest.update(f"{name}{tuple(tensor.shape)}{tensor.dtype}".encode())
        digest.update(tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()[:16]


def _tokenizer_hash(tokenizer: PreTrainedTokenizerBase) -> str:
    backend = getattr(tokenizer, "backend_tokenizer", None)
    described = backend.to_str() if backend is not None else str(sorted(tokenizer.get_vocab().items()))
    return hashlib.sha256(described.encode()).hexdigest()[:16]


def _no_decoder(source: str, said: str) -> str:
    kind = re.search(r"(\w+)Config'>", said)
    return (
        f"expected a model that goes on with a text at {source}, found {kind[1] if kind else 'another'}; "
        "whence explains decoders, see docs/architectures.md"
    )


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())[:300]
