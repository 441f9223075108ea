"""EDGE: seconds of every question behind a page on ten million rows: `python -m tests.benchmarks.bench_database`.

Prints one line a question: first answer of a new connection, median and slowest of 30 with other values, and what is
allowed (50 ms warm, 300 ms cold); then two sessions that click 50 times each at once.
"""

import argparse
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path

from dashboard.database.components.name import Component
from dashboard.database.queries import (
    about,
    answers,
    components,
    documents,
    filters,
    influence,
    inside,
    prompts,
    sizes,
)
from dashboard.database.queries.sizes import Verdict
from dashboard.database.queries.written import words
from indexer.database.reader import Database, Snapshot
from tests.benchmarks.large_database import MODELS, N_POSITIONS, TOKENIZER, build_large, generation_id, model_id
from tests.benchmarks.large_inside import BLOCKS, HEADS

WARM, COLD, REPEATS, CLICKS = 0.050, 0.300, 30, 50


class State:
    """A selection at random: a model, one of its generations, a token of it, some documents."""

    def __init__(self, snapshot: Snapshot, rng: random.Random, prompt_ids: list[str], document_ids: list[str]) -> None:
        self.snapshot = snapshot
        self.model = rng.choice(list(MODELS))
        self.run = model_id(self.model)
        self.prompt = rng.choice(prompt_ids)
        self.generation = generation_id(self.model, self.prompt)
        self.position = rng.randrange(N_POSITIONS)
        self.documents = rng.sample(document_ids, 20)
        self.head = rng.randrange(BLOCKS), rng.randrange(HEADS)
        self.word = f"word{rng.randrange(500)}"
        self.generations = [
            generation_id(self.model, each) for each in rng.sample(prompt_ids, min(500, len(prompt_ids)))
        ]


def top_documents(s: State) -> None:
    s.snapshot.query(
        """SELECT rank, document_id, score, title, source, topic, text FROM influence JOIN document USING (document_id)
           WHERE run_id = ? AND generation_id = ? AND position = ? AND rank <= 20 ORDER BY rank""",
        [s.run, s.generation, s.position],
    )


def layers_of_a_pair(s: State) -> None:
    s.snapshot.query(
        "SELECT layer, kind, score FROM influence_layer WHERE run_id = ? AND generation_id = ? AND position = ?",
        [s.run, s.generation, s.position],
    )


def tokens_of_a_pair(s: State) -> None:
    s.snapshot.query(
        "SELECT * FROM influence_token WHERE run_id = ? AND generation_id = ? AND position = ?",
        [s.run, s.generation, s.position],
    )


def answers_of_a_document(s: State) -> None:
    s.snapshot.query(
        """SELECT * FROM answer_document JOIN generation USING (generation_id) WHERE document_id = ?
           ORDER BY best_score DESC LIMIT 20""",
        [s.documents[0]],
    )


def most_influential_documents(s: State) -> None:
    s.snapshot.query(
        """SELECT * FROM document_total WHERE run_id = ? AND source = 'WordNet' ORDER BY helped DESC LIMIT 20""",
        [s.run],
    )


def topics_by_size(s: State) -> None:
    s.snapshot.query(
        """SELECT name, topic, sum(helped) AS helped FROM topic_total JOIN run USING (run_id)
           JOIN model USING (model_id) GROUP BY ALL ORDER BY topic"""
    )


def overlap_of_sizes(s: State) -> None:
    s.snapshot.query("SELECT run_id, other_run_id, avg(overlap), count(*) FROM size_overlap GROUP BY ALL")


def words_by_regex(s: State) -> None:
    s.snapshot.query(
        "SELECT count(DISTINCT document_id) FROM document_word WHERE regexp_matches(word, ?)", [f"^{s.word}$"]
    )


def answers_with_a_word_in_their_documents(s: State) -> None:
    s.snapshot.query(
        """SELECT generation_id FROM generation WHERE rowid IN (SELECT unnest(generations) FROM helped_answer
           WHERE document_id IN (SELECT document_id FROM document_word WHERE word = ?))""",
        [s.word],
    )


def _filtered(s: State, match: str, within: str, token: str) -> None:
    filters.passing_answers(
        s.snapshot, text="", token=token, match=match, within=within, size=s.model, family="", topic="", source=""
    )


def _of(*, token: str = "", size: str = "", topic: str = "", source: str = "") -> dict[str, str]:
    given = {"text": "", "token": token, "match": "literal", "within": "answers", "size": size, "family": ""}
    return given | {"topic": topic, "source": source}


QUESTIONS: dict[str, Callable[[State], object]] = {
    "top 20 documents of a token": top_documents,
    "layers of a token's documents": layers_of_a_pair,
    "tokens of a token's documents": tokens_of_a_pair,
    "answers that a document moves": answers_of_a_document,
    "most influential documents": most_influential_documents,
    "topics by size": topics_by_size,
    "overlap of sizes": overlap_of_sizes,
    "words by a regular expression": words_by_regex,
    "answers by a word of their documents": answers_with_a_word_in_their_documents,
    "kept_scores, one token": lambda s: influence.kept_scores(s.snapshot, s.run, s.generation, s.position, s.position),
    "kept_scores, whole answer": lambda s: influence.kept_scores(s.snapshot, s.run, s.generation, 0, N_POSITIONS),
    "targets": lambda s: influence.targets(s.snapshot, s.run, s.generation),
    "strengths": lambda s: influence.strengths(s.snapshot, s.run, s.generation),
    "document_effects": lambda s: influence.document_effects(s.snapshot, s.run, s.generation, s.documents[0]),
    "proposers": lambda s: influence.proposers(s.snapshot, s.generation, s.position, s.position),
    "heats of 20": lambda s: influence.heats(
        s.snapshot, s.run, s.generation, s.position, s.position, TOKENIZER, s.documents
    ),
    "top_layers of tokens": lambda s: influence.top_layers(s.snapshot, s.run, s.generation, 10),
    "verdicts": lambda s: sizes.verdicts(s.snapshot),
    "expected_logp": lambda s: sizes.expected_logp(s.snapshot, [Verdict(s.generation, s.prompt, s.run, True, 0, 10)]),
    "led_by_the_answer": lambda s: sizes.led_by_the_answer(s.snapshot),
    "layers": lambda s: influence.layers(s.snapshot, s.run),
    "mean_overlaps": lambda s: sizes.mean_overlaps(s.snapshot),
    "concentration": lambda s: sizes.concentration(s.snapshot),
    "topic_shares": lambda s: sizes.topic_shares(s.snapshot),
    "most_influential": lambda s: documents.most_influential(s.snapshot, s.run, "WordNet", "", 0, 20),
    "count_influential": lambda s: documents.count_influential(s.snapshot, s.run, "WordNet", ""),
    "influential by words": lambda s: documents.by_words(s.snapshot, s.run),
    "shares of sources": lambda s: documents.source_shares(s.snapshot, s.run),
    "some_documents": lambda s: documents.some_documents(s.snapshot, "WordNet", "", 40, 20),
    "swayed tokens": lambda s: documents.swayed(s.snapshot, s.run, s.documents[0], "token", "towards", 10),
    "swayed tokens, away": lambda s: documents.swayed(s.snapshot, s.run, s.documents[0], "token", "away", 10),
    "component: split": lambda s: inside.split(s.snapshot, s.run),
    "component: effects, one token": lambda s: inside.effects(s.snapshot, s.generation, s.position, s.position),
    "component: effects, whole answer": lambda s: inside.effects(s.snapshot, s.generation, 0, N_POSITIONS),
    "component: taught, one token": lambda s: inside.taught(s.snapshot, s.run, s.generation, s.position, s.position),
    "component: taught, whole answer": lambda s: inside.taught(s.snapshot, s.run, s.generation, 0, N_POSITIONS),
    "component: replaced": lambda s: inside.replaced(s.snapshot, s.generation, 0, N_POSITIONS),
    "component: attention": lambda s: inside.attention(s.snapshot, s.generation, s.position, s.position, *s.head),
    "component: attention of all": lambda s: inside.attention_of_all(s.snapshot, s.generation, s.position),
    "component: split_run": lambda s: inside.split_run(s.snapshot, s.run),
    "component: lens": lambda s: inside.lens(s.snapshot, s.generation, 0, N_POSITIONS),
    "component: contexts": lambda s: components.contexts(s.snapshot, s.run, Component("neuron", *s.head)),
    "component: activations": lambda s: components.activations(s.snapshot, s.run, Component("neuron", *s.head)),
    "component: spoken of 20": lambda s: components.spoken(
        s.snapshot, s.run, [Component("neuron", s.head[0], i) for i in range(20)]
    ),
    "component: answers it matters in": lambda s: components.mattered(
        s.snapshot, s.run, Component("head", *s.head), 20
    ),
    "component: documents that taught it": lambda s: components.teachers(
        s.snapshot, s.run, Component("head", *s.head), 20
    ),
    "document": lambda s: documents.document(s.snapshot, s.documents[0]),
    "count_documents": lambda s: documents.count_documents(s.snapshot, "WordNet"),
    "document_layers": lambda s: documents.document_layers(s.snapshot, s.run, s.documents[0]),
    "summed_heat": lambda s: documents.summed_heat(s.snapshot, s.run, s.documents[0]),
    "about: calibrated": lambda s: about.calibrated(s.snapshot),
    "about: meta": lambda s: about.meta(s.snapshot),
    "about: evaluations": lambda s: about.evaluations(s.snapshot),
    "about: coverage": lambda s: about.coverage(s.snapshot),
    "about: trained_on": lambda s: about.trained_on(s.snapshot),
    "about: adapters": lambda s: about.adapters(s.snapshot),
    "about: counts": lambda s: about.counts(s.snapshot),
    "about: sizes": lambda s: about.sizes(s.snapshot),
    "about: sources": lambda s: about.sources(s.snapshot),
    "documents, 20": lambda s: documents.documents(s.snapshot, s.documents),
    "texts, 20": lambda s: documents.texts(s.snapshot, s.documents),
    "as_read, 20": lambda s: documents.as_read(s.snapshot, TOKENIZER, s.documents),
    "as_trained": lambda s: documents.as_trained(s.snapshot, TOKENIZER, s.documents[0]),
    "document_tokens, 20": lambda s: documents.document_tokens(s.snapshot, TOKENIZER, s.documents),
    "models": lambda s: answers.models(s.snapshot),
    "runs": lambda s: answers.runs(s.snapshot, s.run),
    "best_first": lambda s: answers.best_first(s.snapshot, s.run),
    "calibration": lambda s: influence.calibration(s.snapshot, s.run),
    "measured_best": lambda s: answers.measured_best(s.snapshot, s.run),
    "best_saliency": lambda s: prompts.best_saliency(s.snapshot, s.run),
    "prompts, 500": lambda s: answers.prompts(s.snapshot, 500),
    "prompt_tokens": lambda s: answers.prompt_tokens(s.snapshot, TOKENIZER, s.prompt),
    "prompt_parts": lambda s: answers.prompt_parts(s.snapshot, s.prompt),
    "generation": lambda s: answers.generation(s.snapshot, s.generation),
    "example": lambda s: answers.example(s.snapshot),
    "tokens": lambda s: answers.tokens(s.snapshot, s.generation),
    "generations_of 25 prompts": lambda s: answers.generations_of(s.snapshot, [s.prompt] * 25),
    "best_documents of 25": lambda s: influence.best_documents(s.snapshot, [s.generation] * 25),
    "turns_of 25 prompts": lambda s: answers.turns_of(s.snapshot, [s.prompt] * 25),
    "prompt_shares of 25": lambda s: answers.prompt_shares(s.snapshot, [s.generation] * 25),
    "readings": lambda s: sizes.readings(s.snapshot, s.generation),
    "notices": lambda s: answers.notices(s.snapshot, s.generation),
    "saliency_methods": lambda s: prompts.saliency_methods(s.snapshot, s.generation),
    "saliency": lambda s: prompts.saliency(s.snapshot, s.generation, 0, N_POSITIONS, "grad_norm"),
    "saliency_rows": lambda s: prompts.saliency_rows(s.snapshot, s.generation, "grad_norm"),
    "ablations": lambda s: prompts.ablations(s.snapshot, s.generation),
    "answers_from_documents": lambda s: prompts.answers_from_documents(s.snapshot),
    "measures": lambda s: prompts.measures(s.snapshot, s.generation),
    "relabellings": lambda s: influence.relabellings(
        s.snapshot, s.run, s.generation, s.position, s.documents[0], TOKENIZER, 6
    ),
    "self_influence": lambda s: documents.self_influence(s.snapshot, s.run, s.documents[0]),
    "prompt_topics": lambda s: filters.prompt_topics(s.snapshot),
    "families": lambda s: filters.families(s.snapshot),
    "document_sources": lambda s: filters.document_sources(s.snapshot),
    "document_topics": lambda s: filters.document_topics(s.snapshot),
    "filter: text": lambda s: filters.passing_answers(s.snapshot, **(_of() | {"text": s.word})),
    "filter: all": lambda s: filters.passing_answers(s.snapshot, **_of()),
    "filter: token in answers": lambda s: _filtered(s, "literal", "answers", s.word),
    "filter: word in answers": lambda s: _filtered(s, "word", "answers", s.word),
    "filter: words in answers": lambda s: _filtered(s, "word", "answers", f"{s.word} {s.word}"),
    "filter: word in documents": lambda s: _filtered(s, "word", "documents", s.word),
    "filter: words in documents": lambda s: _filtered(s, "word", "documents", f"{s.word} {s.word}"),
    "filter: prefix in answers": lambda s: _filtered(s, "prefix", "answers", s.word),
    "filter: regex in answers": lambda s: _filtered(s, "regex", "answers", f"^ ?{s.word}$"),
    "filter: regex in documents": lambda s: _filtered(s, "regex", "documents", f" {s.word} "),
    "filter: token in documents": lambda s: _filtered(s, "literal", "documents", s.word),
    "filter: wrong": lambda s: filters.passing_answers(s.snapshot, only=["wrong"]),
    "filter: sizes disagree": lambda s: filters.passing_answers(s.snapshot, only=["sizes"]),
    "filter: estimators disagree": lambda s: filters.passing_answers(s.snapshot, only=["estimators"]),
    "filter: not word for word": lambda s: filters.passing_answers(s.snapshot, only=["new"]),
    "filter: known kinds": lambda s: filters.knows(s.snapshot, ["verbatim", "estimators"]),
    "rows by answer": lambda s: filters.passing_answers(s.snapshot, arranged="answer", arranged_size=s.model),
    "rows by certainty": lambda s: filters.passing_answers(s.snapshot, arranged="certainty", arranged_size=s.model),
    "rows by share": lambda s: filters.passing_answers(s.snapshot, arranged="share", arranged_size=s.model),
    "several_estimators": lambda s: filters.several_estimators(s.snapshot),
    "count of a word": lambda s: filters.count_matches(s.snapshot, s.word, "word", s.generations),
    "count of a token": lambda s: filters.count_matches(s.snapshot, s.word, "literal", s.generations),
    "asked texts with a word": lambda s: filters.matching_texts(s.snapshot, [s.word] * 500, s.word, "word"),
    "word: unit": lambda s: words.unit_of(s.snapshot, "word"),
    "word: most_written": lambda s: words.most_written(s.snapshot, s.run, "word", 20),
    "token: most_written": lambda s: words.most_written(s.snapshot, s.run, "token", 20),
    "word: places": lambda s: words.places(s.snapshot, s.run, s.word, "word"),
    "word: drivers": lambda s: words.drivers(s.snapshot, s.run, s.run, s.word, "word", 10),
    "word: all drivers": lambda s: words.all_drivers(s.snapshot, s.run, s.run, s.word, "word"),
    "word: driving_groups": lambda s: words.driving_groups(s.snapshot, s.run, s.run, s.word, "word", "source"),
    "word: in_texts": lambda s: words.in_texts(s.snapshot, s.word),
    "token: places": lambda s: words.places(s.snapshot, s.run, s.word, "token"),
    "token: drivers": lambda s: words.drivers(s.snapshot, s.run, s.run, s.word, "token", 10),
    "token: driving_groups": lambda s: words.driving_groups(s.snapshot, s.run, s.run, s.word, "token", "source"),
    "filter: source": lambda s: filters.passing_answers(s.snapshot, **_of(source="WordNet")),
}


def _state(folder: Path) -> State:
    return next(_states(folder, 0))


def _states(folder: Path, seed: int) -> Iterator[State]:
    """Selections at random on a connection of their own."""
    snapshot = Database(folder).current()
    prompt_ids = [row["prompt_id"] for row in snapshot.rows("SELECT prompt_id FROM prompt")]
    ids = [row["document_id"] for row in snapshot.rows("SELECT document_id FROM document LIMIT 5000")]
    rng = random.Random(seed)
    while True:
        yield State(snapshot, rng, prompt_ids, ids)


def latencies(folder: Path, question: Callable[[State], object], seed: int = 0) -> tuple[float, list[float]]:
    """Seconds of the first answer of a new connection, and of 30 more with other values."""
    seconds = []
    for state in islice(_states(folder, seed), REPEATS + 1):
        state.snapshot.memory.forget()  # the database is timed, not what the dashboard remembers of it
        begun = time.perf_counter()
        question(state)
        seconds.append(time.perf_counter() - begun)
    return seconds[0], seconds[1:]


def two_sessions(folder: Path) -> list[float]:
    """Seconds of each of 2 × 50 clicks, each of which asks for all that Explain shows of a token."""
    names = ["kept_scores, one token", "targets", "strengths", "proposers", "heats of 20", "documents, 20", "tokens"]

    def session(seed: int) -> list[float]:
        seconds = []
        for state in islice(_states(folder, seed), CLICKS):
            state.snapshot.memory.forget()
            begun = time.perf_counter()
            for name in names:
                QUESTIONS[name](state)
            seconds.append(time.perf_counter() - begun)
        return seconds

    with ThreadPoolExecutor(2) as pool:
        return [seconds for each in pool.map(session, range(2)) for seconds in each]


def main() -> int:
    """Exit code 1 when a question takes longer than allowed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--folder", type=Path, help="of large_database; made in a temporary folder if not given")
    parser.add_argument("--rows", type=int, default=10_000_000)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = given.folder or Path(scratch)
        path, seconds = build_large(folder, given.rows)
        print(f"{path.stat().st_size / 2**30:.2f} GiB; wrote shards {seconds['write']:.0f} s, "
              f"published {seconds['publish']:.0f} s")  # fmt: skip
        print(f"{'question':38}{'cold ms':>10}{'median ms':>11}{'slowest ms':>12}")
        QUESTIONS["kept_scores, one token"](_state(folder))  # what pyarrow and numpy load at their first use
        slow = 0
        for name, question in QUESTIONS.items():
            cold, warm = latencies(folder, question)
            median = statistics.median(warm)
            slow += (too_slow := median > WARM or cold > COLD)
            mark = "  <- over 50 / 300" if too_slow else ""
            print(f"{name:38}{cold * 1e3:10.1f}{median * 1e3:11.2f}{max(warm) * 1e3:12.1f}{mark}")
        clicks = sorted(two_sessions(folder))
        print(f"two sessions, {len(clicks)} clicks: median {clicks[len(clicks) // 2] * 1e3:.0f} ms, "
              f"slowest {clicks[-1] * 1e3:.0f} ms, no error")  # fmt: skip
    return int(slow > 0)


if __name__ == "__main__":
    sys.exit(main())
