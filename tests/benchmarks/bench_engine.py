"""EDGE: the engine against kronfluence and against the physical floor: `python -m tests.benchmarks.bench_engine`.

Same model, documents, queries, factors, damping and float32 on both sides; both sides alternate, medians are printed.
kronfluence gets its documents by length, so that its batches waste little padding, and the batch size that was fastest
here. It pads per-token scores to one length: there it gets the long quarter of them apart. The embedding block is off
where kronfluence takes part, since it has none. Below each table: the seconds that the operations alone would take
which this method cannot leave out (see `floor.py`); the ratio to kronfluence cannot exceed its time over that.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch.nn.functional import cross_entropy

from attribution.curvature.blocks import Preconditioner, damp
from attribution.exact.scores import score_documents
from attribution.exact.shares import position_shares
from attribution.exact.token_loss import token_losses
from attribution.index.corpus_pass import corpus_pass
from attribution.loading.load import load_model
from attribution.model.sequence import encode_document
from attribution.model.tracked import Tracked, track
from attribution.passes.batches import Row, batches
from attribution.passes.capture import capture
from attribution.query.directions import Directions, join_directions
from attribution.query.low_rank import factor
from attribution.query.solve import query_directions
from tests.attribution.curvature.kronfluence_oracle import Oracle, token_queries
from tests.benchmarks import floor
from tests.benchmarks.alternate import compare

DEMO = Path(__file__).parents[2] / "data" / "demo"
TOKENS, ANSWERS = 8, 8  # 64 queries: the last 8 tokens of 8 texts
N = 6461


@dataclass
class Bench:
    """What both sides work on."""

    tracked: Tracked
    documents: list[Row]
    answers: list[Row]
    oracle: Oracle
    H: Preconditioner
    rate: float  # operations a second

    def queries(self) -> Directions:
        parts = [query_directions(self.tracked, self.H, of.ids, len(of) - TOKENS) for of in self.answers]
        return join_directions(parts)

    def their_queries(self) -> list[Row]:
        return [query for of in self.answers for query in token_queries(of.ids, len(of) - TOKENS)]

    def their_positions(self, documents: Sequence[Row], rank: int | None = None) -> None:
        """kronfluence's per-token scores: the long documents apart, since all of a call are padded to one length."""
        queries, long = self.their_queries(), len(documents) * 3 // 4
        for group in (documents[:long], documents[long:]):
            self.oracle.scores(queries, group, by_position=True, rank=rank, batch=16)


def plain_pass(tracked: Tracked, documents: Sequence[Row]) -> None:
    """The floor: forward and backward of the summed loss, in the same batches."""
    model = tracked.loaded.model
    for batch in batches(documents, tracked.loaded.context, tracked.device):
        logits = model(input_ids=batch.ids, use_cache=False).logits[batch.is_target]
        cross_entropy(logits, batch.labels, reduction="sum").backward()
        model.zero_grad(set_to_none=True)


def captures(tracked: Tracked, documents: Sequence[Row]) -> None:
    for batch in batches(documents, tracked.loaded.context, tracked.device):
        capture(tracked, batch)


def scores(bench: Bench, rounds: int) -> None:
    """(a) exact scores by layer of all documents for 64 queries, queries included."""
    tracked, documents, n_queries = bench.tracked, bench.documents, TOKENS * ANSWERS
    least = floor.passes(tracked, documents) + floor.gradients(tracked, documents)
    least += floor.products(tracked, n_queries, len(documents)) + floor.solves(tracked, n_queries)
    compare(
        f"(a) exact scores by layer, {n_queries} queries x {len(documents)} documents",
        {
            "whence": lambda: score_documents(tracked, bench.queries(), documents, N),
            "kronfluence, per module": lambda: bench.oracle.scores(bench.their_queries(), documents),
        },
        rounds,
        least / bench.rate,
    )


def shares(bench: Bench, rounds: int, n_all: int) -> None:
    """(b) position shares by layer: for each query its own top 20, then some documents for all queries."""
    tracked = bench.tracked
    values = score_documents(tracked, bench.queries(), bench.documents, N).values.sum(axis=2)
    own = [[int(i) for i in of.argsort()[::-1][:20]] for of in values]
    top = sorted({i for of in own for i in of})
    place = {document: i for i, document in enumerate(top)}
    few, mine = [bench.documents[i] for i in top], [[place[i] for i in of] for of in own]
    share_sides(
        bench, f"(b) position shares by layer, 64 queries over their own top 20 of {len(few)}", few, mine, rounds
    )
    some = bench.documents[:: max(1, len(bench.documents) // n_all)]
    share_sides(bench, f"    the same, 64 queries over all of {len(some)}", some, [range(len(some))] * len(own), 1)


def share_sides(bench: Bench, title: str, documents: list[Row], own: Sequence[Sequence[int]], rounds: int) -> None:
    tracked, factors = bench.tracked, bench.oracle.factors
    n_tokens = sum(len(documents[i]) for of in own for i in of)
    solved = floor.passes(tracked, documents) + floor.solves(tracked, len(own))

    def low_rank() -> object:
        d = bench.queries()
        return position_shares(tracked, d, documents, own, N, factored=factor(d, factors, 32))

    compare(
        f"{title} documents, full rank",
        {
            "whence": lambda: position_shares(tracked, bench.queries(), documents, own, N),
            "kronfluence": lambda: bench.their_positions(documents),
        },
        rounds,
        (solved + floor.position_shares(tracked, n_tokens)) / bench.rate,
    )
    compare(
        f"{title} documents, rank 32",
        {"whence": low_rank, "kronfluence": lambda: bench.their_positions(documents, 32)},
        rounds,
        (solved + floor.position_shares(tracked, n_tokens, 32)) / bench.rate,
    )


def passes(bench: Bench, rounds: int) -> None:
    """(c) the document pass against forward and backward alone; here with the embedding block."""
    whole = track(bench.tracked.loaded)
    factors = bench.oracle.factors
    fisher = torch.rand(whole.layers[-1].n_out, whole.layers[-1].n_in) + 0.1  # its values do not change its cost
    H = damp(type(factors)(tuple(of.name for of in whole.layers), factors.linear, (fisher,), ""))
    compare(
        f"(c) one pass over {len(bench.documents)} documents",
        {
            "plain forward + backward (the floor)": lambda: plain_pass(bench.tracked, bench.documents),
            "whence, captured": lambda: captures(whole, bench.documents),
            "whence, norms and self-influence, linear": lambda: corpus_pass(bench.tracked, bench.H, bench.documents, N),
            "whence, norms and self-influence, with embedding": lambda: corpus_pass(whole, H, bench.documents, N),
        },
        rounds,
    )
    d = bench.queries()
    own = [range(20)] * 4
    compare(
        "(d) token-loss influence and relabelling, 4 queries x 20 documents",
        {
            "whence": lambda: token_losses(
                bench.tracked, d, bench.documents[:: max(1, len(bench.documents) // 20)], own, N
            )
        },
        rounds,
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--model", type=Path, default=DEMO / "models" / "atlas-m")
    parser.add_argument("--documents", type=int, default=2000)
    parser.add_argument("--all", type=int, default=125, help="documents of the position shares over all documents")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--only", choices=["scores", "shares", "passes"])
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    loaded = load_model(str(given.model))
    with (DEMO / "corpus.jsonl").open() as file:
        texts = [json.loads(line)["text"] for line in file]
    encoded = [Row(encode_document(text, loaded.tokenizer, loaded.context).ids) for text in texts]
    step = len(encoded) // given.documents
    documents = sorted(encoded[::step][: given.documents], key=len)
    answers = [of for of in encoded[1::step] if len(of) > 2 * TOKENS][:ANSWERS]
    tracked = track(loaded, embedding=False)
    with tempfile.TemporaryDirectory() as scratch:
        oracle = Oracle(tracked, documents, Path(scratch), 200)
        bench = Bench(tracked, documents, answers, oracle, damp(oracle.factors), floor.rate())
        n_tokens = sum(map(len, documents))
        print(f"{given.model.name}: {sum(of.n_out * of.n_in for of in tracked.layers):,} tracked parameters, "
              f"{n_tokens:,} tokens, longest document {len(documents[-1])}, {given.threads} thread, "
              f"{bench.rate / 1e9:.0f} billion operations a second")  # fmt: skip
        if given.only in (None, "scores"):
            scores(bench, given.rounds)
        if given.only in (None, "shares"):
            shares(bench, given.rounds, given.all)
        if given.only in (None, "passes"):
            passes(bench, given.rounds)
    return 0


if __name__ == "__main__":
    sys.exit(main())
