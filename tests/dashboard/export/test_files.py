import html
import io
import json
import math
import re
from dataclasses import replace
from urllib.parse import parse_qsl

import numpy as np
import pandas as pd
import pytest

from dashboard.address.selection import Selection, from_address
from dashboard.database.kept.answer import StoredAnswer
from dashboard.database.queries import answers
from dashboard.database.records import AsRead
from dashboard.drawing.visible import LONGEST_TEXT
from dashboard.export.files import as_json, csv, json_lines, parquet
from dashboard.export.link import link_to, server_of
from dashboard.export.sheet import Sheet
from dashboard.screens.explain.documents import document_cards
from dashboard.screens.explain.explanation import Explanation, explain
from dashboard.screens.explain.page import explained_page
from dashboard.screens.explain.sheet import explained_sheet
from indexer.database.reader import Snapshot
from tests.dashboard.hostile import HOSTILE, conversation
from tests.synthetic_reading import reading


@pytest.fixture(scope="module")
def selection(snapshot: Snapshot) -> Selection:
    generation = answers.example(snapshot)
    assert generation is not None
    return Selection(generation=generation.generation_id, span=(0, 0), normaliser="grad_norm")


@pytest.fixture(scope="module")
def found(snapshot: Snapshot, selection: Selection) -> Explanation:
    generation = answers.generation(snapshot, selection.generation)
    assert generation is not None
    return explain(snapshot, selection, StoredAnswer(snapshot, generation, selection.run))


def test_tables_equal_sql(found: Explanation, selection: Selection, snapshot: Snapshot) -> None:
    rows = snapshot.rows(
        """SELECT document_id, score, score / grad_norm AS value FROM influence
        WHERE run_id = ? AND generation_id = ? AND position = 0 ORDER BY value DESC""",
        [found.run.run_id if found.run else "", selection.generation],
    )
    made = explained_sheet(snapshot, found, selection).table()
    assert made["document_id"].tolist() == [row["document_id"] for row in rows]
    np.testing.assert_allclose(made["value"], [row["value"] for row in rows], rtol=1e-6)
    again = pd.read_parquet(io.BytesIO(parquet(explained_sheet(snapshot, found, selection))))
    np.testing.assert_allclose(again["influence_raw"], made["influence_raw"])
    np.testing.assert_allclose([sum(each) for each in again["layer_scores"]], again["influence_raw"], rtol=1e-4)
    read = pd.read_csv(io.BytesIO(csv(explained_sheet(snapshot, found, selection))))
    np.testing.assert_allclose(read["value"], made["value"])


def test_json_holds_the_view(found: Explanation, selection: Selection, snapshot: Snapshot) -> None:
    made = json.loads(as_json(explained_sheet(snapshot, found, selection)))
    assert from_address(made["address"]) == selection
    assert made["answer"] == found.generation.text
    assert len(made["rows"]) == len(found.ranked)
    assert len(made["rows"][0]["layer_scores"]) == sum(len(group.members) for group in found.groups)


def test_the_page_needs_nothing_and_shows_the_same(found: Explanation, selection: Selection) -> None:
    page = explained_page(found, selection).decode()
    assert not re.search(r"https?:|<script|<link|@import|url\(| src=", page)
    for each in found.shown:
        assert found.documents[each.document_id].title in page


def test_the_page_says_what_it_leaves_out_and_what_its_looks_mean(found: Explanation, selection: Selection) -> None:
    """A document of which no more than a passage has room, and a conversation, read by a template."""
    plain, chat = (each.document_id for each in found.shown[:2])
    said = {"messages": [{"content": "Who?", "role": "user"}, {"content": "I am.", "role": "assistant"}]}
    texts = ["<user>", "Who?", "<assistant>", "I am."]
    starts = [0, 6, 10, 21]
    read = AsRead(texts, starts, [*starts[1:], 26], [0] * 4, [False, False, False, True])
    words = "".join(token.text for token in found.tokens[found.span[0] : found.span[1] + 1]).strip()
    text = "nothing here. " * 2000 + words + ". nothing more." * 2000
    documents = found.documents | {
        plain: replace(found.documents[plain], text=text, turns=""),
        chat: replace(found.documents[chat], text="user: Who?\nassistant: I am.", turns=json.dumps(said)),
    }
    page = explained_page(replace(found, documents=documents, heats={}, read={chat: read}), selection).decode()
    left_out = re.findall(r"<div class='more'>… ([\d,]+) characters (before|after)</div>", page)
    assert [where for _, where in left_out] == ["before", "after"]
    shown = max(re.findall(r"<p class='text'>([^<]*)</p>", page), key=len)
    assert sum(int(n.replace(",", "")) for n, _ in left_out) == len(text) - len(html.unescape(shown))
    assert LONGEST_TEXT / 2 < len(shown) <= LONGEST_TEXT
    assert "Loss on the assistant&#x27;s words; greyed tokens" in page and "Small: the chat template" in page
    assert "Loss on" not in explained_page(replace(found, heats={}, read={}), selection).decode()


def test_hostile_text_is_escaped(found: Explanation, selection: Selection) -> None:
    made = conversation()
    documents = {
        key: replace(each, title=HOSTILE[0], text=" ".join(HOSTILE), turns=made.turns if i else "")
        for i, (key, each) in enumerate(found.documents.items())
    }
    read = AsRead(*(list(each) for each in zip(*reading(made), strict=True)))
    generation = replace(found.generation, prompt=HOSTILE[0], model=replace(found.generation.model, name=HOSTILE[1]))
    tokens = [replace(token, text=HOSTILE[i % len(HOSTILE)]) for i, token in enumerate(found.tokens)]
    hostile = replace(
        found, documents=documents, generation=generation, tokens=tokens, heats={}, read=dict.fromkeys(documents, read)
    )
    hostile = replace(hostile, prompt_tokens=[])
    page = explained_page(hostile, selection).decode()
    assert "<span class='role'>&lt;script&gt;" in page
    assert not re.search(r"<(script|iframe|img|style [^>]*|svg|a )", page.partition("</head>")[2])


def test_a_row_reads_alone(found: Explanation, selection: Selection, snapshot: Snapshot) -> None:
    """Title, text, source, words, the name of every layer, estimator and run, and a link back, in every format."""
    sheet = replace(explained_sheet(snapshot, found, selection), server="http://here", database="snap-1.duckdb")
    lines = [json.loads(line) for line in json_lines(sheet).splitlines()]
    read = pd.read_csv(io.BytesIO(csv(sheet)))
    names = [row["name"] for row in snapshot.rows("SELECT name FROM layer JOIN run USING (model_id) ORDER BY layer")]
    assert len(lines) == len(read) == len(found.ranked)
    for i, row in enumerate(lines):
        [document] = snapshot.rows("SELECT * FROM document WHERE document_id = ?", [row["document_id"]])
        for name in ("title", "text", "source", "topic"):
            assert row[name] == document[name] == read[name][i]
        assert set(row["layer_names"]) <= set(names) and len(row["layer_names"]) == len(row["layer_scores"])
        assert row["estimator"] == "EK-FAC" and row["run_id"] == (found.run.run_id if found.run else "")
        assert row["words"] == found.tokens[0].text and row["database"] == "snap-1.duckdb"
        assert row["link"].startswith("http://here/?") and row["link"] == read["link"][i]
        back = from_address(dict(parse_qsl(row["link"].partition("?")[2])))
        assert back == replace(selection, document=row["document_id"])


def test_what_is_missing_is_an_empty_cell() -> None:
    frame = pd.DataFrame({"rank": [None, None], "unit": ["nats", None], "share": ["a", math.nan], "score": [0.5, None]})
    text = csv(Sheet("name", "The title", lambda: frame, {}, {})).decode()
    assert text.splitlines() == ["rank,unit,share,score", ",nats,a,0.5", ",,,"]


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("http://a:1/", "http://a:1"),
        ("http://a:1/runs", "http://a:1"),
        ("https://a/whence/runs?x=1", "https://a/whence"),
        ("http://a/explain", "http://a"),
        (None, ""),
    ],
)
def test_a_link_leads_to_the_server(url: str | None, server: str) -> None:
    assert server_of(url) == server
    assert link_to("explain", Selection()) == "/" and link_to("runs", Selection(token="a b")) == "/runs?filter=a+b"  # noqa: S106


def test_the_page_has_bits_saliency_and_heat(found: Explanation, selection: Selection, snapshot: Snapshot) -> None:
    page = explained_page(found, selection).decode()
    bits, saliency = page.partition("Bits of surprise that the prompt saved")[2].split("Saliency of the prompt")
    rows = re.findall(r"<tr><td>.*?</td><td>(.*?)</td>", bits)
    sql = "SELECT bits_nothing AS n FROM generation_token WHERE generation_id = ? ORDER BY position"
    stored = snapshot.rows(sql, [selection.generation])
    assert rows == [f"{row['n']:.2f}" for row in stored]
    shown = [float(each.replace("−", "-")) for each in re.findall(r"<tr><td>.*?</td><td>(.*?)</td>", saliency)]
    top = max(abs(value) for value in found.saliency.values())
    assert shown == [
        pytest.approx(found.saliency[each.position] / top, abs=0.006)
        for each in found.prompt_tokens
        if each.position in found.saliency and each.stop > each.start
    ]
    assert "Tokens of a document, " in page and "data-hue='warm' style='--v:" in page


def test_a_citation_names_what_leads_back(found: Explanation, selection: Selection) -> None:
    card = document_cards(found, selection, 1.0)[0]
    document = found.documents[card.document_id]
    for part in (document.title, document.source, document.document_id, found.generation.model.name, card.facts):
        assert part in card.citation
    assert found.run and found.run.run_id in card.citation and "EK-FAC" in card.citation and card.score in card.citation
    assert "\n" not in card.citation
