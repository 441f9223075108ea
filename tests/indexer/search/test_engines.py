"""Whoosh and tantivy: the same documents for the same questions, scores by the formula, a line where one lacks."""

import math
import random
from collections import Counter
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from attribution.errors import BadInput
from indexer.config import installed, text_engine
from indexer.config.text_engine import AUTO, LARGE, TANTIVY, WHOOSH
from indexer.corpus.document import Document, document_id
from indexer.estimators.bm25 import lexical_scores
from indexer.evaluate.scoring.subject import lexical
from indexer.journal.files import folder_hashes
from indexer.journal.stages import finished
from indexer.search import tantivy_engine
from indexer.search.engine import Sought, engine_of
from indexer.search.text_index import TextIndex, index_key, query_terms, write_text_index
from indexer.search.words import words
from tests.indexer.search.test_words import TEXTS

ROOT = Path(__file__).parents[3]
WORDS = [
    *("run", "running", "ran", "cafés", "CAFE", "Malmø", "U.S.A.", "USA", "snake_case", "whence.errors", "words"),
    *("word", "日本語", "日本", "勉強", "भाषा", "ภาษา", "한국의", "서울"),
]
QUERIES = [
    *WORDS,
    *("日", "running cafe 日本語", "nobody says this", "the USA 勉強 सीखना", "a_b snake", "", "!?"),
    *(
        '"words word"',
        '"日本語 日本" running',
        '"snake_case"',
        '"cafe Malmø" "run ran"',
        "“USA run”",
        '"run run"',
        '"errors"',
    ),
]


def multilingual(n: int = 300) -> list[Document]:
    rng = random.Random(0)
    made = []
    for i in range(n):
        said = rng.choices(WORDS, [1 / (1 + j) for j in range(len(WORDS))], k=rng.randint(1, 12))
        text = f"{rng.choice(TEXTS) if i % 3 else ''} {' '.join(said)} {i}"
        title = " ".join(rng.choices(WORDS, k=rng.randint(1, 3))) if i % 2 else ""
        made.append(Document(document_id(text), "c", title, f"s{i % 3}", f"t {i % 2}", text))
    return made


def short(n: int = 300) -> list[Document]:
    """Without titles, of ten terms at most: what is longer Whoosh rounds up to the next of its lengths."""
    rng = random.Random(1)
    made = dict.fromkeys(" ".join(rng.choices(WORDS, k=rng.randint(1, 5))) for _ in range(3 * n))
    texts = [text for text in made if len(list(words(text))) <= 10]
    return [Document(document_id(text), "c", "", "", "", text) for text in texts[:n]]


def indexed(folder: Path, documents: list[Document], engine: str) -> TextIndex:
    folder.mkdir()
    write_text_index(documents, folder, engine)
    return TextIndex.open(folder, folder_hashes(folder))


@pytest.fixture(scope="module")
def both(tmp_path_factory) -> tuple[TextIndex, TextIndex]:
    home = tmp_path_factory.mktemp("both")
    return indexed(home / "w", multilingual(), WHOOSH), indexed(home / "t", multilingual(), TANTIVY)


@pytest.mark.parametrize("query", QUERIES)
@pytest.mark.parametrize("filters", [{}, {"source": "s1"}, {"source": "s2", "topic": "t 1"}, {"topic": "nobody's"}])
def test_both_find_and_count_the_same_documents(both, query, filters):
    ours, theirs = (index.find(query, 0, 1000, **filters) for index in both)
    assert ours.total == theirs.total == len(theirs.hits)
    assert {hit.document_id for hit in ours.hits} == {hit.document_id for hit in theirs.hits}
    searched = [{hit.document_id for hit in index.search(query, 1000)} for index in both]
    assert searched[0] == searched[1]


def test_something_is_found(both):
    assert sum(both[1].find(query).total > 0 for query in QUERIES) >= len(QUERIES) - 8


def test_scores_of_both_can_be_compared(both):
    """A title's weight stands inside the saturation in one and outside in the other; lengths are rounded."""
    for query in QUERIES:
        ours, theirs = ({hit.document_id: hit.score for hit in index.find(query, 0, 1000).hits} for index in both)
        for each, score in ours.items():
            assert theirs[each] == pytest.approx(score, rel=0.12)


@pytest.fixture(scope="module")
def of_short(tmp_path_factory) -> dict[str, TextIndex]:
    home = tmp_path_factory.mktemp("short")
    return {engine: indexed(home / engine, short(), engine) for engine in (WHOOSH, TANTIVY)}


@pytest.mark.parametrize("query", QUERIES)
def test_where_the_formula_is_the_same_the_order_is(of_short, query):
    """Up to documents of one score: both have them as they were indexed, but float32 may part them."""
    ours, theirs = (index.find(query, 0, 1000).hits for index in of_short.values())
    scores = {hit.document_id: hit.score for hit in ours}
    assert [hit.score for hit in theirs] == pytest.approx([hit.score for hit in ours], rel=1e-4)
    assert [hit.score for hit in theirs] == pytest.approx([scores[hit.document_id] for hit in theirs], rel=1e-4)


@pytest.mark.parametrize("engine", [WHOOSH, TANTIVY])
def test_a_score_is_bm25(of_short, engine):
    made = short()
    said = [Counter(word.term for word in words(each.text)) for each in made]
    lengths = [each.total() for each in said]
    mean = sum(lengths) / len(made)
    for query in ("running cafe 日本語", "USA", "the words"):
        wanted = {}
        for document, terms, length in zip(made, said, lengths, strict=True):
            score = 0.0
            for term in query_terms(query):
                n, f = sum(term in each for each in said), terms[term]
                score += (math.log(len(made) / (n + 1)) + 1) * f * 2.2 / (f + 1.2 * (0.25 + 0.75 * length / mean))
            wanted[document.document_id] = score
        found = {hit.document_id: hit.score for hit in of_short[engine].search(query, 1000)}
        assert found == pytest.approx({each: score for each, score in wanted.items() if score}, rel=1e-4)


@pytest.mark.parametrize("engine", [WHOOSH, TANTIVY])
def test_of_equal_documents_the_first_comes_first_page_by_page(tmp_path, engine):
    made = [Document(document_id(str(i)), "c", "", "", "", "the same word") for i in range(300)]
    index = indexed(tmp_path / "i", made, engine)
    pages = [index.find("word", first, 7) for first in range(0, 300, 7)]
    assert {page.total for page in pages} == {300}
    assert [hit.document_id for page in pages for hit in page.hits] == [each.document_id for each in made]
    assert [hit.document_id for hit in index.search("word", 90)] == [each.document_id for each in made[:90]]


def test_the_order_does_not_depend_on_how_tantivy_has_cut_its_files(tmp_path):
    """Some segments, as of a corpus that does not fit into memory, written in another order."""
    from tantivy import Index

    made = multilingual()
    folder = tmp_path / "cut"
    folder.mkdir()
    writer = Index(tantivy_engine._schema(), path=str(folder), reuse=False).writer(num_threads=1)
    places = list(range(len(made)))
    random.Random(1).shuffle(places)
    for i, place in enumerate(places):
        writer.add_document(tantivy_engine._row(made[place], place))
        if i % 60 == 59:
            writer.commit()
    writer.wait_merging_threads()
    cut = tantivy_engine.opened(folder)
    assert cut._searcher.num_segments > 1
    whole = indexed(tmp_path / "whole", made, TANTIVY)._opened
    for query in filter(query_terms, QUERIES):
        sought = Sought(query_terms(query))
        assert cut.best(sought, 0, 40, True) == whole.best(sought, 0, 40, True)


def test_an_evaluation_scores_by_either(tmp_path):
    """The baseline BM25 of every document, 0 where no word is shared."""
    made = short(60)
    ids = [each.document_id for each in made]
    found = []
    for engine in (WHOOSH, TANTIVY):
        config = SimpleNamespace(corpus=SimpleNamespace(text_engine=engine))
        member = SimpleNamespace(
            config=config,
            corpus=SimpleNamespace(hash="h", documents=made),
            document_ids=ids,
            places=lambda some: {each: ids.index(each) for each in some},
        )
        index = lexical(tmp_path, member)
        found.append(lexical_scores(index, member, [SimpleNamespace(text=text) for text in ("running cafe", "USA")]))
        assert [part.stage for part in finished(tmp_path)] == ["text-h"]
    assert found[0].shape == (2, 60)
    assert 0 < (found[0] > 0).sum() < found[0].size
    np.testing.assert_allclose(found[1], found[0], rtol=1e-4)


def test_nothing_is_written_beside_an_index_that_is_open(tmp_path):
    index = indexed(tmp_path / "i", multilingual(20), TANTIVY)
    before = folder_hashes(tmp_path / "i")
    assert index.find("run").total
    assert folder_hashes(tmp_path / "i") == before
    assert not any("lock" in name for name in before)
    [linked] = index._opened._removed.peek()[2]
    assert Path(linked).is_dir()
    index.close()
    assert not list(Path(linked).glob("*.idx"))


def test_the_key_of_an_index_of_whoosh_is_the_one_of_before_and_another_engine_has_another():
    from indexer import __version__
    from indexer.journal.stages import key

    assert index_key(WHOOSH, corpora=["a"]) == key(corpora=["a"], whence=__version__, analysis=2)
    assert index_key(TANTIVY, corpora=["a"]) != index_key(WHOOSH, corpora=["a"])


@pytest.fixture
def without_tantivy(monkeypatch):
    def version(name: str) -> str:
        if name == TANTIVY:
            raise PackageNotFoundError(name)
        return "1"

    monkeypatch.setattr(installed, "version", version)
    monkeypatch.setattr(text_engine, "find_spec", lambda name: None)


def test_auto_is_tantivy_for_a_large_corpus(monkeypatch):
    assert text_engine.text_engine(AUTO, LARGE) == (WHOOSH, "")
    assert text_engine.text_engine(AUTO, LARGE + 1) == (TANTIVY, "")
    assert text_engine.text_engine(WHOOSH, 10 * LARGE) == (WHOOSH, "")
    assert text_engine.text_engine(TANTIVY, 1) == (TANTIVY, "")


def test_without_its_package_one_line_says_what_to_install(tmp_path, monkeypatch, without_tantivy):
    assert text_engine.text_engine(AUTO, LARGE) == (WHOOSH, "")
    engine, line = text_engine.text_engine(AUTO, 250_000)
    assert engine == WHOOSH
    assert line.startswith("250,000 documents are indexed by Whoosh")
    assert "pip install 'tantivy>=" in line
    assert "\n" not in line
    wanted = "expected the package tantivy, found it missing; run `pip install 'tantivy>="
    with pytest.raises(BadInput, match=wanted):
        text_engine.text_engine(TANTIVY, 1)
    monkeypatch.undo()
    write_text_index(multilingual(3), tmp_path, TANTIVY)
    monkeypatch.setattr(installed, "version", lambda name: (_ for _ in ()).throw(PackageNotFoundError(name)))
    with pytest.raises(BadInput, match=wanted):
        TextIndex.open(tmp_path, folder_hashes(tmp_path))
    engine_of(WHOOSH)  # the rest works


def test_an_index_that_this_tantivy_does_not_read_is_refused_in_one_line(tmp_path):
    write_text_index(multilingual(3), tmp_path, TANTIVY)
    (tmp_path / "meta.json").write_text("{}")
    with pytest.raises(BadInput, match="text index of this version of tantivy") as caught:
        TextIndex.open(tmp_path, folder_hashes(tmp_path))
    assert "\n" not in str(caught.value)


def test_what_is_told_to_be_installed_is_what_the_file_of_requirements_says():
    [line] = [each for each in (ROOT / "requirements-search.txt").read_text().splitlines() if each[:1] not in ("", "#")]
    assert installed.HOW[TANTIVY] == f"'{line.partition('#')[0].strip()}'"
