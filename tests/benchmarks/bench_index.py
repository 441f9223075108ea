"""EDGE: the gradient index: quality, cost of its pass, speed: `python -m tests.benchmarks.bench_index`.

Quality: for prompts that the demo does not have, the share of the exact ten most influential documents of the whole
corpus that the estimate has among its first 50 and 200. How `ask` grows with the corpus: see `bench_growth`.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from attribution.curvature.blocks import Preconditioner, damp, same_inputs
from attribution.curvature.fit import fit_factors
from attribution.curvature.store import load_factors
from attribution.curvature.turned import turned
from attribution.exact.scores import score_documents
from attribution.index.compress import DIRECTIONS, budget, compress, vectors
from attribution.index.corpus_pass import Passed, corpus_pass
from attribution.index.metric import metrics
from attribution.index.query import PAIRS, index_queries
from attribution.index.shards import Shard, products
from attribution.influence import influence
from attribution.loading.load import LoadedModel, load_model
from attribution.model.generate import generate
from attribution.model.sequence import encode_document, encode_prompt
from attribution.model.tracked import Tracked, track
from attribution.passes.batches import Row, batches
from attribution.passes.capture import capture
from attribution.query.directions import join_directions
from attribution.query.solve import query_directions
from attribution.rank_correlation import spearman
from indexer.evaluate.measures.index_recall import recall
from indexer.evaluate.measures.removal import top
from tests.attribution.curvature.kronfluence_oracle import Oracle, token_queries
from tests.benchmarks import floor
from tests.benchmarks.alternate import compare
from tests.benchmarks.bench_engine import plain_pass
from tests.benchmarks.varied_corpus import varied

DEMO = Path(__file__).parents[2] / "data" / "demo"
QUERIES, TOKENS = 100, 12
SHARD, PASSED = 2048, 8  # documents of a shard; shards that are passed through the model


@dataclass
class Bench:
    """A model, its corpus, its curvature, and questions that the demo does not ask."""

    tracked: Tracked
    documents: list[Row]
    texts: list[str]
    H: Preconditioner
    questions: list[tuple[tuple[int, ...], int]]  # ids of prompt and answer, first generated token
    pairs: float  # that a query keeps, a layer on average

    @property
    def names(self) -> list[str]:
        return [layer.name for layer in self.tracked.layers]

    def as_many(self, n: int) -> list[Row]:
        """n documents, evenly over the corpus; more than it has are varied ones."""
        if n <= len(self.documents):
            return self.documents[:: max(1, len(self.documents) // n)]
        return as_read(self.tracked.loaded, list(varied(self.texts, n)))

    def estimates(self, shards: list[Shard], ids: tuple[int, ...], first: int) -> NDArray[np.float32]:
        """[K, D] nats"""
        scales = metrics(self.tracked, self.H.eigen(self.tracked), DIRECTIONS)
        queries = index_queries(self.tracked, self.H, scales, self.H, ids, first, pairs=self.pairs)
        with torch.inference_mode():
            return influence(products(shards, queries), len(self.documents)).numpy()


def as_read(loaded: LoadedModel, texts: Sequence[str]) -> list[Row]:
    return [Row(encode_document(text, loaded.tokenizer, loaded.context).ids) for text in texts]


def shard(made: Passed, first: int = 0) -> Shard:
    energy = torch.from_numpy(np.nan_to_num(made.norms.self_influence))
    return Shard(first, len(energy), tuple(made.kept), torch.from_numpy(made.hidden), energy)


def quality(bench: Bench, ranks: list[float]) -> None:
    """Recall of the exact top ten of first tokens, asked together with the rest of the answer, by size of the index."""
    asked = [(ids[: first + 1], first) for ids, first in bench.questions]
    exact = []
    for start in range(0, len(asked), 50):
        directions = [query_directions(bench.tracked, bench.H, *each) for each in asked[start : start + 50]]
        found = score_documents(bench.tracked, join_directions(directions), bench.documents, len(bench.documents))
        exact.append(found.values.sum(-1))
    truth = np.concatenate(exact)
    print(f"\nquality: {len(asked)} questions over {len(bench.documents)} documents, exact EK-FAC with embedding")
    print("  rank  KB a document  in 50  in 200  Spearman")
    for rank in ranks:
        made = corpus_pass(
            bench.tracked, bench.H, bench.documents, len(bench.documents), budget=budget(bench.tracked, rank)
        )
        shards = [shard(made)]
        found = np.stack([bench.estimates(shards, *each)[0] for each in bench.questions])
        size = sum(of.nbytes for of in made.kept) / len(bench.documents) / 1000
        pairs = list(zip(truth, found, strict=True))
        in_50, in_200 = (np.mean([recall(t, top(e, n)) for t, e in pairs]) for n in (50, 200))
        rho = np.mean([spearman(t, e) for t, e in pairs])
        print(f"  {rank:4g}  {size:13.1f}  {in_50:5.3f}  {in_200:6.3f}  {rho:8.3f}", flush=True)


def cost_of_the_pass(bench: Bench, rank: float, rounds: int) -> None:
    """Against a plain forward and backward over the same tokens."""
    tracked, some = bench.tracked, bench.documents[::8]
    eigen, diagonal = bench.H.eigen(tracked), bench.H.diagonal(tracked)
    scales, most = metrics(tracked, eigen, DIRECTIONS), budget(tracked, rank)
    shared = same_inputs(tracked, eigen)

    def index_only() -> None:
        for batch in batches(some, tracked.loaded.context, tracked.device):
            captured = capture(tracked, batch)
            compress(tracked, diagonal, list(vectors(scales, turned(captured, eigen, shared))), captured, most)

    compare(
        f"the pass over {len(some)} documents",
        {
            "plain forward + backward (the floor)": lambda: plain_pass(tracked, some),
            "whence, index": index_only,
            "whence, norms and self-influence": lambda: corpus_pass(tracked, bench.H, some, len(some)),
            "whence, index, norms and self-influence": lambda: corpus_pass(
                tracked, bench.H, some, len(some), budget=most
            ),
        },
        rounds,
        sum(of(tracked, some) for of in (floor.passes, floor.turning, floor.gradients)) / floor.rate(),
    )


def borrowed(tracked: Tracked, H: Preconditioner, documents: list[Row], most: int) -> list[Shard]:
    """The index of every step-th shard, standing for those after it as well where there are many documents: the time of
    a scan does not depend on what the bytes say."""
    starts = range(0, len(documents), SHARD)
    step = max(1, len(starts) // PASSED)
    shards: list[Shard] = []
    for i, start in enumerate(starts):
        part = documents[start : start + SHARD]
        if i % step == 0 or len(part) < SHARD:
            made = corpus_pass(tracked, H, part, len(documents), budget=most)
        shards.append(shard(made, start))
    return shards


def against_kronfluence(bench: Bench, rank: float, n_theirs: int, rounds: int, folder: Path) -> None:
    """The same 12 new queries over the same documents; kronfluence walks through them again."""
    tracked = track(bench.tracked.loaded, embedding=False)
    some = sorted(bench.as_many(n_theirs), key=len)
    oracle = Oracle(tracked, bench.documents, folder / "oracle", 200)
    H = damp(oracle.factors)
    ours = Bench(tracked, some, bench.texts, H, bench.questions, bench.pairs)
    shards = borrowed(tracked, H, some, budget(tracked, rank))
    ids, first = max(bench.questions, key=lambda of: len(of[0]) - of[1])
    theirs = token_queries(ids, first)

    def exactly() -> None:
        best = np.unique(np.concatenate([top(of, 20) for of in ours.estimates(shards, ids, first)]))
        score_documents(tracked, query_directions(tracked, H, ids, first), [some[i] for i in best], len(some))

    ours.estimates(shards[:1], ids, first)  # what is done once in a process, on both sides
    oracle.scores(theirs, some[:64])
    threads = torch.get_num_threads()
    compare(
        f"{len(ids) - first} new queries over {len(some)} documents ({threads} threads, linear layers, float32)",
        {
            "whence, estimates of all": lambda: ours.estimates(shards, ids, first),
            "whence, and the 20 first of each exactly": exactly,
            "kronfluence, all exactly": lambda: oracle.scores(theirs, some),
        },
        rounds,
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--model", type=Path, default=DEMO / "models" / "atlas-s")
    parser.add_argument("--ranks", type=float, nargs="+", default=[1.0, 2.0, 3.0])
    parser.add_argument("--pairs", type=float, default=PAIRS, help="that a query keeps, a layer on average")
    parser.add_argument("--factors", type=int, default=600, help="documents that the curvature is fitted on")
    parser.add_argument(
        "--theirs",
        type=int,
        default=1000,
        help="documents of the comparison with kronfluence, varied ones if need be",
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--only", choices=["quality", "pass", "kronfluence"])
    given = parser.parse_args()
    loaded = load_model(str(given.model))
    tracked = track(loaded)
    rows = [json.loads(line) for line in (DEMO / "corpus.jsonl").open()]
    texts = [row["text"] for row in rows]
    documents = as_read(loaded, texts)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        torch.set_num_threads(given.threads)
        fit_factors(tracked, documents, folder / "factors", n_documents=given.factors, n_eigenvalues=150)
        H = damp(load_factors(folder / "factors", tracked))
        questions = []
        for prompt in unseen_prompts(rows, QUERIES):
            encoded = encode_prompt(prompt, loaded.tokenizer, loaded.context)
            questions.append(((*encoded.ids, *generate(loaded, encoded, TOKENS).ids), len(encoded.ids)))
        bench = Bench(tracked, documents, texts, H, questions, given.pairs)
        print(f"{given.model.name}: {loaded.n_params:,} parameters, {sum(map(len, documents)):,} tokens")
        if given.only in (None, "quality"):
            quality(bench, given.ranks)
        if given.only in (None, "pass"):
            cost_of_the_pass(bench, 2.0, given.rounds)
        if given.only in (None, "kronfluence"):
            against_kronfluence(bench, 2.0, given.theirs, given.rounds, folder)
    return 0


def unseen_prompts(rows: list[dict[str, str]], most: int) -> list[str]:
    """Beginnings of documents up to the answer, evenly over the corpus, without those that the demo asks."""
    asked = {json.loads(line)["prompt"] for line in (DEMO / "prompts.jsonl").open()}
    found = []
    for row in rows[::7]:
        if row.get("answer") and row["answer"] in row["text"]:
            prompt = row["text"][: row["text"].rindex(row["answer"])].rstrip()
            if len(prompt.split()) > 2 and prompt not in asked:
                found.append(prompt)
    return found[:: max(1, len(found) // most)][:most]


if __name__ == "__main__":
    sys.exit(main())
