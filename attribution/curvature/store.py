"""EDGE: the fitted curvature of one model on disk, and how it is read.

A factor folder holds eigenvectors and corrected eigenvalues under kronfluence's names (an older build has its very
files), the Fisher of the embedding, and `factors.json`, written last: which weights and tokenizer they belong to, which
layers share a Q_A, and the hash of every file. On a CPU the factors are pages of these files: they are read when they
are used, and the system may drop them.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor

from attribution.curvature.factors import Eigenbasis, Factors
from attribution.errors import BadInput, Damaged
from attribution.model.tracked import Tracked
from attribution.passes.token_rates import Coverage
from attribution.tensor_file import write_tensors

MANIFEST = "factors.json"
COVERAGE = "coverage"  # in it: what the embedding's curvature has seen, where it was counted
READS = "reads"  # in it: whose Q_A a layer has, of those that have none of their own
SUFFIX = ".safetensors"
EMBEDDING = "embedding_fisher"
FISHER = f"{EMBEDDING}{SUFFIX}"
INPUTS, OUTPUTS, LAMBDA = "activation_eigenvectors", "gradient_eigenvectors", "lambda_matrix"
KRONFLUENCE = tuple(f"{name}{SUFFIX}" for name in (INPUTS, OUTPUTS, LAMBDA, "num_lambda_processed"))
COUNTS = KRONFLUENCE[3]


def load_factors(folder: Path, tracked: Tracked, *, intact: bool = False) -> Factors:
    """Read the factors of exactly this model and these layers.

    intact: the files are known to be what was written, and are not read through.
    Raises BadInput for factors of other weights, tokenizer or layers; Damaged for a file that is not what was written.
    """
    manifest = _manifest(folder)
    _check_owner(folder, manifest, tracked)
    for name, expected in manifest["files"].items():
        path = folder / name
        if not path.is_file() or not (intact or file_hash(path) == expected):
            raise Damaged(f"expected {path} as it was fitted, found it missing or changed; run `whence build`")
    linear = read_kronfluence(folder, tracked, manifest.get(READS, {}))
    fisher = load_file(folder / FISHER) if tracked.embedding else {}
    return Factors(
        tuple(layer.name for layer in tracked.layers),
        linear,
        tuple(fisher[layer.name].to(tracked.device) for layer in tracked.embedding),
        content_hash(manifest["files"]),
        Coverage(**manifest[COVERAGE]) if manifest.get(COVERAGE) else None,
    )


def write_factors(folder: Path, found: Mapping[str, Mapping[str, Tensor]], n: Mapping[str, int]) -> dict[str, str]:
    """Write what a fit has found, by kind and layer, tensor by tensor; returns the hash of each file.

    n: samples of a kind that is a sum; it is stored divided, Λ as the sum of one.
    Raises RuntimeError where something is not finite.
    """
    hashes = {}
    for kind, tensors in found.items():

        def made(name: str, of: Tensor, kind: str = kind) -> Tensor:
            if kind in n:
                of = of / n[kind]
            if not bool(torch.isfinite(of).all()):
                raise RuntimeError(f"{kind} of {name} is not finite")
            return of

        hashes[f"{kind}{SUFFIX}"] = write_tensors(folder / f"{kind}{SUFFIX}", tensors, made)
    ones = {name: torch.ones(1, dtype=torch.int64) for name in found[LAMBDA]}
    return hashes | {COUNTS: write_tensors(folder / COUNTS, ones)}


def write_manifest(
    folder: Path,
    tracked: Tracked,
    settings: dict[str, int | str],
    files: dict[str, str],
    covered: Coverage | None = None,
) -> None:
    """Close a factor folder: from now on it is complete.    files: hash of each"""
    manifest = {
        "weights_hash": tracked.loaded.weights_hash,
        "tokenizer_hash": tracked.loaded.tokenizer_hash,
        "layers": [layer.name for layer in tracked.layers],
        READS: {layer.name: tracked.linear[layer.reads].name for layer in tracked.linear if layer.reads_on},
        "settings": settings,
        "files": files,
    } | ({COVERAGE: asdict(covered)} if covered else {})
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
        raise BadInput(f"expected fitted factors in {folder}, found no {MANIFEST}; run `whence build`")
    try:
        manifest: dict[str, Any] = json.loads(path.read_text())
    except ValueError:
        raise Damaged(f"expected JSON in {path}, found something else; run `whence build`") from None
    return manifest


def _check_owner(folder: Path, manifest: dict[str, Any], tracked: Tracked) -> None:
    loaded = tracked.loaded
    for what, expected in (("weights", loaded.weights_hash), ("tokenizer", loaded.tokenizer_hash)):
        found = manifest[f"{what}_hash"]
        if found != expected:
            raise BadInput(
                f"expected factors of the {what} {expected}, found those of {found} in {folder}; "
                "run `whence build` to fit them for this model"
            )
    absent = [layer.name for layer in tracked.layers if layer.name not in manifest["layers"]]
    if absent:
        raise BadInput(f"expected factors of the layer {absent[0]}, found none in {folder}; fit them with this layer")


def read_kronfluence(folder: Path, tracked: Tracked, reads: Mapping[str, str]) -> tuple[Eigenbasis, ...]:
    """The tracked layers out of kronfluence's four files, which are keyed by module name; Λ is stored as a sum, with
    the number of samples.

    reads: whose Q_A a layer has, where not its own.
    """
    Q_A, Q_S, total, count = (load_file(folder / name) for name in KRONFLUENCE)
    inputs: dict[str, Tensor] = {}  # one for all that share it, on a GPU too

    def of(name: str) -> Eigenbasis:
        n, first = float(count[name]), reads.get(name, name)
        mean = total[name] if n == 1 else total[name].double() / n
        if first not in inputs:
            inputs[first] = Q_A[first].to(tracked.device).contiguous()
        parts = (Q_S[name], mean.to(torch.float32))
        return Eigenbasis(inputs[first], *(part.to(tracked.device).contiguous() for part in parts))

    return tuple(of(layer.name) for layer in tracked.linear)
