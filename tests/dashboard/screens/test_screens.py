"""Every screen on the synthetic database, drawn by Streamlit without a browser."""

import math
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from attribution.normalisers import NORMALISERS
from dashboard.address.screen import screens
from indexer.database.reader import Database, Snapshot
from tests.dashboard.drawn import components, words
from tests.synthetic_database import build_synthetic

Open = Callable[..., AppTest]


@pytest.fixture(scope="module")
def some(snapshot: Snapshot) -> dict[str, str]:
    """A generation of the middle size."""
    [row] = snapshot.rows("""SELECT generation_id, run_id, prompt_id FROM generation JOIN run USING (model_id)
        JOIN model USING (model_id) WHERE name = 'synth-m' ORDER BY generation_id LIMIT 1""")
    return row


def test_the_first_page_shows_a_finished_example(open_app: Open) -> None:
    app = open_app()
    assert not app.exception
    [strip] = components(app, "token_strip")
    assert strip["first"] is strip["last"] is None  # the whole answer
    assert "token" not in app.query_params and "as one target" in words(app)
    documents = components(app, "document_list")[0]  # those with its words may follow
    assert len(documents["items"]) == 10


def test_top_documents_equal_sql(open_app: Open, snapshot: Snapshot, some: dict[str, str]) -> None:
    for position in range(4):
        app = open_app({"generation": some["generation_id"], "token": str(position)})
        [documents] = components(app, "document_list")
        rows = snapshot.rows(
            """SELECT document_id, score, logp FROM influence JOIN generation_token USING (generation_id, position)
            WHERE run_id = ? AND generation_id = ? AND position = ? AND score > 0 ORDER BY rank LIMIT 10""",
            [some["run_id"], some["generation_id"], position],
        )
        assert [item["id"] for item in documents["items"]] == [row["document_id"] for row in rows]
        for item, row in zip(documents["items"], rows, strict=True):
            assert float(item["score"].replace("+", "")) == pytest.approx(nats(row), abs=5e-4)


def nats(row: dict[str, float]) -> float:
    """A score as the page has it, by the odds of its token and the made-up slope of the smaller sizes, 0.25."""
    p = math.exp(row["logp"])
    odds = p / (1 - p) * math.exp(0.25 * row["score"] / (1 - p))
    return math.log(odds / (1 + odds) / p)


def test_a_span_is_the_sum_of_its_tokens(open_app: Open, snapshot: Snapshot, some: dict[str, str]) -> None:
    app = open_app({"generation": some["generation_id"], "token": "0-2"})
    [documents] = components(app, "document_list")
    rows = snapshot.rows(
        """SELECT document_id, sum(score) AS score FROM influence WHERE run_id = ? AND generation_id = ?
        AND position BETWEEN 0 AND 2 GROUP BY document_id ORDER BY score DESC LIMIT 10""",
        [some["run_id"], some["generation_id"]],
    )
    assert [item["id"] for item in documents["items"]] == [row["document_id"] for row in rows]


def test_layers_add_up_to_the_document(open_app: Open, snapshot: Snapshot, some: dict[str, str]) -> None:
    app = open_app({"generation": some["generation_id"], "token": "0"})
    first = components(app, "document_list")[0]["items"][0]
    app = open_app({"generation": some["generation_id"], "token": "0", "document": first["id"]})
    said = words(app).partition("The selected document: +")[2]
    assert float(said.split(" ")[0]) == pytest.approx(float(first["score"]), abs=1e-3)


def test_a_document_lights_the_tokens_that_it_helps_and_hurts(
    open_app: Open, snapshot: Snapshot, some: dict[str, str]
) -> None:
    [row] = snapshot.rows(
        """SELECT document_id FROM influence WHERE run_id = ? AND generation_id = ? GROUP BY document_id
        HAVING min(score) < 0 AND max(score) > 0 ORDER BY count(*) DESC, document_id LIMIT 1""",
        [some["run_id"], some["generation_id"]],
    )
    app = open_app({"generation": some["generation_id"], "document": row["document_id"]})
    [strip] = components(app, "token_strip")
    effects = {
        each["position"]: each["score"]
        for each in snapshot.rows(
            "SELECT position, score FROM influence WHERE run_id = ? AND generation_id = ? AND document_id = ?",
            [some["run_id"], some["generation_id"], row["document_id"]],
        )
    }
    signs = {i: token["sign"] for i, token in enumerate(strip["answer"]) if token["sign"]}
    assert signs == {i: "+" if score > 0 else "−" for i, score in effects.items()}


@pytest.mark.parametrize("scale", [*NORMALISERS, "relatif-l"])
@pytest.mark.parametrize("side", ["towards", "away", "both"])
def test_every_scale_and_side_draws(open_app: Open, some: dict[str, str], scale: str, side: str) -> None:
    app = open_app({"generation": some["generation_id"], "token": "1", "scale": scale, "side": side})
    assert not app.exception
    [documents] = components(app, "document_list")
    hues = {item["hue"] for item in documents["items"]}
    assert hues and hues <= {"towards": {"warm"}, "away": {"cool"}, "both": {"warm", "cool"}}[side]


def test_switching_the_size_keeps_the_token(open_app: Open, snapshot: Snapshot, some: dict[str, str]) -> None:
    app = open_app({"generation": some["generation_id"], "token": "2"})
    app.selectbox(key="ask size").set_value("synth-l").run()
    assert not app.exception
    [row] = snapshot.rows(
        "SELECT generation_id FROM generation JOIN model USING (model_id) WHERE name = 'synth-l' AND prompt_id = ?",
        [some["prompt_id"]],
    )
    assert app.query_params["generation"] == row["generation_id"]
    assert app.query_params["token"] == "2"  # noqa: S105


def test_all_sizes_of_the_opening_page_are_on_compare(open_app: Open) -> None:
    app = open_app()
    app.selectbox(key="ask size").set_value("all sizes").run()
    assert not app.exception
    assert len(components(app, "size_grid")) == 1
    app.selectbox(key="ask size").set_value("synth-m").run()
    [strip] = components(app, "token_strip")
    assert strip["first"] == 0


@pytest.mark.parametrize(
    "query",
    [
        {"generation": "no such"},
        {"generation": "'; DROP TABLE document; --"},
        {"token": "999"},
        {"document": "no such"},
        {"layer": "no such"},
        {"scale": "no such", "side": "no such", "shade": "no such"},
        {"job": "no such"},
    ],
)
def test_unknown_ids_get_a_friendly_line(open_app: Open, some: dict[str, str], query: dict[str, str]) -> None:
    app = open_app({"generation": some["generation_id"]} | query)
    assert not app.exception and not app.error
    if "generation" in query or "job" in query:
        assert words(app)


def test_an_empty_folder_explains_itself(open_app: Open, tmp_path: Path) -> None:
    app = open_app(where=tmp_path)
    assert not app.exception
    assert "whence build CONFIG" in words(app)


def test_runs_lists_every_prompt_and_opens_explain(open_app: Open, snapshot: Snapshot) -> None:
    app = open_app(screen="runs")
    assert not app.exception
    [table] = components(app, "prompt_table")
    n = snapshot.rows("SELECT count(DISTINCT prompt_id) AS n FROM generation")[0]["n"]
    assert len(table["rows"]) == n
    assert all(len(row["columns"]) == 3 for row in table["rows"])
    assert all(len(row["answers"]) == 3 for row in table["rows"])


FILTERS = [
    ({"text": "capital of JAPAN"}, "contains(lower(p.text || g.text), 'capital of japan')"),
    ({"filter": "Toky"}, "false"),
    ({"filter": "tokyo"}, "regexp_matches(g.text, '\\bTokyo\\b')"),
    (
        {"filter": "Toky", "match": "prefix"},
        "EXISTS (FROM generation_token t WHERE t.generation_id = g.generation_id AND t.text LIKE ' Toky%')",
    ),
    ({"filter": "Tok", "match": "literal"}, "false"),
    (
        {"filter": "^ (Oslo|Lima)$", "match": "regex"},
        "EXISTS (FROM generation_token t WHERE t.generation_id = g.generation_id AND t.text IN (' Oslo', ' Lima'))",
    ),
    ({"size": "synth-s", "topic": "capital"}, "m.name = 'synth-s'"),
    (
        {"filter": "yen", "in": "documents", "match": "literal"},
        """EXISTS (FROM influence i JOIN document d USING (document_id) WHERE i.generation_id = g.generation_id
            AND rank <= 10 AND regexp_matches(d.text, '\\byen\\b'))""",
    ),
]


@pytest.mark.parametrize(("query", "condition"), FILTERS)
def test_filters_equal_sql(open_app: Open, snapshot: Snapshot, query: dict[str, str], condition: str) -> None:
    app = open_app(query, screen="runs")
    assert not app.exception
    rows = snapshot.rows(f"""SELECT DISTINCT p.prompt_id FROM generation g JOIN prompt p USING (prompt_id)
        JOIN model m USING (model_id) WHERE {condition}""")  # noqa: S608
    tables = components(app, "prompt_table")
    shown = [row["key"] for table in tables for row in table["rows"]]
    assert sorted(shown) == sorted(row["prompt_id"] for row in rows)
    assert tables or "No answer passes" in words(app)


def test_tokens_are_found_in_training_documents(open_app: Open) -> None:
    app = open_app({"filter": "yen", "in": "documents", "match": "literal"}, screen="runs")
    assert not app.exception
    assert components(app, "prompt_table") or "No answer passes" in words(app)


def test_a_bad_pattern_is_told(open_app: Open) -> None:
    app = open_app({"filter": "(", "match": "regex"}, screen="runs")
    assert not app.exception
    assert "Expected a pattern, found" in words(app)


@pytest.mark.parametrize("screen", screens())
def test_every_screen_draws_without_a_selection(open_app: Open, screen: str) -> None:
    app = open_app(screen=screen)
    assert not app.exception
    assert words(app) or app.subheader or app.caption


def test_relabelling_of_the_selected_document(open_app: Open, snapshot: Snapshot, some: dict[str, str]) -> None:
    [row] = snapshot.rows(
        """SELECT document_id, logp, 0.02::DOUBLE AS score
        FROM relabel JOIN generation_token USING (generation_id, position)
        WHERE run_id = ? AND generation_id = ? AND position = 0 LIMIT 1""",
        [some["run_id"], some["generation_id"]],
    )
    app = open_app({"generation": some["generation_id"], "token": "0", "document": row["document_id"]})
    assert not app.exception
    assert "Rome" in words(app) and f"+{nats(row):.5f} nats" in words(app)


def test_overlap_and_forks_equal_sql(open_app: Open, snapshot: Snapshot) -> None:
    prompts = snapshot.rows("SELECT prompt_id, any_value(generation_id) AS id FROM generation GROUP BY prompt_id")
    for prompt in prompts[:4]:
        app = open_app({"generation": prompt["id"], "token": "0", "unit": "token"}, screen="compare")
        assert not app.exception
        rows = snapshot.rows(
            """SELECT name, list(document_id ORDER BY rank) AS ids FROM influence JOIN generation USING (generation_id)
            JOIN model USING (model_id) WHERE prompt_id = ? AND position = 0 AND rank <= 10 AND score > 0
            GROUP BY name, n_params ORDER BY n_params""",
            [prompt["prompt_id"]],
        )
        small, large = (set(rows[i]["ids"]) for i in (0, 1))
        share = len(small & large) / max(len(small), len(large))
        assert f"synth-s and synth-m: overlap at 10 {100 * share:.1f} %" in words(app)
        [grid] = components(app, "size_grid")
        texts = [[token["text"] for token in row["tokens"]] for row in grid["rows"]]
        for above, below, row in zip(texts, texts[1:], grid["rows"][1:], strict=False):
            pairs = [pair for pair in zip(above, below, strict=False) if "end of text" not in pair]
            differ = [i for i, (a, b) in enumerate(pairs) if a != b]
            assert [i for i, token in enumerate(row["tokens"]) if token["fork"]] == differ[:1]


def test_moving_a_slider_moves_the_citations(open_app: Open) -> None:
    strict = open_app({"cti": "12", "cues": "1"}, screen="context")
    loose = open_app({"cti": "-4", "cues": "0"}, screen="context")
    assert not strict.exception and not loose.exception

    def cited(app: AppTest) -> float:
        [documents] = components(app, "document_list")
        return sum(float(item["score"].removesuffix(" %").strip("<>")) for item in documents["items"])

    assert cited(strict) == 0
    assert cited(loose) == pytest.approx(100, abs=0.2)


def test_the_preset_of_inseq_and_measures_beside_the_methods(open_app: Open) -> None:
    app = open_app({"mirage": "inseq", "cti": "-4"}, screen="context")
    assert not app.exception
    assert [slider.disabled for slider in app.slider] == [False, True]
    methods, measured = (frame.value for frame in app.dataframe[-2:])
    assert list(methods.columns) == ["Document", "MIRAGE, share", "ContextCite", "Leave one out", "Shapley"]
    assert {"MIRAGE", "ContextCite"} < set(measured["Method"])
    assert "2.50 (0.750)" in measured["Without the first document"].tolist()


def test_a_span_is_fitted_again_from_stored_rows(open_app: Open, snapshot: Snapshot) -> None:
    whole = open_app(screen="context")
    generation = _one(whole.query_params["generation"])
    one = open_app({"generation": generation, "token": "2"}, screen="context")
    assert not whole.exception and not one.exception
    frames = [app.dataframe[-2].value for app in (whole, one)]
    # log-odds are 3, 1, -1 for the documents and rise by 0.1 a token: alone, the first document is worth this much
    sql = "SELECT log_odds FROM ablation WHERE generation_id = ? AND design = 'single' ORDER BY number LIMIT 2"
    rows = snapshot.rows(sql, [generation])
    logp = [-np.logaddexp(0, -np.array(row["log_odds"])) for row in rows]
    assert frames[0]["Leave one out"][0] == pytest.approx((logp[0] - logp[1]).sum(), abs=1e-3)
    assert frames[1]["Leave one out"][0] == pytest.approx((logp[0] - logp[1])[2], abs=1e-3)


def test_the_corpus_is_searched_and_a_document_has_a_page(open_app: Open, snapshot: Snapshot) -> None:
    app = open_app({"search": "capital of Japan"}, screen="corpus")
    assert not app.exception
    items = components(app, "document_list")[0]["items"]
    assert "Japan" in items[0]["title"]
    assert any(mark == "mark" for _, mark in items[0]["pieces"])
    app = open_app({"document": items[0]["id"], "size": "synth-l", "unit": "token"}, screen="corpus")
    assert not app.exception
    cards = [item for data in components(app, "document_list") for item in data["items"] if item["score"]]
    for name, unit in (("synth-m", "nats"), ("synth-l", "%")):  # the larger one has no slope
        [best, *_] = [item for item in cards if name in item["where"] and item["score"].startswith("+")]
        [row] = snapshot.rows(
            """SELECT score, logp FROM influence JOIN generation_token USING (generation_id, position)
            JOIN run USING (run_id) JOIN model USING (model_id) WHERE name = ? AND document_id = ?
            ORDER BY score DESC LIMIT 1""",
            [name, items[0]["id"]],
        )
        expected = nats(row) if unit == "nats" else 100
        assert (float(best["score"]), best["unit"]) == (pytest.approx(expected, abs=5e-4), unit)


def test_input_31_a_search_is_counted_filtered_and_paged(open_app: Open, snapshot: Snapshot) -> None:
    sql = "SELECT count(*) AS n FROM document WHERE contains(lower(text), 'capital')"
    [row] = snapshot.rows(sql)
    assert row["n"] > 20
    pages = []
    for page in ("1", "2", "9"):
        app = open_app({"search": "capital", "page": page}, screen="corpus")
        assert f"{row['n']} documents. Page {min(int(page), 2)} of 2." in words(app)
        [listed] = components(app, "document_list")
        pages.append([item["id"] for item in listed["items"]])
    assert len(pages[0]) == 20
    assert pages[1] == pages[2]
    assert len({*pages[0], *pages[1]}) == row["n"]
    [one] = snapshot.rows("SELECT source, count(*) AS n FROM document GROUP BY source ORDER BY n, source LIMIT 1")
    [few] = snapshot.rows(f"{sql} AND source = ?", [one["source"]])
    app = open_app({"search": "capital", "source": one["source"]}, screen="corpus")
    assert re.search(rf"(?<!\d){few['n']} documents?\.", words(app))


@pytest.mark.parametrize("search", ["*a*", "[a TO z]", "title:x AND (", "x" * 5000, '"', "AND OR NOT", "~5 ^2 ?"])
def test_strange_searches_are_words(open_app: Open, search: str) -> None:
    app = open_app({"search": search}, screen="corpus")
    assert not app.exception


def test_a_newer_database_is_announced_and_shown_when_asked(open_app: Open, tmp_path: Path) -> None:
    build_synthetic(tmp_path)
    app = open_app(where=tmp_path)
    before = Database(tmp_path).current().name
    build_synthetic(tmp_path, seed=1)
    assert Database(tmp_path).current().name != before
    assert app.session_state["snapshot of this rerun"].name == before
    app.run()
    assert not app.exception
    assert app.session_state["snapshot of this rerun"].name != before


def test_the_same_paragraph_may_stand_twice() -> None:
    def page() -> None:
        from dashboard.drawing import render

        render.begin()
        render.problem("The same.")
        render.problem("The same.")

    app = AppTest.from_function(page).run()
    assert not app.exception
    assert len(components(app, "prose")) == 2


def _one(value: str | list[str]) -> str:
    return value if isinstance(value, str) else value[0]


def test_all_sizes_on_one_text_equals_sql(open_app: Open, snapshot: Snapshot, some: dict[str, str]) -> None:
    of = {"generation": some["generation_id"], "token": "1", "compare": "same", "unit": "token"}
    app = open_app(of, screen="compare")
    assert not app.exception
    [grid] = components(app, "size_grid")
    rows = snapshot.rows(
        """SELECT name, list(said_text ORDER BY position) AS said, list(logp ORDER BY position) AS logp
        FROM reading JOIN model USING (model_id) WHERE generation_id = ? GROUP BY name""",
        [some["generation_id"]],
    )
    written = [
        row["text"]
        for row in snapshot.rows(
            "SELECT text FROM generation_token WHERE generation_id = ? ORDER BY position", [some["generation_id"]]
        )
    ]
    read = {row["name"]: row for row in rows}
    assert set(read) == {"synth-s", "synth-l"} and len(grid["rows"]) == 3
    for line in grid["rows"]:
        assert len(line["tokens"]) == len(written)
        if line["size"] in read:
            said = read[line["size"]]["said"]
            assert [i for i, token in enumerate(line["tokens"]) if token["fork"]] == [
                i for i, (a, b) in enumerate(zip(said, written, strict=True)) if a != b
            ]
            chances = [token["probability"] for token in line["tokens"]]
            assert chances == pytest.approx([2.718281828459045**each for each in read[line["size"]]["logp"]], rel=1e-5)
        else:  # its own text: it said what it said
            assert not any(token["fork"] for token in line["tokens"])


def test_input_46_runs_say_share_and_the_best_document_of_the_answer(open_app: Open, snapshot: Snapshot) -> None:
    app = open_app({"size": "synth-s"}, screen="runs")
    [table] = components(app, "prompt_table")
    rows = snapshot.rows("""WITH summed AS (
            SELECT generation_id, document_id, sum(score) AS total, count(*) AS n FROM influence GROUP BY ALL)
        SELECT prompt_id, avg((bits_question + bits_documents) / bits_nothing) AS share,
            count(*) AS n_tokens, generation.generation_id IN (
                SELECT generation_id FROM span_influence JOIN span USING (generation_id, span)
                WHERE kind = 'answer' AND rank = 1) AS exact,
            (SELECT arg_max([title, n::VARCHAR], total) FROM summed JOIN document USING (document_id)
             WHERE summed.generation_id = generation.generation_id) AS best
        FROM generation_token JOIN generation USING (generation_id) JOIN model USING (model_id)
        WHERE name = 'synth-s' GROUP BY prompt_id, generation.generation_id""")
    expected = {row["prompt_id"]: row for row in rows}
    assert len(table["rows"]) == len(expected)
    for row in table["rows"]:
        known = expected[row["key"]]
        title, n = known["best"]
        assert row["answers"][0]["share"] == f"{100 * known['share']:.1f} % of its bits from the prompt"
        assert row["answers"][0]["source"] == f"← {title}"
        part = f"known for {n} of {known['n_tokens']} tokens"
        assert (part in row["answers"][0]["said"]) == (int(n) < known["n_tokens"] and not known["exact"])


def test_runs_of_an_unknown_family_say_so(open_app: Open) -> None:
    assert components(open_app({"family": "synth"}, screen="runs"), "prompt_table")
    assert "No answer passes" in words(open_app({"family": "other"}, screen="runs"))


def test_a_document_lights_the_tokens_that_rest_on_it(open_app: Open) -> None:
    app = open_app({"cti": "-4", "cues": "0"}, screen="context")
    [documents] = components(app, "document_list")
    cited = next(item["id"] for item in documents["items"] if item["where"] == "cited")
    query = {"generation": app.query_params["generation"], "cti": "-4", "cues": "0", "part": cited}
    app = open_app(query, screen="context")
    [strip] = components(app, "token_strip")
    assert strip["legends"][0]["name"] == "Share of a token's cues in this document"
    assert any(token["v"] for token in strip["answer"])
    [citations] = components(app, "citation_list")
    assert citations["part"] == int(cited)


def test_the_contrast_is_another_map(open_app: Open, some: dict[str, str]) -> None:
    query = {"generation": some["generation_id"], "token": "1", "saliency": "grad_x_input"}
    plain, contrast = (
        [token["v"] for token in components(open_app(query | {"why": why}), "token_strip")[0]["prompt"]]
        for why in ("no", "yes")
    )
    assert plain != contrast and len(plain) == len(contrast)


@pytest.mark.parametrize("screen", [name for name in screens() if name != "about"])
def test_every_screen_has_its_tools(open_app: Open, screen: str) -> None:
    app = open_app(screen=screen)
    assert components(app, "copy_link")
    made = words(app)
    assert "Damping" in made or screen in ("runs", "tokens")
    assert "Corpus: 60 documents" in made and "Faithfulness" in made
