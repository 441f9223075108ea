"""EDGE: a LoRA adapter's own description, `adapter_config.json`, read without PEFT and without torch."""

import json
import math
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from attribution.errors import BadInput

SETTINGS, WEIGHTS = "adapter_config.json", "adapter_model.safetensors"
MERGED, ALONE = "merged", "adapter"  # what is explained of it: the weights it was merged into, or its own matrices
# of these, W is not W₀ + s B A
_OTHERWISE = (
    *("use_dora", "use_qalora", "use_bdlora", "layer_replication", "megatron_config", "arrow_config"),
    *("monteclora_config", "lora_bias", "trainable_token_indices", "alora_invocation_tokens"),
)
_FROM_THE_BASE = re.compile("pissa|olora|loftq|corda|lora_ga")  # beginnings that take A and B out of W₀


@dataclass(frozen=True)
class Adapter:
    """What its matrices mean: W = W₀ + s B A with s = alpha / r, or alpha / √r where it is rank-stabilised."""

    folder: Path
    base: str  # as its training named it: a folder or a hub id, "" where it did not
    revision: str
    alpha: float
    rank_stabilised: bool
    alpha_pattern: dict[str, float] = field(default_factory=dict)  # the end of a module's name -> its own alpha

    def scale(self, module: str, rank: int) -> float:
        """s of a module by its whole name in the base."""
        own = (alpha for end, alpha in self.alpha_pattern.items() if re.match(rf"(.*\.)?({end})$", module))
        return next(own, self.alpha) / (math.sqrt(rank) if self.rank_stabilised else rank)

    @property
    def has_tokenizer(self) -> bool:
        return (self.folder / "tokenizer.json").is_file() or (self.folder / "tokenizer_config.json").is_file()


def is_adapter(folder: Path) -> bool:
    """Whether a folder holds an adapter and no model of its own."""
    return (folder / SETTINGS).is_file() and not any(folder.glob("model*.safetensors"))


def read_adapter(folder: Path) -> Adapter:
    """Raises BadInput for an adapter that is none of LoRA, or of a kind whose merge is another product."""
    path = folder / SETTINGS
    try:
        said: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        kind, alpha = str(said["peft_type"]), float(said["lora_alpha"]) if said["peft_type"] == "LORA" else 0.0
        patterns = {str(end): float(value) for end, value in (said.get("alpha_pattern") or {}).items()}
        stabilised = bool(said.get("use_rslora"))
        base, revision = str(said.get("base_model_name_or_path") or ""), str(said.get("revision") or "")
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise BadInput(
            f"expected the settings of a LoRA adapter in {path}, found something else; save it again"
        ) from None
    if kind != "LORA":
        raise BadInput(f"expected a LoRA adapter in {folder}, found {kind}; merge it with PEFT and give that folder")
    for name in _OTHERWISE:
        if said.get(name):
            raise BadInput(f"expected plain LoRA in {path}, found {name}; merge it with PEFT and give that folder")
    if _FROM_THE_BASE.match(str(said.get("init_lora_weights"))):
        found = said["init_lora_weights"]
        raise BadInput(f"expected LoRA that began beside its base in {path}, found {found}; merge it with PEFT first")
    if not (folder / WEIGHTS).is_file():
        raise BadInput(f"expected {WEIGHTS} in {folder}, found none; save the adapter as safetensors")
    return Adapter(folder, base, revision, alpha, stabilised, patterns)
