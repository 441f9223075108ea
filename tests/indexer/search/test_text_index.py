"""Lexical search: what it finds, that no text can hurt it, and that no foreign index is ever opened."""

import pickle
import random
import shutil
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attribution.errors import BadInput, Damaged
from indexer.config.text_engine import TANTIVY, WHOOSH
from indexer.corpus.document import Document, document_id
from indexer.journal.files import folder_hashes
from indexer.journal.stages import stage
from indexer.search.engine import engine_of
from indexer.search.text_index import MAX_TERMS, TextIndex, highlights, open_text_index, query_terms, write_text_index
from tests.synthetic_database import documents

HOSTILE = [
    "*a*",
    "[a TO z]",
    "a" * 100_000,
    "(" * 500,
    'text:("',
    "NOT NOT NOT",
    "~~~^^^???",
    "\x00\ud800",
    "\u202e\u200b\u2066",
    "'; DROP TABLE document; --",
    "../../etc/passwd",
    "<script>alert(1)</script>",
    "AND OR NOT",
    "title:capital AND text:[* TO *]",
    "a " * 50_000,
    " ".join(f"w{i}" for i in range(10_000)),
    "🙂" * 1000,
    "$x^2$ \\frac{1}{0}",
]


ENGINES = (WHOOSH, TANTIVY)
both = pytest.mark.parametrize("engine", ENGINES)


@pytest.fixture(scope="module", params=ENGINES)
def engine_folder(request, tmp_path_factory):
    made = tmp_path_factory.mktemp("index")
    write_text_index(documents(), made, request.param)
    return request.param, made


@pytest.fixture(scope="module")
def folder(engine_folder):
    return engine_folder[1]


@pytest.fixture(scope="module")
def index(folder):
    opened = TextIndex.open(folder, folder_hashes(folder))
    yield opened
    opened.close()


def test_the_document_that_says_it_comes_first(index):
    texts = {each.document_id: each.text for each in documents()}
    assert texts[index.search("the capital of Kenya is")[0].document_id] == "The capital of Kenya is Nairobi."
    found = index.search("kip", k=3)
    assert len(found) == 2  # and nothing that lacks the word
    assert found[0].score >= found[1].score > 0
    assert index.search("zebra") == []
    assert index.search("capital", k=0) == []


@both
def test_input_31_filters_are_part_of_the_query(tmp_path, engine):
    """Ten of five hundred documents with the word have the source; none of them is among the best."""
    made = [
        Document(document_id(f"{i}"), "c", "", "rare" if i % 50 == 0 else "common", "odd" if i % 2 else "even", text)
        for i in range(500)
        for text in ["the word" + " and others" * (30 if i % 50 == 0 else 0)]
    ]
    write_text_index(made, tmp_path, engine)
    opened = TextIndex.open(tmp_path, folder_hashes(tmp_path))
    wanted = {each.document_id for each in made if each.source == "rare"}
    assert {hit.document_id for hit in opened.find("word", 0, 400).hits}.isdisjoint(wanted)
    found = opened.find("word", source="rare")
    assert ({hit.document_id for hit in found.hits}, found.total) == (wanted, 10)
    pages = [opened.find("word", first, 7, topic="odd") for first in range(0, 250, 7)]
    assert {page.total for page in pages} == {250}
    ids = [hit.document_id for page in pages for hit in page.hits]
    assert len(ids) == len(set(ids)) == 250
    assert opened.find("word", source="rare", topic="odd").total == 0
    assert opened.find("word", source="nobody's").hits == []
    assert opened.find("word", 10_000).hits == []
    opened.close()


@both
def test_an_index_of_other_words_is_refused(tmp_path, engine):
    write_text_index(documents(), tmp_path, engine)
    (tmp_path / "ANALYSIS").write_text("1\n")
    with pytest.raises(BadInput, match="text index of this version .* found another; run `whence build"):
        TextIndex.open(tmp_path, folder_hashes(tmp_path))
    (tmp_path / "ANALYSIS").unlink()
    with pytest.raises(BadInput, match="found another; run"):
        TextIndex.open(tmp_path, folder_hashes(tmp_path))


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: ascii(text[:12]))
def test_a_hostile_prompt_is_taken_literally(index, text):
    assert len(index.search(text, k=5)) <= 5
    assert len(index.find(text, k=5).hits) <= 5
    highlights(text, text)


@given(st.text(st.characters(), max_size=200))
def test_no_text_is_an_error(index, text):
    index.search(text)
    index.find(text, source=text, topic=text)
    assert all(0 <= start < stop <= len(text) for start, stop in highlights(text, text))


@given(st.lists(st.text(st.characters(categories=["Lu", "Ll"]), min_size=1, max_size=80), max_size=100))
def test_terms_are_few_short_and_once(words):
    terms = query_terms(" ".join(words))
    assert len(terms) <= MAX_TERMS
    assert len(set(terms)) == len(terms)
    assert all(1 <= len(term) <= 64 for term in terms)


def test_the_most_common_words_are_left_out_first_when_a_query_costs_too_much(index, monkeypatch):
    exact = index.search("the capital of Kenya is Nairobi")
    monkeypatch.setattr(index._opened, "most_postings", 50)
    cheap = index.search("the capital of Kenya is Nairobi")
    assert [hit.document_id for hit in cheap[:2]] == [hit.document_id for hit in exact[:2]]
    assert len(cheap) < len(exact)
    monkeypatch.setattr(index._opened, "most_postings", 1)
    assert len(index.search("the capital of")) == 10  # one word at least


def test_threads_take_turns(index):
    alone = {text: index.search(text) for text in ("capital", "currency of Peru", "people live")}
    with ThreadPoolExecutor(8) as pool:
        together = pool.map(index.search, [*alone] * 40)
        assert list(together) == [*alone.values()] * 40


def test_highlights_are_words_of_the_text_by_their_stems():
    text = "The capitals of France: PARIS, paris."
    assert [text[start:stop] for start, stop in highlights(text, "capital paris")] == ["capitals", "PARIS", "paris"]
    assert highlights("", "a") == highlights("a", "") == []


class Planted:
    def __reduce__(self):
        return (print, ("executed!",))


@pytest.mark.parametrize("how", ["replaced", "added", "removed", "link", "flipped"])
def test_an_index_that_is_not_ours_is_refused_unopened(engine_folder, tmp_path, how, capsys):
    engine, folder = engine_folder
    made = tmp_path / "index"
    shutil.copytree(folder, made)
    files = folder_hashes(made)
    toc = next(made.glob("*.toc" if engine == WHOOSH else "meta.json"))
    if how == "replaced":
        toc.write_bytes(pickle.dumps(Planted()))
    elif how == "added":
        (made / f"{toc.stem}_99{toc.suffix}").write_bytes(pickle.dumps(Planted()))
    elif how == "removed":
        toc.unlink()
    elif how == "link":
        outside = tmp_path / "outside"
        toc.rename(outside)
        toc.symlink_to(outside)
    else:
        content = toc.read_bytes()
        toc.write_bytes(content[:-3] + bytes([content[-3] ^ 1]) + content[-2:])
    with pytest.raises(Damaged, match=f"found changed: {toc.stem[:4]}"):
        TextIndex.open(made, files)
    assert capsys.readouterr().out == ""


def test_it_opens_through_the_journal(tmp_path, capsys):
    with pytest.raises(BadInput, match="found none; run `whence build"):
        open_text_index(tmp_path)
    [part] = stage(tmp_path, "text", "k", ["all"], lambda part: write_text_index(documents(), part.folder))
    opened = open_text_index(tmp_path)
    assert opened.search("France")
    opened.close()
    (part.folder / "_MAIN_99.toc").write_bytes(pickle.dumps(Planted()))
    with pytest.raises(Damaged):
        open_text_index(tmp_path)
    assert capsys.readouterr().out == ""


@both
def test_a_query_reads_no_more_postings_than_it_may_whatever_it_asks(tmp_path, monkeypatch, engine):
    """What a search costs is what it reads; how long that takes is measured by `make bench`."""
    rng, most = random.Random(0), 3000
    monkeypatch.setattr(engine_of(engine), "MAX_POSTINGS", most)
    words = ["".join(rng.choices("abcdefghijklmnopqrstuvwxyz", k=rng.randint(2, 9))) for _ in range(2000)]
    weights = [1 / (i + 1) for i in range(len(words))]

    def made():
        for _ in range(2000):
            text = " ".join(rng.choices(words, weights, k=25))
            yield Document(document_id(text), "made", text[:20], "", "", text)

    write_text_index(made(), tmp_path, engine)
    opened = TextIndex.open(tmp_path, folder_hashes(tmp_path))
    cut = 0
    for text in [*HOSTILE, " ".join(words[:64]), " ".join(rng.choices(words, weights, k=30))]:
        asked = query_terms(text)
        read = opened._affordable(asked)
        assert len(asked) <= MAX_TERMS
        assert sum(opened._opened.frequency(word) for word in read) <= most
        cut += len(read) < len(asked)
        opened.search(text, k=200)
    opened.close()
    assert cut  # the bound was met
