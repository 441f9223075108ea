"""Databases that lack something: every screen draws, and says what is not there."""

from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.address.screen import screens
from tests.dashboard.changed import changed
from tests.dashboard.drawn import components, words

Open = Callable[..., AppTest]
CONTEXT = ("citation", "ablation", "faithfulness")
RUNS = ("run", "target", "influence", "influence_position", "relabel", "self_influence", "candidate")
SUMMARIES = ("answer_document", "document_total", "topic_total", "size_overlap", "rank_share", "helped_answer")
SUMMARIES += ("answer_source",)
ONE = "(SELECT model_id FROM model WHERE name = 'synth-s')"


def emptied(tables: Iterable[str], where: str = "true") -> list[str]:
    return [f"DELETE FROM {table} WHERE {where}" for table in tables]  # noqa: S608 (names of ours)


INSIDE = ("component_effect", "component_taught", "component_measured", "component_attention", "component_context")
INSIDE += ("lens", "neuron_activation", "component_tokens", "component_answer", "component_document")
MANY = ("span", "span_candidate", "span_target", "span_influence", "span_position", "corpus_group", "document_group")
MANY += ("group_influence", "answer_group", "verbatim", "verbatim_place")
LACKING = {
    "no words, groups and verbatim spans": [f"DROP TABLE {table}" for table in MANY],
    "words, groups and verbatim spans of no answer": emptied(MANY),
    "nothing inside": [f"DROP TABLE {table}" for table in (*INSIDE, "component_model")],
    "nothing inside of any answer": emptied(INSIDE),
    "models that cannot be split": [
        *emptied(INSIDE),
        "UPDATE component_model SET n_heads = NULL, n_kv_heads = NULL, n_neurons = NULL, notice = 'it is one matrix'",
    ],
    "no context part": emptied(CONTEXT)
    + ["DELETE FROM prompt_part WHERE kind = 'document'", "UPDATE generation_token SET kl_context = NULL"],
    "no layers": ["DELETE FROM layer", "UPDATE influence SET layer_scores = NULL"],
    "one model": emptied(("generation", "run", "layer"), f"model_id <> {ONE}")
    + ["DELETE FROM reading", "DELETE FROM model WHERE name <> 'synth-s'"],
    "no runs": emptied(RUNS + SUMMARIES),
    "no answers": emptied(("generation", "generation_token", *RUNS, *SUMMARIES)),
    "columns of an older Whence": [
        "DROP TABLE reading",
        "DROP TABLE faithfulness",
        *(f"ALTER TABLE generation_token DROP {name}" for name in ("kl_reversed", "js_context", "foil_id")),
        "ALTER TABLE prompt_token DROP part",
    ],
    "no heat, no saliency": ["DELETE FROM influence_position", "DELETE FROM saliency", "DELETE FROM relabel"],
}


@pytest.fixture(scope="module", params=LACKING)
def lacking(request: pytest.FixtureRequest, folder: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    """A copy of the database from which something was taken."""
    copy = changed(folder, tmp_path_factory.mktemp("lacking") / "build", LACKING[request.param])
    return request.param, copy


@pytest.mark.parametrize("screen", screens())
def test_every_screen_draws(open_app: Open, lacking: tuple[str, Path], screen: str) -> None:
    what, where = lacking
    app = open_app(screen=screen, where=where)
    assert not app.exception
    assert not app.error
    assert "cannot be read" not in words(app)
    assert words(app) or app.caption or app.subheader
    if what == "no answers" and screen in ("explain", "runs"):
        assert "whence build CONFIG" in words(app)
    if what == "no runs" and screen == "explain":
        assert any("no influence run" in each.value for each in app.caption)
    if what == "no context part" and screen == "context":
        assert "brought documents of its own" in words(app)
    if what == "no layers" and screen == "explain":
        assert any("No layer scores" in each.value for each in app.caption)
    if what.startswith("columns") and screen == "compare":
        assert len(components(app, "size_grid")) == 1
