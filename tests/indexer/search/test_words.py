"""Which words a text is found by."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.config.text_engine import TANTIVY, WHOOSH
from indexer.corpus.document import Document, document_id
from indexer.journal.files import folder_hashes
from indexer.search import text_index
from indexer.search.text_index import TextIndex, highlights, query_terms, write_text_index
from indexer.search.words import phrase, says, words

TEXTS = [
    "He was running.",
    "They stopped at noon.",
    "私は日本語を勉強しています。",
    "A café in Malmø, cafe\u0301 culture.",
    "Made in the U.S.A. by hand.",
    "Names in snake_case and whence.errors here.",
    "These are the exact words of it.",
    "Words that are exact are rare.",
    "हिन्दी भाषा",
    "ภาษาไทย",
    "서울은 한국의 수도이다.",
]


@pytest.fixture(scope="module", params=[WHOOSH, TANTIVY])
def index(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("words")
    write_text_index([Document(document_id(each), "c", "", "s", "t", each) for each in TEXTS], folder, request.param)
    opened = TextIndex.open(folder, folder_hashes(folder))
    yield opened
    opened.close()


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("run", "He was running."),
        ("stopped", "They stopped at noon."),
        ("stop", "They stopped at noon."),
        ("日本語", "私は日本語を勉強しています。"),
        ("勉", "私は日本語を勉強しています。"),
        ("cafe", "A café in Malmø, cafe\u0301 culture."),
        ("CAFÉ malmo", "A café in Malmø, cafe\u0301 culture."),
        ("USA", "Made in the U.S.A. by hand."),
        ("U.S.A.", "Made in the U.S.A. by hand."),
        ("snake", "Names in snake_case and whence.errors here."),
        ("snake_case", "Names in snake_case and whence.errors here."),
        ("errors", "Names in snake_case and whence.errors here."),
        ('"exact words"', "These are the exact words of it."),
        ("“exact words”", "These are the exact words of it."),
        ("हिन्दी", "हिन्दी भाषा"),
        ("ไทย", "ภาษาไทย"),
        ("한국", "서울은 한국의 수도이다."),
    ],
)
def test_input_29_and_30_what_a_reader_types_is_found(index, query, text):
    found = index.find(query)
    assert [hit.document_id for hit in found.hits] == [document_id(text)]
    assert found.total == 1
    if not query.startswith(('"', "“")):  # candidates for influence come by the same words
        assert [hit.document_id for hit in index.search(f"? {query} !")] == [document_id(text)]
    assert highlights(text, query)


def test_input_30_quotes_want_the_words_in_their_order(index):
    assert index.find("exact words").total == 2
    assert index.find('"exact words"').total == 1
    assert index.find('"words exact"').total == 0
    assert index.find('"日本語を勉"').total == 1
    assert index.find('"語日本"').total == 0
    assert index.find('"in snake_case and"').total == 1
    assert index.find('"the U.S.A. by"').total == 1
    assert index.find('rare "exact words"').total == 1  # what is not in quotes only ranks
    assert index.find('""').total == index.find('"').total == 0
    assert len(index.search('"words exact" rare')) == 2  # a prompt with quotes wants nothing


@pytest.mark.parametrize(
    ("quoted", "wanted"),
    [
        ("he was running", [0, 1, 2]),
        ("was running", [0, 1, 2]),
        ("was run", [3]),
        ("was runs", []),
        ("cafes", [4]),
        ("café", [5]),
        ("running", [0, 1, 2]),  # not the title of the last
    ],
)
@pytest.mark.parametrize("engine", [WHOOSH, TANTIVY])
def test_what_stands_in_quotes_is_found_word_for_word_and_counted(tmp_path, quoted, wanted, engine):
    """The index knows stems only: each phrase here is held by stem in more documents than say it."""
    said = ["He was running.", "HE WAS RÚNNING!", "As he was running away", "he was run over", "two cafés", "a cafe"]
    made = [Document(document_id(each), "c", "Runs" if i == 5 else "", "s", "t", each) for i, each in enumerate(said)]
    write_text_index(made, tmp_path, engine)
    opened = TextIndex.open(tmp_path, folder_hashes(tmp_path))
    of = {each.document_id: (each.title, each.text) for each in made}
    asked = []

    def texts(ids):
        asked.extend(ids)
        return {each: of[each] for each in ids}

    found = opened.find(f'"{quoted}"', texts=texts)
    assert {hit.document_id for hit in found.hits} == {made[i].document_id for i in wanted}
    assert found.total == len(wanted)
    assert len(asked) > len(wanted) - 1
    assert opened.find(f'"{quoted}"').total == len(asked) > len(wanted)
    page = opened.find(f'"{quoted}"', 1, 1, texts=texts)
    assert page.total == len(wanted) and not found.at_least
    assert page.hits == found.hits[1:2]
    assert opened.find(f'"{quoted}" "nobody"', texts=texts).total == 0
    opened.close()


@given(st.text(max_size=40), st.text(max_size=8), st.text(max_size=40))
def test_a_text_says_every_run_of_its_words(before, middle, after):
    text = f"{before} {middle} {after}"
    every = phrase(text, exact=True)
    assert says(text, middle)
    assert says(text, text)
    assert not says(text, f"{text} {'q' * 60}") or "q" * 60 in every


def test_says_is_word_for_word_but_for_case_and_accents():
    assert says("Names in snake_case, CAFÉS of the U.S.A. 日本語を勉強", "snake_case cafes OF")
    assert says("of the U.S.A. 日本語を勉強", "the USA 日本語を勉")
    assert not says("He was running.", "he was run")
    assert not says("a b c", "a c")
    assert says("a a b", "a b")
    assert not says("", "a")


def test_a_document_and_a_query_share_their_terms():
    assert query_terms("running cafés U.S.A. Snake_case 日本語 日") == [
        *("run", "cafe", "usa", "snake_cas", "snake", "case"),
        *("日本", "本語", "日"),
    ]
    assert [(w.term, w.place) for w in words("日本語 ok")] == [
        *(("日本", 0), ("日", 0), ("本語", 1), ("本", 1), ("語", 2), ("ok", 3))
    ]
    assert phrase("a_b 日本 U.S.") == ["a", "b", "日本", "本", "us"]


def test_highlights_are_in_order_and_apart():
    text = "日本語 of snake_case: Cafés"
    assert [text[a:b] for a, b in highlights(text, "日本語 snake_case cafe")] == ["日本語", "snake_case", "Cafés"]


@given(st.text(max_size=60))
def test_every_word_of_a_text_finds_it(text):
    """Terms of a query are among those of the document; places rise; characters lie in the text."""
    found = list(words(text))
    assert {word.term for word in words(text, of_query=True)} <= {word.term for word in found}
    places = [word.place for word in found]
    assert places == sorted(places)
    assert all(0 <= word.start < word.stop <= len(text) for word in found)


@pytest.mark.parametrize("engine", [WHOOSH, TANTIVY])
def test_of_many_documents_that_hold_a_phrase_the_best_are_read_and_no_more(tmp_path, engine, monkeypatch):
    monkeypatch.setattr(text_index, "READ", 3)
    said = [f"it was {how} {'a ' * i}" for i, how in enumerate(["running", "run"] * 4)]
    made = [Document(document_id(each), "c", "", "s", "t", each) for each in said]
    write_text_index(made, tmp_path, engine)
    opened = TextIndex.open(tmp_path, folder_hashes(tmp_path))
    of, asked = {each.document_id: (each.title, each.text) for each in made}, []

    def texts(ids):
        asked.extend(ids)
        return {each: of[each] for each in ids}

    best = [hit.document_id for hit in opened.find('"was running"', k=3).hits]
    found = opened.find('"was running"', texts=texts)
    assert asked == best
    assert [hit.document_id for hit in found.hits] == [each for each in best if "running" in of[each][1]]
    assert found.total == len(found.hits) > 0 and found.at_least
    opened.close()
