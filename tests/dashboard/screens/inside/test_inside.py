"""Inside on the synthetic database: its numbers are those of the database, its address opens what it names."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.address.choices import EFFECTS
from indexer.database.reader import Snapshot
from tests.dashboard.calibrated import nats
from tests.dashboard.drawn import components, words
from tests.synthetic_inside import COPIES, HEADS, KV_HEADS, NEURONS

Open = Callable[..., AppTest]
COLUMN = {"total": "total_heads", "direct": "direct_heads"}


@pytest.fixture(scope="module")
def some(snapshot: Snapshot) -> dict[str, Any]:
    """An answer of the middle size."""
    [row] = snapshot.rows("""SELECT generation_id, run_id, model_id, prompt_id FROM generation JOIN run USING (model_id)
        JOIN model USING (model_id) WHERE name = 'synth-m' ORDER BY generation_id LIMIT 1""")
    return row


@pytest.fixture
def inside(open_app: Open, some: dict[str, Any]) -> Callable[..., AppTest]:
    def opened(**query: str) -> AppTest:
        app = open_app({"generation": some["generation_id"], "token": "0"} | query, screen="inside")
        assert not app.exception and not app.error
        return app

    return opened


def factor(row: dict[str, Any]) -> float:
    """What parts of a document's influence are multiplied by."""
    return nats(row["score"], row["logp"]) / row["score"]


def number(said: str) -> float:
    return float(said.split()[0].replace("−", "-").replace("+", ""))


def cells(app: AppTest, group: int = 0) -> dict[str, str]:
    """key or name -> what it says, of one group of columns."""
    [grid] = components(app, "part_grid")
    rows = [cell for row in grid["groups"][group]["rows"] for cell in row]
    return {cell["key"] or cell["name"]: cell["said"] for cell in rows}


@pytest.mark.parametrize("effect", ["total", "direct"])
@pytest.mark.parametrize("token", ["0", "1-3"])
def test_every_head_is_the_sum_of_its_rows(
    inside: Callable[..., AppTest], snapshot: Snapshot, some: dict[str, Any], effect: str, token: str
) -> None:
    first, _, last = token.partition("-")
    rows = snapshot.rows(
        f"""SELECT place, sum(value) AS value FROM (
            SELECT unnest({COLUMN[effect]}) AS value, generate_subscripts({COLUMN[effect]}, 1) - 1 AS place
            FROM component_effect WHERE generation_id = ? AND position BETWEEN ? AND ?) GROUP BY place""",  # noqa: S608
        [some["generation_id"], int(first), int(last or first)],
    )
    app = inside(effect=effect, token=token)
    found = cells(app)
    assert len(found) == len(rows) == 3 * HEADS
    for row in rows:
        said = found[f"head:{row['place'] // HEADS}.{row['place'] % HEADS}"]
        assert number(said) == pytest.approx(row["value"], abs=6e-3)
    assert ("Summed over 3 tokens" in words(app)) == (token == "1-3")  # noqa: S105


def test_direct_contributions_add_up_to_the_logit_on_the_page(
    inside: Callable[..., AppTest], snapshot: Snapshot, some: dict[str, Any]
) -> None:
    [row] = snapshot.rows(
        "SELECT logit, against FROM component_effect WHERE generation_id = ? AND position = 1", [some["generation_id"]]
    )
    app = inside(effect="direct", token="1")  # noqa: S106
    said = re.search(r"Heads (\S+), neurons (\S+), embedding (\S+), biases (\S+); (\S+) logits in all", words(app))
    assert said is not None
    *parts, whole = (number(each) for each in said.groups())
    assert sum(parts) == pytest.approx(whole, abs=0.02)
    assert whole == pytest.approx(row["logit"], abs=6e-3)
    assert f"less that of “{row['against'].strip()}”" in words(app)


def test_neurons_of_a_block_are_the_kept_ones_and_the_rest(
    inside: Callable[..., AppTest], snapshot: Snapshot, some: dict[str, Any]
) -> None:
    [row] = snapshot.rows(
        "SELECT total_mlp FROM component_effect WHERE generation_id = ? AND position = 0", [some["generation_id"]]
    )
    found = cells(inside(), group=1)
    for depth, value in enumerate(row["total_mlp"]):
        whole, kept, rest = (
            found[f"MLP {depth}, {name}"] for name in ("all neurons", "the neurons that are kept", "the other neurons")
        )
        assert number(whole) == pytest.approx(value, abs=6e-3)
        if kept != "none is kept":
            assert number(kept) + number(rest) == pytest.approx(number(whole), abs=0.02)


def test_training_influence_adds_up_over_the_ten_documents(
    inside: Callable[..., AppTest], snapshot: Snapshot, some: dict[str, Any]
) -> None:
    rows = snapshot.rows(
        """SELECT head_scores, kv_head_scores, layer_scores[:-2] AS layers, score, logp FROM component_taught
        JOIN generation_token USING (generation_id, position)
        JOIN influence USING (run_id, generation_id, position, document_id)
        WHERE run_id = ? AND generation_id = ? AND position = 0 AND score > 0 ORDER BY rank LIMIT 10""",
        [some["run_id"], some["generation_id"]],
    )
    together = factor({"score": sum(row["score"] for row in rows), "logp": rows[0]["logp"]})
    app = inside(effect="taught")
    heads, kv_heads = cells(app), cells(app, 1)
    assert (len(heads), len(kv_heads)) == (3 * HEADS, 3 * KV_HEADS)
    for found, name, width in ((heads, "head", HEADS), (kv_heads, "kv_head", KV_HEADS)):
        for key, said in found.items():
            depth, i = (int(part) for part in key.split(":")[1].split("."))
            expected = sum(row[f"{name}_scores"][depth * width + i] for row in rows) * together
            assert number(said) == pytest.approx(expected, abs=6e-4)
    said_in_all = re.search(r"Of the 10 most helpful documents: .*; (\S+) nats in all", words(app))
    assert said_in_all is not None
    assert number(said_in_all[1]) == pytest.approx(sum(sum(row["layers"]) for row in rows) * together, abs=6e-3)
    assert "preconditioner mixes the heads" in " ".join(each.value for each in app.caption)


def test_a_chosen_document_is_alone(inside: Callable[..., AppTest], snapshot: Snapshot, some: dict[str, Any]) -> None:
    [row] = snapshot.rows(
        """SELECT document_id, head_scores, score, logp FROM component_taught JOIN influence
            USING (run_id, generation_id, position, document_id) JOIN generation_token USING (generation_id, position)
        WHERE run_id = ? AND generation_id = ? AND position = 0 AND rank = 3""",
        [some["run_id"], some["generation_id"]],
    )
    app = inside(effect="taught", document=row["document_id"])
    found = cells(app)
    assert number(found["head:1.1"]) == pytest.approx(row["head_scores"][HEADS + 1] * factor(row), abs=6e-4)
    assert "Of the chosen document: " in words(app)


def test_what_was_not_replaced_is_unknown(
    inside: Callable[..., AppTest], snapshot: Snapshot, some: dict[str, Any]
) -> None:
    rows = snapshot.rows(
        """SELECT depth, number, measured FROM component_measured
        WHERE generation_id = ? AND position = 0 AND kind = 'head'""",
        [some["generation_id"]],
    )
    found = cells(inside(effect="measured"))
    known = {key: said for key, said in found.items() if said != "was not replaced"}
    assert set(known) == {f"head:{row['depth']}.{row['number']}" for row in rows} and len(known) < len(found)
    for row in rows:
        assert number(known[f"head:{row['depth']}.{row['number']}"]) == pytest.approx(row["measured"], abs=6e-3)


def test_a_click_on_a_head_shows_what_it_attends_to_and_its_documents(
    inside: Callable[..., AppTest], snapshot: Snapshot, some: dict[str, Any]
) -> None:
    app = inside(component="head:1.1")
    [row] = snapshot.rows(
        "SELECT weights FROM component_attention WHERE generation_id = ? AND position = 0 AND depth = 1 AND head = 1",
        [some["generation_id"]],
    )
    [strip] = components(app, "token_strip")
    assert len(strip["prompt"]) == len(row["weights"])
    shares = [float(token["note"].split()[0].lstrip("<")) / 100 for token in strip["prompt"]]
    assert shares == pytest.approx(row["weights"], abs=6e-4)
    through, contexts, teachers, answers = components(app, "document_list")
    rows = snapshot.rows(
        """SELECT document_id, head_scores[?] AS through, score, logp FROM component_taught
        JOIN influence USING (run_id, generation_id, position, document_id)
        JOIN generation_token USING (generation_id, position)
        WHERE run_id = ? AND generation_id = ? AND position = 0 ORDER BY abs(through) DESC LIMIT 5""",
        [HEADS + 2, some["run_id"], some["generation_id"]],
    )
    best = sorted(rows, key=lambda each: -each["through"])
    assert [item["id"] for item in through["items"]] == [each["document_id"] for each in best]
    for item, each in zip(through["items"], best, strict=True):
        assert number(item["score"]) == pytest.approx(each["through"] * factor(each), abs=6e-5)
    assert [sum(kind == "mark" for _, kind in item["pieces"]) for item in contexts["items"]] == [1] * 4
    assert len(teachers["items"]) == 5 and len(answers["items"]) == 5
    assert "Head 1.1 of synth-m" in words(app)


def test_what_taught_a_head_over_all_answers(
    inside: Callable[..., AppTest], snapshot: Snapshot, some: dict[str, Any]
) -> None:
    rows = snapshot.rows(
        """SELECT document_id, sum(score) AS score, sum(abs(score)) AS size FROM (
            SELECT document_id, head_scores[?] AS score FROM component_taught WHERE run_id = ?)
        GROUP BY document_id ORDER BY sum(abs(score)) DESC LIMIT 5""",
        [HEADS * COPIES[0] + COPIES[1] + 1, some["run_id"]],
    )
    _, _, teachers, _ = components(inside(component="head:1.1"), "document_list")
    assert [item["id"] for item in teachers["items"]] == [row["document_id"] for row in rows]
    assert [number(item["score"]) for item in teachers["items"]] == pytest.approx(
        [100 * row["score"] / rows[0]["size"] for row in rows], abs=0.06
    )


def test_an_answer_in_which_a_neuron_matters_opens_at_its_token(
    inside: Callable[..., AppTest], snapshot: Snapshot, some: dict[str, Any]
) -> None:
    [row] = snapshot.rows(
        """SELECT place // $n AS depth, place % $n AS number FROM (
            SELECT unnest(neurons) AS place FROM component_effect JOIN generation USING (generation_id)
            WHERE model_id = $model) GROUP BY ALL ORDER BY count(*) DESC, depth, number LIMIT 1""",
        {"model": some["model_id"], "n": NEURONS},
    )
    app = inside(component=f"neuron:{row['depth']}.{row['number']}")
    *_, answers = components(app, "document_list")
    expected = snapshot.rows(
        """SELECT generation_id, max(abs(effect)) AS size FROM (
            SELECT generation_id, unnest(total_neurons) AS effect, unnest(neurons) AS place
            FROM component_effect JOIN generation USING (generation_id) WHERE model_id = ?)
        WHERE place = ? GROUP BY generation_id ORDER BY size DESC LIMIT 5""",
        [some["model_id"], row["depth"] * NEURONS + row["number"]],
    )
    assert [item["id"].split()[0] for item in answers["items"]] == [each["generation_id"] for each in expected]
    assert [abs(number(item["score"])) for item in answers["items"]] == pytest.approx(
        [each["size"] for each in expected], abs=6e-4
    )
    assert "Promotes “Paris” +1.50" in words(app) and "Suppresses “the” −1.00" in words(app)


def test_a_key_value_head_is_read_by_the_heads_that_share_it(
    inside: Callable[..., AppTest], snapshot: Snapshot, some: dict[str, Any]
) -> None:
    rows = snapshot.rows(
        """SELECT weights FROM component_attention
        WHERE generation_id = ? AND position = 0 AND depth = 1 AND head IN (2, 3) ORDER BY head""",
        [some["generation_id"]],
    )
    [strip] = components(inside(component="kv_head:1.1"), "token_strip")
    mean = [sum(pair) / 2 for pair in zip(*(row["weights"] for row in rows), strict=True)]
    shares = [float(token["note"].split()[0]) / 100 for token in strip["prompt"]]
    assert shares == pytest.approx(mean, abs=6e-4)


@pytest.mark.parametrize(
    ("component", "said"),
    [
        ("head:9.0", "which has 3 blocks of 4 heads, counted from 0; found head 9.0"),
        ("kv_head:0.2", "3 blocks of 2 key–value heads"),
        ("neuron:0.12", "3 blocks of 12 neurons"),
        ("nonsense", "Expected a part such as head:1.0"),
        ("<img src=x>", "Expected a part such as head:1.0"),
    ],
)
def test_a_component_that_does_not_exist_is_told_in_one_line(
    inside: Callable[..., AppTest], component: str, said: str
) -> None:
    app = inside(component=component)
    assert said in words(app) and components(app, "part_grid")
    assert not components(app, "document_list")


def test_an_address_with_a_component_alone_opens_it_on_the_example(open_app: Open) -> None:
    app = open_app({"component": "head:1.1", "effect": "direct"}, screen="inside")
    assert "Head 1.1 of synth-l" in words(app)  # the example is a fork, told by the size that knows
    assert app.query_params["component"] == "head:1.1" and app.query_params["effect"] == "direct"


def test_the_switch_changes_the_address(inside: Callable[..., AppTest]) -> None:
    app = inside()
    assert "effect" not in app.query_params
    app.segmented_control(key="control effect").set_value("taught").run()
    assert app.query_params["effect"] == "taught"
    assert list(EFFECTS) == ["total", "direct", "measured", "taught"]


def test_another_size_lets_the_component_go(inside: Callable[..., AppTest]) -> None:
    app = inside(component="head:1.1", effect="direct")
    app.selectbox(key="ask size").set_value("synth-l").run()
    assert "component" not in app.query_params and app.query_params["effect"] == "direct"


def test_every_size_has_its_lens(inside: Callable[..., AppTest]) -> None:
    said = words(inside())
    assert all(f"synth-{size}: its token leads after the last block only" in said for size in "sml")


def test_faithfulness_stands_beside_the_effects(inside: Callable[..., AppTest]) -> None:
    said = words(inside())
    assert "Rank correlation of predicted with measured effects over this answer: heads 0.875, neurons 0.750" in said
    assert "take 2.50 nats from a token, five random ones 0.250" in said
