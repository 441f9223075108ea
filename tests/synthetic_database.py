"""EDGE: a small complete published database without any model: three sizes, ten prompts, sixty documents.

Every invariant of the schema holds and every table has rows; the numbers are drawn, but the document that states the
answer leads. `python -m tests.synthetic_database FOLDER` writes one to look at.
"""

import hashlib
import json
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from attribution.prompt.context.contextcite import single_masks
from attribution.prompt.context.nested import designs
from attribution.prompt.saliency.shapley import subsets
from attribution.prompt.text.parts import token_parts
from indexer.corpus.document import Document, document_id
from indexer.corpus.prompt import Message, Prompt
from indexer.database.publish import publish
from indexer.database.shard import write_shard
from indexer.journal.part import Partition
from indexer.journal.stages import key, stage
from indexer.search.text_index import write_text_index
from tests.synthetic_columns import COLUMNS
from tests.synthetic_inside import COLUMNS as INSIDE
from tests.synthetic_inside import inside
from tests.synthetic_many import COLUMNS as MANY
from tests.synthetic_many import many
from tests.synthetic_reading import reading, tokens, with_ends
from tests.synthetic_sets import COLUMNS as SETS
from tests.synthetic_sets import corpus_groups, set_texts, target_sets

TOKENIZER = "7e57ab1e00000000"
SIZES = {"synth-s": (2, 60_000), "synth-m": (3, 240_000), "synth-l": (4, 960_000)}  # name -> blocks, parameters
MODULES = ("attn.q", "attn.k", "attn.v", "attn.o", "mlp.gate", "mlp.up", "mlp.down")
LONG = 100  # tokens of a document
KEPT = 15  # documents kept at either end of a ranking

# fmt: off
FACTS = [
    ("France", "Paris", "euro"), ("Japan", "Tokyo", "yen"), ("Kenya", "Nairobi", "shilling"),
    ("Peru", "Lima", "sol"), ("Norway", "Oslo", "krone"), ("Egypt", "Cairo", "pound"),
    ("Chile", "Santiago", "peso"), ("India", "Delhi", "rupee"), ("Cuba", "Havana", "peso"), ("Ghana", "Accra", "cedi"),
    ("Laos", "Vientiane", "kip"), ("Fiji", "Suva", "dollar"),
    ("Malta", "Valletta", "euro"), ("Qatar", "Doha", "riyal"), ("Nepal", "Kathmandu", "rupee"),
]
# fmt: on


def documents() -> list[Document]:
    """Sixty: four sentences about each of fifteen countries."""
    made = []
    for country, capital, currency in FACTS:
        for topic, source, text in [
            ("capital", "Factbook", f"The capital of {country} is {capital}."),
            ("capital", "GeoNames", f"{capital} is the capital and the seat of government of {country}."),
            ("currency", "Factbook", f"The currency of {country} is the {currency}."),
            ("people", "WordNet", f"{country}: a country whose people pay in the {currency} and live in cities."),
        ]:
            made.append(Document(document_id(text), "synthetic", f"{country}: {topic}", source, topic, text))
    return made


def prompts() -> list[Prompt]:
    """Seven to complete, one chat, two retrieval prompts; the answer is the capital. Of the last one the documents have
    two sentences each."""
    plain = [
        Prompt.from_text(f"The capital of {country} is", topic="capital", answer=capital)
        for country, capital, _ in FACTS[:7]
    ]
    chat = [Message("system", "You answer in one sentence."), Message("user", "What is the capital of India?")]
    asked = []
    for number in (8, 9):
        docs = [
            (country, f"The capital of {country} is {capital}." + (f" One pays in the {money}." if number == 9 else ""))
            for country, capital, money in FACTS[number:][:3]
        ]
        known = {"topic": "capital", "answer": FACTS[number][1]}
        asked.append(Prompt.from_question(f"What is the capital of {FACTS[number][0]}?", docs, **known))
    return [*plain, Prompt.from_messages(chat, topic="capital", answer="Delhi"), *asked]


def build_synthetic(folder: Path, extra: Sequence[Document] = (), seed: int = 0, without: Sequence[str] = ()) -> Path:
    """Publish the database in `folder` and return the snapshot's path; `extra` documents take part in every ranking,
    tables `without` which a build may go stay empty."""
    corpus = [*documents(), *extra]
    made = Synthetic(corpus, prompts(), seed, frozenset(without))
    run_key = key(corpus=[each.document_id for each in corpus], seed=seed, without=list(without), version=1)
    parts = stage(folder, "text", run_key, ["index"], lambda part: write_text_index(corpus, part.folder))
    parts += stage(folder, "corpus", run_key, ["all"], made.corpus_part)
    parts += stage(folder, "scores", run_key, list(SIZES), made.size_part)
    parts += stage(folder, "readings", run_key, ["all"], made.reading_part)
    return publish(folder, parts, config='[corpus]\nlicence = "made up"\n')


class Synthetic:
    """The rows of the database, drawn from one seed."""

    def __init__(
        self, corpus: list[Document], asked: list[Prompt], seed: int, without: frozenset[str] = frozenset()
    ) -> None:
        self.documents = corpus
        self.prompts = asked
        self.seed = seed
        self.without = without
        self.written: list[tuple[str, str, list[str]]] = []  # generation, model, tokens
        self.scores: list[Any] = []  # [documents, layers] of each token of the answer that was drawn last

    def corpus_part(self, part: Partition) -> None:
        """document, document_token, prompt, prompt_part, prompt_token."""
        columns: tuple[str, ...] = ("document_id", "corpus", "title", "source", "topic", "text")
        columns += ("turns",) if any(each.turns for each in self.documents) else ()
        write_shard(part.folder, "document", _columns(columns, [_values(each, columns) for each in self.documents]))
        rows = [
            (TOKENIZER, each.document_id, position, *token)
            for each in self.documents
            for position, token in enumerate(reading(each))
        ]
        names = ("tokenizer_id", "document_id", "token_position", "text", "start", "stop", "read_in", "learned")
        write_shard(part.folder, "document_token", _columns(names, rows))
        columns = ("prompt_id", "text", "kind", "topic", "answer")
        write_shard(part.folder, "prompt", _columns(columns, [_values(each, columns) for each in self.prompts]))
        columns = ("part", "kind", "title", "start", "stop")
        rows = [(each.prompt_id, *_values(piece, columns)) for each in self.prompts for piece in each.parts]
        write_shard(part.folder, "prompt_part", _columns(("prompt_id", *columns), rows))
        rows = [
            (TOKENIZER, each.prompt_id, position, _token_id(token[0]), *token, part)
            for each in self.prompts
            for position, (token, part) in enumerate(_with_parts(each))
        ]
        names = ("tokenizer_id", "prompt_id", "token_position", "token_id", "text", "start", "stop", "part")
        write_shard(part.folder, "prompt_token", _columns(names, rows))
        asked = [(each.text, each.answer) for each in self.prompts[:7]]
        for table, found in (set_texts(asked) | corpus_groups(self.documents)).items():
            write_shard(part.folder, table, _columns(SETS[table], found))

    def size_part(self, part: Partition) -> None:
        """Everything that one model says: its generations, and what made every token of them."""
        name = str(part.value)
        n_blocks, n_params = SIZES[name]
        model_id = hashlib.sha256(name.encode()).hexdigest()[:16]
        run_id = key(model=model_id, seed=self.seed)
        rng = np.random.default_rng([self.seed, n_blocks])
        modules = [(block, module) for block in range(n_blocks) for module in MODULES]
        layers = [
            (model_id, i, f"blocks.{block}.{module}", "attention" if "attn" in module else "mlp", block)
            for i, (block, module) in enumerate(modules)
        ]
        layers.append((model_id, len(layers), "embedding", "embedding", n_blocks))
        one = {"model": [(model_id, name, "synth", n_params, n_blocks, "pretrained", "", TOKENIZER)]}
        one["run"] = [(run_id, model_id, "ekfac", 0.1, '{"rank": 32}', 12.5, "cpu")]
        one["layer"] = layers
        kinds = [("explained", "blocks.*.attn"), ("norms", "norm"), ("not explained", "positions")]
        one["coverage"] = [(model_id, *of, n_params * n // 100) for of, n in zip(kinds, (90, 3, 7), strict=True)]
        one["evaluation"] = [
            (model_id, "ekfac", "lds", lds := 0.3 + 0.05 * n_blocks, _interval(lds)),
            (model_id, "bm25", "lds", 0.21, _interval(0.21)),
            (model_id, "ekfac", "recall@10", 0.9, "made up"),
        ]
        if name == "synth-m":  # the only size whose unit is known
            one["calibration"] = [(model_id, "ekfac", 0.1, 0.25, 0.2, 0.3, 1.1, 500, "made up")]
            one["calibration_bin"] = [
                (model_id, "ekfac", i, i / 8 - 0.3, i / 9 - 0.25, i / 9 - 0.4, i / 9 - 0.1, 100) for i in range(5)
            ]
        norms = rng.uniform(1, 5, (len(self.documents), 3)).astype(np.float32)
        one["self_influence"] = [
            (run_id, each.document_id, *norms[i].tolist(), float(rng.uniform(5, 30)))
            for i, each in enumerate(self.documents)
        ]
        for prompt in self.prompts:
            made = self._generation(prompt, model_id, run_id, n_blocks, len(layers), norms, rng)
            found = [(row[3], row[4], row[5]) for row in made["generation_token"]]
            asked = (run_id, made["generation"][0][0])
            if "run" not in self.without:
                made |= many(asked, found, self.scores, self.documents, norms, KEPT, name == "synth-l")
            for table, rows in made.items():
                one.setdefault(table, []).extend(rows)
        texts = {prompt.prompt_id: prompt.text for prompt in self.prompts}
        for table, rows in inside(
            one, texts, [(each.document_id, len(reading(each))) for each in self.documents]
        ).items():
            one.setdefault(table, []).extend(rows)
        if "run" not in self.without:
            one |= target_sets(one, self.documents, len(self.prompts[:7]))
        for table, rows in one.items():
            if table not in self.without:
                write_shard(part.folder, table, _columns((COLUMNS | INSIDE | MANY | SETS)[table], rows))

    def _generation(
        self, prompt: Prompt, model_id: str, run_id: str, n_blocks: int, n_layers: int, norms: Any, rng: Any
    ) -> dict[str, list[tuple[Any, ...]]]:
        right = rng.random() < 0.4 + 0.2 * n_blocks - 0.2
        country, capital, currency = next(fact for fact in FACTS if fact[1] == prompt.answer)
        said = capital if right else str(rng.choice([fact[1] for fact in FACTS]))
        text = f" {said}. The currency of {country} is the {currency}."
        generation_id = key(model=model_id, prompt=prompt.prompt_id)
        rows: dict[str, list[tuple[Any, ...]]] = {
            "generation": [(generation_id, prompt.prompt_id, model_id, text, datetime(2026, 1, 1, 12, n_blocks))]
        }
        n_prompt = len(with_ends(prompt.text)) - 1
        in_documents = prompt.kind == "retrieval"
        self.scores = []
        self.written.append((generation_id, model_id, [token[0] for token in [*_written(text), ("<end>", 0, 0)]]))
        for position, token in enumerate([*_written(text), ("<end>", len(text), len(text))]):
            full, question = rng.uniform(0.05, 2), rng.uniform(1, 6)
            from_documents = rng.uniform(1, 5) if in_documents else 0.0
            nothing = question + from_documents + full
            foil = str(rng.choice([" London", " Rome", " the"]))
            logp = -full * np.log(2)
            rows.setdefault("generation_token", []).append(
                (generation_id, position, _token_id(token[0]), *token, logp, foil, logp - 1.5, nothing, question,
                 from_documents, full, question / 2, question / 3, question / 9, 7)
            )  # fmt: skip
            for method in ("grad_norm", "grad_x_input", "integrated_gradients", "grad_x_input_contrast"):
                values = rng.normal(size=n_prompt + position)
                values = np.abs(values) if method == "grad_norm" else values
                rows.setdefault("saliency", []).extend(
                    (generation_id, position, method, source, float(value)) for source, value in enumerate(values)
                )
            where = (run_id, generation_id, position)
            for table, found in self._influences(where, token[0], prompt.answer, n_layers, norms, rng).items():
                rows.setdefault(table, []).extend(found)
        if in_documents:
            rows["citation"] = [
                (generation_id, 0, part.part, method, float(rng.uniform(0, 1)) + (part.title in prompt.text[-60:]))
                for part in prompt.parts
                if part.kind == "document"
                for method in ("mirage", "contextcite", "leave_one_out")
            ]
            n_tokens = len(rows["generation_token"])
            of_documents = {"all": subsets(3), "half": subsets(3), "single": single_masks(3)}
            of_sentences = designs(6) if "One pays" in prompt.text else {}
            for design, masks in (of_documents | of_sentences).items():
                worth = (3, 1, -1) if design in of_documents else (3, 0, 0.5, 1.5, 0, -1)
                rows.setdefault("ablation", []).extend(
                    (generation_id, design, number, mask.tolist(), (mask @ worth + 0.1 * np.arange(n_tokens)))
                    for number, mask in enumerate(masks)
                )
            rows["faithfulness"] = [
                (generation_id, "mirage", "top_drop", 2.5, 0.75, ""),
                (generation_id, "grad_norm", "comprehensiveness", 1.5, 0.5, ""),
                (generation_id, "contextcite", "prediction", 0.875, None, ""),
            ]
        return rows

    def reading_part(self, part: Partition) -> None:
        """Every size reads what the others wrote, and would now and then have said something else."""
        rng = np.random.default_rng(self.seed)
        models = list(dict.fromkeys(model_id for _, model_id, _ in self.written))
        rows = []
        for generation_id, author, texts in self.written:
            for reader in models:
                for position, text in enumerate(texts if reader != author else []):
                    elsewhere, full = rng.random() < 0.2, float(rng.uniform(0.1, 3))
                    logp = -full * np.log(2)
                    said = (" Rome", logp + 0.2) if elsewhere else (text, logp)
                    rows.append((generation_id, reader, position, logp, *said, full + float(rng.uniform(0, 5)), full))
        write_shard(part.folder, "reading", _columns(COLUMNS["reading"], rows))

    def _influences(
        self, where: tuple[str, str, int], token: str, answer: str, n_layers: int, norms: Any, rng: Any
    ) -> dict[str, list[tuple[Any, ...]]]:
        n = len(self.documents)
        parts = rng.normal(scale=0.01, size=(n, n_layers)).astype(np.float32)  # [documents, layers]
        states = np.array([answer in each.text and token.strip() in each.text for each in self.documents])
        parts[states] += np.float32(0.02)
        self.scores.append(parts)
        scores = parts.sum(1, dtype=np.float64).astype(np.float32)
        best_first = np.argsort(-scores, kind="stable")
        kept = [(rank, i) for rank, i in enumerate(best_first, start=1) if rank <= KEPT or rank > n - KEPT]
        null = rng.normal(scale=0.03, size=100).astype(np.float32)
        rows: dict[str, list[tuple[Any, ...]]] = {
            "target": [(*where, "logp", -1.0, 2.5, n, float(null.mean()), float(null.std()), null)],
            "influence": [
                (*where, rank, self.documents[i].document_id, scores[i], *norms[i], 2.5, parts[i]) for rank, i in kept
            ],
            "influence_position": [],
            "relabel": [],
            "candidate": [
                (*where[1:], self.documents[i].document_id, via, rank, float(scores[i]))
                for rank, i in kept[:KEPT]
                for via in (("index", "bm25") if states[i] else ("index",))
            ],
        }
        for _, i in kept[:KEPT]:
            document = self.documents[i]
            read = [text for text, *_ in reading(document)]
            shares, losses = (_splits(scores[i], read, answer, rng) for _ in range(2))
            rows["influence_position"].append((*where, document.document_id, shares, losses))
        first = self.documents[kept[0][1]]
        for token_position in range(1, len(with_ends(first.text))):
            rows["relabel"].append(
                (*where, first.document_id, token_position, [1, 2], [" Rome", " Bern"], [0.02, -0.01], [0.3, 0.05])
            )
        return rows


def _written(text: str) -> list[tuple[str, int, int]]:
    """The tokens of an answer: as in a document, but that a shilling is two."""
    return tokens(text, r"\s?shil(?=ling)|")


def _interval(value: float) -> str:
    return json.dumps({"low": value - 0.04, "high": value + 0.06, "how": "made up"})


def _splits(total: float, read: Sequence[str], answer: str, rng: Any) -> np.ndarray[Any, Any]:
    """[T] that add up to the total; in a long document the most lies where the answer stands."""
    n = len(read)
    values = rng.normal(scale=abs(total) / n + 1e-4, size=n)
    if n > LONG:
        values[[text.strip() == answer for text in read]] += abs(total)
    return (values + (total - values.sum()) / n).astype(np.float32)


def _with_parts(prompt: Prompt) -> list[tuple[tuple[str, int, int], int]]:
    read = with_ends(prompt.text)[:-1]
    return list(zip(read, token_parts(prompt.text, [(a, b) for _, a, b in read], prompt.parts), strict=True))


def _token_id(text: str) -> int:
    return int(hashlib.sha256(text.encode()).hexdigest()[:3], 16)


def _values(row: Any, columns: Sequence[str]) -> tuple[Any, ...]:
    return tuple(getattr(row, column) for column in columns)


def _columns(names: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> dict[str, list[Any]]:
    return {name: [row[i] for row in rows] for i, name in enumerate(names)}


if __name__ == "__main__":
    print(build_synthetic(Path(sys.argv[1])))
