"""EDGE: the fitted curvature of one model on disk, and how it is read. kronfluence writes its part as safetensors.

A factor folder holds kronfluence's eigenvectors and corrected eigenvalues, our Fisher of the embedding, and
`factors.json`, written last: which weights and tokenizer they belong to, and the hash of every file.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file

from attribution.curvature.factors import Eigenbasis, Factors
from attribution.errors import BadInput, Damaged
from attribution.model.tracked import Tracked

MANIFEST = "factors.json"
FISHER = "embedding_fisher.safetensors"
SUFFIX = ".safetensors"
KRONFLUENCE = tuple(
    f"{name}{SUFFIX}"
    for name in ("activation_eigenvectors", "gradient_eigenvectors", "lambda_matrix", "num_lambda_processed")
)
COUNTS = KRONFLUENCE[3]


def load_factors(folder: Path, tracked: Tracked) -> Factors:
    """Read the factors of exactly this model and these layers.

    Raises BadInput for factors of other weights, tokenizer or layers; Damaged for a file that is not what was written.
    """
    manifest = _manifest(folder)
    _check_owner(folder, manifest, tracked)
    for name, expected in manifest["files"].items():
        path = folder / name
        if not path.is_file() or file_hash(path) != expected:
            raise Damaged(
                f"expected {path} as it was fitted, found it missing or changed; run `python -m indexer build`"
            )
    linear = read_kronfluence(folder, tracked)
    fisher = load_file(folder / FISHER) if tracked.embedding else {}
    return Factors(
        tuple(layer.name for layer in tracked.layers),
        linear,
        tuple(fisher[layer.name].to(tracked.device) for layer in tracked.embedding),
        content_hash(manifest["files"]),
    )


def write_manifest(folder: Path, tracked: Tracked, settings: dict[str, int | str]) -> None:
    """Close a factor folder: from now on it is complete."""
    names = [*KRONFLUENCE, FISHER] if tracked.embedding else [*KRONFLUENCE]
    manifest = {
        "weights_hash": tracked.loaded.weights_hash,
        "tokenizer_hash": tracked.loaded.tokenizer_hash,
        "layers": [layer.name for layer in tracked.layers],
        "settings": settings,
        "files": {name: file_hash(folder / name) for name in names},
    }
    partial = folder / f"{MANIFEST}.partial"
    partial.write_text(json.dumps(manifest, indent=1))
    partial.replace(folder / MANIFEST)


def file_hash(path: Path) -> str:
    """First 16 hex digits of sha256."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:16]


def content_hash(files: dict[str, str]) -> str:
    """One hash for all files of a folder."""
    return hashlib.sha256(json.dumps(sorted(files.items())).encode()).hexdigest()[:16]


def _manifest(folder: Path) -> dict[str, Any]:
    path = folder / MANIFEST
    if not path.is_file():
        raise BadInput(f"expected fitted factors in {folder}, found no {MANIFEST}; run `python -m indexer build`")
    try:
        manifest: dict[str, Any] = json.loads(path.read_text())
    except ValueError:
        raise Damaged(f"expected JSON in {path}, found something else; run `python -m indexer build`") from None
    return manifest


def _check_owner(folder: Path, manifest: dict[str, Any], tracked: Tracked) -> None:
    loaded = tracked.loaded
    for what, expected in (("weights", loaded.weights_hash), ("tokenizer", loaded.tokenizer_hash)):
        found = manifest[f"{what}_hash"]
        if found != expected:
            raise BadInput(
                f"expected factors of the {what} {expected}, found those of {found} in {folder}; "
                "run `python -m indexer build` to fit them for this model"
            )
    absent = [layer.name for layer in tracked.layers if layer.name not in manifest["layers"]]
    if absent:
        raise BadInput(f"expected factors of the layer {absent[0]}, found none in {folder}; fit them with this layer")


def read_kronfluence(folder: Path, tracked: Tracked) -> tuple[Eigenbasis, ...]:
    """The tracked layers out of kronfluence's four files, which are keyed by module name; Λ is stored as a sum."""
    Q_A, Q_S, total, count = (load_file(folder / name) for name in KRONFLUENCE)

    def of(name: str) -> Eigenbasis:
        mean = total[name].double() / count[name].double()
        parts = (Q_A[name], Q_S[name], mean.to(torch.float32))
        return Eigenbasis(*(part.to(tracked.device).contiguous() for part in parts))

    return tuple(of(layer.name) for layer in tracked.linear)
