"""EDGE: a safetensors file, written tensor by tensor: what is to be kept is never held twice."""

import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

_CODES = {
    torch.float64: "F64",
    torch.int64: "I64",
    torch.float32: "F32",
    torch.uint8: "U8",
}  # the widest first: aligned


def write_tensors(
    path: Path, tensors: Mapping[str, Tensor], made: Callable[[str, Tensor], Tensor] | None = None
) -> str:
    """Write them, from any device; returns the first 16 hex digits of the file's sha256.

    made: what is written in place of a tensor, with its shape and dtype, made when its turn comes.
    """
    names = sorted(tensors, key=lambda name: (list(_CODES).index(tensors[name].dtype), name))
    header: dict[str, dict[str, Any]] = {}
    start = 0
    for name in names:
        of = tensors[name]
        stop = start + of.numel() * of.element_size()
        header[name] = {"dtype": _CODES[of.dtype], "shape": list(of.shape), "data_offsets": [start, stop]}
        start = stop
    head = json.dumps(header, separators=(",", ":")).encode()
    head += b" " * (-len(head) % 8)
    digest = hashlib.sha256()
    path.unlink(missing_ok=True)  # pages of an earlier file of that name may be in use
    with path.open("wb") as file:
        for piece in (len(head).to_bytes(8, "little"), head):
            digest.update(piece)
            file.write(piece)
        for name in names:
            of = tensors[name] if made is None else made(name, tensors[name])
            data = of.detach().cpu().contiguous().numpy().reshape(-1).view(np.uint8).data
            digest.update(data)
            file.write(data)
    return digest.hexdigest()[:16]
