"""EDGE: a real model beside kronfluence, as fast and with as little memory as its own options make it:
`python -m tests.benchmarks kronfluence --model FOLDER`, of SmolLM2-135M-Instruct, converted with `whence convert`.

Linear layers only, since it has no embedding block; same documents, damping, float32, and for the scores the factors of
its own fit. Each measurement is a process of its own, in turn. kronfluence has its module partitions, scores by module,
and no low rank of query gradients. Its scores are measured over two numbers of documents, and the line through both
gives its time for all; what it does for its queries alone is in it once. Memory is that above the open model;
with one thread the seconds are those of the processor.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from kronfluence.analyzer import Analyzer
from kronfluence.arguments import FactorArguments, ScoreArguments
from kronfluence.utils.dataset import DataLoaderKwargs

from attribution.curvature.blocks import damp
from attribution.curvature.factors import Eigenbasis, Factors
from attribution.curvature.fit import draw, fit_factors
from attribution.curvature.kronfluence import Wrapped, columns, windows
from attribution.exact.scores import score_documents
from attribution.loading.load import load_model
from attribution.model.sequence import encode_document
from attribution.model.tracked import Tracked, track
from attribution.passes.batches import Row
from attribution.query.directions import join_directions
from attribution.query.settled import settled
from attribution.query.solve import query_directions
from attribution.rank_correlation import pearson, spearman
from tests.attribution.curvature.kronfluence_oracle import Sample, token_queries
from tests.benchmarks.alternate import clock
from tests.benchmarks.own_memory import watched

DEMO = Path(__file__).parents[2] / "data" / "demo"
TOKENS = 12  # of each answer
BATCH = 8  # documents that kronfluence reads at once
WORKS = ("their fit", "our fit", "their scores of few", "their scores", "our scores")


@dataclass(frozen=True)
class Asked:
    """How much of everything."""

    model: str
    documents: int  # of the scores
    fitted: int  # of the fit
    theirs: int  # documents that kronfluence scores, and a third of them
    answers: int
    partitions: int
    threads: int


def texts(asked: Asked, tracked: Tracked) -> tuple[list[Row], list[Row]]:
    """Documents, and answers: texts whose last TOKENS tokens are explained."""
    lines = [json.loads(line)["text"] for line in (DEMO / "corpus.jsonl").open(encoding="utf-8")]
    loaded, step = tracked.loaded, len(lines) // (asked.documents + asked.answers)
    encoded = [Row(encode_document(text, loaded.tokenizer, loaded.context).ids) for text in lines[:: max(1, step)]]
    answers = [of for of in encoded[asked.documents :] if len(of) > TOKENS + 1][: asked.answers]
    return encoded[: asked.documents], answers


def child(asked: Asked, work: str, folder: Path) -> dict[str, Any]:
    """Seconds and bytes of one measurement, in this process; scores are left in the folder."""
    torch.set_num_threads(asked.threads)
    tracked = track(load_model(asked.model, "cpu"), embedding=False)
    documents, answers = texts(asked, tracked)
    theirs = work.startswith("their")
    analyzer = _analyzer(tracked, folder)
    sample, scores = draw(documents, asked.fitted, 0), None
    some = documents[: asked.theirs // 3 if work.endswith("few") else asked.theirs if theirs else None]
    with warnings.catch_warnings(), watched() as memory:
        warnings.simplefilter("ignore")
        now = clock()
        started = now()
        if work == "their fit":
            _their_fit(analyzer, sample, asked.partitions)
        elif work == "our fit":
            fit_factors(tracked, sample, folder / "ours", n_documents=len(sample), n_eigenvalues=len(sample))
        elif theirs:
            scores = _their_scores(analyzer, tracked, answers, some, asked.partitions)
        else:
            scores = _our_scores(analyzer, tracked, answers, some)
        seconds = now() - started
    if scores is not None:
        np.save(folder / f"{work}.npy", scores)
    return {"seconds": seconds, "own": memory.peak - memory.before, "tokens": sum(map(len, sample))}


def _analyzer(tracked: Tracked, folder: Path) -> Analyzer:
    """kronfluence over modules of its own with the same weights."""
    wrapped = Wrapped(tracked, 0)
    found = Analyzer("fit", wrapped.model, wrapped.task, cpu=True, disable_tqdm=True, output_dir=str(folder))
    found.set_dataloader_kwargs(DataLoaderKwargs(collate_fn=columns))
    return found


def _their_fit(analyzer: Analyzer, sample: Sequence[Row], partitions: int) -> None:
    arguments = FactorArguments(
        strategy="ekfac", covariance_module_partitions=partitions, lambda_module_partitions=partitions
    )
    named: Any = {"factors_name": "ekfac", "factor_args": arguments, "overwrite_output_dir": True}
    dataset = Sample(windows(sample))
    analyzer.fit_covariance_matrices(dataset=dataset, per_device_batch_size=BATCH, **named)
    analyzer.perform_eigendecomposition(**named)
    analyzer.fit_lambda_matrices(dataset=dataset, per_device_batch_size=BATCH, **named)


def _their_scores(
    analyzer: Analyzer, tracked: Tracked, answers: Sequence[Row], documents: Sequence[Row], partitions: int
) -> Any:
    queries = [query for of in answers for query in token_queries(of.ids, len(of) - TOKENS)]
    analyzer.compute_pairwise_scores(
        scores_name="scores",
        factors_name="ekfac",
        query_dataset=Sample(queries),
        train_dataset=Sample(documents),
        per_device_query_batch_size=len(queries),
        per_device_train_batch_size=BATCH,
        score_args=ScoreArguments(damping_factor=None, compute_per_module_scores=True, module_partitions=partitions),
        overwrite_output_dir=True,
    )
    found = analyzer.load_pairwise_scores("scores")
    return torch.stack([found[layer.name] for layer in tracked.linear], dim=-1).numpy()


def _our_scores(analyzer: Analyzer, tracked: Tracked, answers: Sequence[Row], documents: Sequence[Row]) -> Any:
    H = damp(_factors(analyzer, tracked))
    directions = join_directions([query_directions(tracked, H, of.ids, len(of) - TOKENS) for of in answers])
    some = settled(tracked, directions, sum(map(len, documents)))
    return score_documents(tracked, some, documents, len(documents)).values


def _factors(analyzer: Analyzer, tracked: Tracked) -> Factors:
    """Those of its fit."""
    vectors, sums = analyzer.load_eigendecomposition("ekfac"), analyzer.load_lambda_matrices("ekfac")

    def of(name: str) -> Eigenbasis:
        lam = (sums["lambda_matrix"][name].double() / sums["num_lambda_processed"][name]).float()
        return Eigenbasis(*(vectors[f"{side}_eigenvectors"][name] for side in ("activation", "gradient")), lam)

    names = tuple(layer.name for layer in tracked.linear)
    return Factors(names, tuple(map(of, names)), (), "theirs")


def show(found: dict[str, dict[str, Any]], asked: Asked, folder: Path) -> None:
    """The table: both sides, and how many times as fast and small ours is."""
    few, many = found["their scores of few"]["seconds"], found["their scores"]["seconds"]
    each = (many - few) / (asked.theirs - asked.theirs // 3)
    whole = many + each * (asked.documents - asked.theirs)
    print(f"{'':44}{'s':>9}{'own MB':>9}")
    lines = {
        f"fit of {asked.fitted} documents, kronfluence": found["their fit"],
        "    whence": found["our fit"],
        f"scores over {asked.theirs} documents, kronfluence": found["their scores"],
        f"    over {asked.documents}, extrapolated": found["their scores"] | {"seconds": whole},
        f"scores over {asked.documents} documents, whence": found["our scores"],
    }
    for name, of in lines.items():
        print(f"{name:44}{of['seconds']:>9.1f}{of['own'] / 1e6:>9,.0f}")
    for name, seconds in (("fit", found["their fit"]["seconds"]), ("scores", whole)):
        ours, theirs = found[f"our {name}"], found[f"their {name}"]
        print(f"{name}: {seconds / ours['seconds']:.2f} times as fast, {ours['own'] / theirs['own']:.2f} of the memory")
    theirs, ours = (np.load(folder / f"{name} scores.npy") for name in ("their", "our"))
    ours = ours[:, : theirs.shape[1]]  # kronfluence's are N times these, for the loss of a query falls as log p rises
    same = pearson(theirs.ravel(), ours.ravel())
    rank = spearman(theirs.sum(-1).ravel(), ours.sum(-1).ravel())
    print(f"agreement: Spearman {rank:.5f} of {ours[..., 0].size} scores, Pearson {same:.7f} by layer")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--model", required=True, help="a transformers folder")
    parser.add_argument("--documents", type=int, default=1000)
    parser.add_argument("--fitted", type=int, default=200)
    parser.add_argument("--theirs", type=int, default=90)
    parser.add_argument("--answers", type=int, default=5)
    parser.add_argument("--partitions", type=int, default=8)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    given = vars(parser.parse_args())
    which = given.pop("child")
    asked = Asked(**given)
    if which:
        print(json.dumps(child(asked, which[0], Path(which[1]))))
        return
    arguments = [f"--{name}={value}" for name, value in given.items()]
    with tempfile.TemporaryDirectory() as scratch:
        found = {}
        for work in WORKS:
            command = [sys.executable, "-m", "tests.benchmarks.bench_kronfluence", *arguments, "--child", work, scratch]
            done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
            found[work] = json.loads(done.stdout.splitlines()[-1])
            print(f"{work}: {found[work]['seconds']:.1f} s", file=sys.stderr, flush=True)
        show(found, asked, Path(scratch))


if __name__ == "__main__":
    main()
