"""EDGE: the engine on an accelerator, each part beside plain forward and backward of the same tokens.

`python -m tests.benchmarks device`: a model in the shape of SmolLM2-135M with random weights, nothing to download. Each
part is a process of its own that is ended at its limit, all of them within eight minutes. `--tiny` runs the same in
seconds on a CPU, to see that it works.

    index       the pass over the documents that leaves norms and compressed gradients
    fit         covariances, their eigenvectors, corrected eigenvalues, the embedding's Fisher
    exact       directions of an answer, and scores by layer of all documents
    ask         estimates of all documents, exact scores of the first, position shares of a few
    saliency    of an answer to a long prompt
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch.nn.functional import cross_entropy

from attribution.curvature.blocks import Preconditioner, damp
from attribution.curvature.fit import fit_factors
from attribution.exact.scores import score_documents
from attribution.exact.shares import position_shares
from attribution.index.compress import DIRECTIONS, Compressed, budget
from attribution.index.corpus_pass import corpus_pass
from attribution.index.metric import metrics
from attribution.index.query import index_queries
from attribution.index.shards import Shard, products
from attribution.model.tracked import Tracked, track
from attribution.passes.batches import Row, batches
from attribution.prompt.saliency.saliency import saliencies
from attribution.query.solve import query_directions
from tests.benchmarks.random_models import SMOLLM2, TINY, Shape, random_model, random_rows, unit_factors

LIMITS = {"index": 70, "fit": 190, "exact": 70, "ask": 70, "saliency": 60}  # seconds, the start of the process included
RANK, SHARED = 2, 5
METHODS = ("grad_norm", "grad_x_input")
DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}


@dataclass(frozen=True)
class Size:
    """How much of everything."""

    shape: Shape
    documents: int
    length: int  # tokens of a document
    prompt: int  # tokens of an asked prompt
    long_prompt: int  # of one whose saliency is asked for
    answer: int
    exact: int  # documents that `ask` scores


FULL = Size(SMOLLM2, documents=64, length=512, prompt=40, long_prompt=512, answer=24, exact=20)
SMALL = Size(TINY, documents=6, length=12, prompt=5, long_prompt=20, answer=3, exact=3)

Prepared = tuple[Callable[[], object], Sequence[Row]]  # the work, and the tokens of the pass that stands beside it


def prepare(part: str, tracked: Tracked, size: Size) -> Prepared:
    """What is measured of one part; what it stands on is made here."""
    rows = random_rows(size.shape, size.documents, size.length)
    [asked] = random_rows(size.shape, 1, size.prompt + size.answer, seed=2)
    [long] = random_rows(size.shape, 1, size.long_prompt + size.answer, seed=3)
    n, H = len(rows), damp(unit_factors(tracked))
    most = budget(tracked, RANK)
    if part == "index":
        return lambda: corpus_pass(tracked, H, rows, n, budget=most), rows
    if part == "fit":
        return lambda: _fit(tracked, rows), rows
    if part == "exact":
        return lambda: _exact(tracked, H, asked, size.prompt, rows), [asked, *rows]
    if part == "ask":
        passed = corpus_pass(tracked, H, rows, n, budget=most)
        kept = tuple(Compressed(*(x.cpu() for x in (of.left, of.right, of.scale, of.document))) for of in passed.kept)
        shard = Shard(0, n, kept, torch.from_numpy(passed.hidden), torch.ones(n))
        return lambda: _ask(tracked, H, asked, size, rows, shard), [asked, *rows[: size.exact]]
    ids = (long.ids[: size.long_prompt], long.ids[size.long_prompt :])
    return lambda: saliencies(tracked.loaded.model, *ids, METHODS), [long]


def _fit(tracked: Tracked, rows: Sequence[Row]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        fit_factors(tracked, rows, Path(folder) / "factors", n_eigenvalues=max(1, len(rows) // 4))


def _exact(tracked: Tracked, H: Preconditioner, asked: Row, first: int, rows: Sequence[Row]) -> None:
    score_documents(tracked, query_directions(tracked, H, asked.ids, first), rows, len(rows))


def _ask(tracked: Tracked, H: Preconditioner, asked: Row, size: Size, rows: Sequence[Row], shard: Shard) -> None:
    scales = metrics(tracked, H.eigen(tracked), DIRECTIONS)
    queries = index_queries(tracked, H, scales, H, asked.ids, size.prompt)
    estimates = products([shard], queries, tracked.schedule.vectors)  # [K, D]
    best = estimates.abs().sum(dim=0).topk(size.exact).indices.tolist()
    directions = query_directions(tracked, H, asked.ids, size.prompt)
    some = [rows[i] for i in best]
    score_documents(tracked, directions, some, len(rows))
    position_shares(tracked, directions, some, [range(min(SHARED, len(some)))] * directions.n, len(rows))


def plain(tracked: Tracked, rows: Sequence[Row]) -> None:
    """Forward and backward of the summed loss, with the gradient of every weight, in the same batches."""
    model = tracked.loaded.model
    for batch in batches(rows, tracked.loaded.context, tracked.device, tracked.schedule.tokens):
        logits = model(input_ids=batch.ids, use_cache=False).logits[batch.is_target]
        cross_entropy(logits.float(), batch.labels, reduction="sum").backward()
        model.zero_grad(set_to_none=True)


def measured(part: str, size: Size, device: str, dtype: torch.dtype = torch.float32) -> dict[str, Any]:
    """Seconds of a part and of plain passes over as many tokens, each after one that is not counted; of the part, the
    most memory of the device."""
    tracked = track(random_model(size.shape, device, dtype))
    work, rows = prepare(part, tracked, size)
    plain(tracked, rows[:1])
    beside = _seconds(lambda: plain(tracked, rows), tracked.device)
    if part != "fit":  # which takes longest, and has nothing that only its first kernel pays
        work()
    if tracked.device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(tracked.device)
    seconds = _seconds(work, tracked.device)
    memory = torch.cuda.max_memory_allocated(tracked.device) if tracked.device.type == "cuda" else 0
    return {"part": part, "tokens": sum(map(len, rows)), "seconds": seconds, "plain": beside, "memory": memory}


def _seconds(work: Callable[[], object], device: torch.device) -> float:
    def now() -> float:
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        return time.perf_counter()

    started = now()
    work()
    return now() - started


def line(found: dict[str, Any]) -> str:
    """A row of the table."""
    if "seconds" not in found:
        return f"{found['part']:10}{found['why']}"
    memory = f"{found['memory'] / 1e9:.2f}" if found["memory"] else "-"
    seconds, beside = found["seconds"], found["plain"]
    return f"{found['part']:10}{found['tokens']:>9,}{seconds:>10.2f}{beside:>10.2f}{seconds / beside:>9.1f}{memory:>10}"


def in_child(part: str, limit: float, arguments: Sequence[str]) -> dict[str, Any]:
    """A part in a process of its own, or why there is none."""
    command = [sys.executable, "-m", "tests.benchmarks.bench_device", "--part", part, *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=limit, check=False)
    except subprocess.TimeoutExpired:
        return {"part": part, "why": f"more than {limit:.0f} s"}
    if done.returncode:
        return {"part": part, "why": f"failed: {(done.stderr.strip().splitlines() or ['no message'])[-1][:150]}"}
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--dtype", choices=DTYPES, default="float32")
    parser.add_argument("--tiny", action="store_true", help="a model of two layers, for a CPU")
    parser.add_argument("--only", choices=LIMITS)
    parser.add_argument("--part", choices=LIMITS, help=argparse.SUPPRESS)
    given = parser.parse_args()
    size = SMALL if given.tiny else FULL
    if given.part:
        print(json.dumps(measured(given.part, size, given.device, DTYPES[given.dtype])))
        return 0
    if given.device == "cpu" and not given.tiny:
        print("expected an accelerator, found none; --tiny tries the same on a CPU", file=sys.stderr)
        return 2
    arguments = ["--device", given.device, "--dtype", given.dtype, *(["--tiny"] if given.tiny else [])]
    print(f"{given.device}, {given.dtype}, {size.shape}, {size.documents} documents of {size.length} tokens")
    print(f"{'part':10}{'tokens':>9}{'s':>10}{'plain s':>10}{'ratio':>9}{'GB':>10}")
    rows = [in_child(part, LIMITS[part], arguments) for part in LIMITS if given.only in (None, part)]
    for found in rows:
        print(line(found), flush=True)
    return int(any("seconds" not in found for found in rows))


if __name__ == "__main__":
    sys.exit(main())
