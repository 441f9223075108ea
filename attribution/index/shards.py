"""EDGE: the gradient index on disk: shards of consecutive documents, each one safetensors file that is memory-mapped.

Opening a shard reads its header only; a scan reads what it multiplies, and the system may drop those pages again. So
memory does not grow with the corpus, that of a GPU neither (`streamed.py`).
"""

import json
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from attribution.errors import Damaged
from attribution.index.compress import Compressed
from attribution.index.query import LayerQuery
from attribution.index.scan import estimate
from attribution.index.streamed import streamed
from attribution.schedule import Schedule
from attribution.threads import threads

_FIELDS = ("left", "right", "scale", "document")


@dataclass(frozen=True)
class Shard:
    """Documents `first` … `first + n` of a corpus. Numbers in `kept` count from 0."""

    first: int
    n: int
    kept: tuple[Compressed, ...]  # by layer
    hidden: Tensor  # float16 [n, H] mean last hidden states of length 1
    energy: Tensor  # float32 [n] ∇Lᵀ (G + λI)⁻¹ ∇L: the squared length of the whitened gradient


def write_shard(path: Path, shard: Shard, layers: Sequence[str]) -> None:
    """One file; the layers' names stand in its header."""
    tensors = {"hidden": shard.hidden, "energy": shard.energy}
    for i, kept in enumerate(shard.kept):
        tensors |= {f"{i}.{name}": getattr(kept, name).contiguous() for name in _FIELDS}
    about = {"first": str(shard.first), "n": str(shard.n), "layers": json.dumps(list(layers))}
    save_file(tensors, path, metadata=about)


def open_shard(path: Path, layers: Sequence[str]) -> Shard:
    """Mapped into memory, on the host. Raises Damaged for a file that is no shard of exactly these layers."""
    try:
        with safe_open(path, framework="pt") as file:
            about = file.metadata() or {}
            if json.loads(about.get("layers", "[]")) != list(layers):
                raise Damaged(f"expected a shard of {len(layers)} layers in {path}, found another; run build again")
            kept = tuple(Compressed(*(file.get_tensor(f"{i}.{name}") for name in _FIELDS)) for i in range(len(layers)))
            hidden, energy = file.get_tensor("hidden"), file.get_tensor("energy")
    except (SafetensorError, OSError, ValueError) as error:
        raise Damaged(f"expected a shard of the gradient index in {path}, found {error}; run build again") from None
    return Shard(int(about["first"]), int(about["n"]), kept, hidden, energy)


def products(shards: Sequence[Shard], queries: Sequence[LayerQuery], vectors: int = Schedule.vectors) -> Tensor:
    """Estimated `⟨P_q, ∇L(z)⟩` of every document of the shards, in their order, where the queries are  # [K, D]"""
    device = queries[0].mix.device

    def of(shard: Shard) -> Tensor:
        return estimate(streamed(shard.kept, device), queries, shard.n, vectors)

    return torch.cat(_each(of, shards) if device.type == "cpu" else [of(shard) for shard in shards]).T


def _each(work: Callable[[Shard], Tensor], shards: Sequence[Shard]) -> list[Tensor]:
    """Shards side by side: products are too small for one of them to be split among threads."""
    n_threads = min(torch.get_num_threads(), len(shards))
    with threads(1), ThreadPoolExecutor(n_threads) as pool:
        return list(pool.map(work, shards))
