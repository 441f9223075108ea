"""The what-if box: what it offers, what it refuses, and what it shows of a result."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.address.selection import Selection
from dashboard.asking import jobs
from dashboard.asking.what_if import what_if_of
from dashboard.database.queries import documents
from dashboard.database.unit import NO_SLOPE, Calibration
from dashboard.drawing.numbers import signed
from dashboard.screens.corpus.document_sheet import document_sheet
from dashboard.screens.corpus.what_if import LONGEST_EDITED
from dashboard.screens.corpus.what_if_result import in_words, notes, numbers_of, strip, text_cards
from indexer.database.reader import Snapshot
from indexer.worker.job import DONE, FAILED, Job
from tests.dashboard.calibrated import SLOPE, nats
from tests.dashboard.changed import changed
from tests.dashboard.drawn import components, words
from tests.dashboard.hostile import HOSTILE
from tests.synthetic_what_if import ANSWER, what_if_result

Open = Callable[..., AppTest]
NEW, OLD = "The capital of France is Marseille.", "The capital of France is Paris."


@pytest.fixture(scope="module")
def document_id(snapshot: Snapshot) -> str:
    found: str = snapshot.rows("SELECT document_id FROM document WHERE text = ?", [OLD])[0]["document_id"]
    return found


@pytest.fixture
def answered(monkeypatch: pytest.MonkeyPatch) -> Callable[..., dict[str, Any]]:
    """answered(request, **job): the worker holds this job; returns its request."""

    def held(request: dict[str, Any], **job: Any) -> dict[str, Any]:
        asked = {"kind": "what_if", "model": "synth-s", "text": NEW, "generation_id": "g"} | request
        monkeypatch.setattr(jobs, "news", lambda _: Job("j", asked, **({"state": DONE, "fraction": 1.0} | job)))
        return asked

    return held


def submitted(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """What the box hands to the worker."""
    given: list[tuple[Any, ...]] = []

    def submit(*values: Any) -> Job:
        given.append(values)
        return Job("j", {"kind": "what_if", "model": values[1], "text": values[0], "instead_of": values[3]})

    monkeypatch.setattr(jobs, "submit_what_if", submit)
    monkeypatch.setattr(jobs, "news", lambda _: None)
    return given


def box(app: AppTest) -> Any:
    return next(each for each in app.text_area if each.label == "Text")


def press(app: AppTest) -> AppTest:
    return next(each for each in app.button if each.label.startswith("What if it")).click().run()


def test_the_box_holds_the_document_and_asks_about_its_change(
    open_app: Open, snapshot: Snapshot, document_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = submitted(monkeypatch)
    app = open_app({"document": document_id, "size": "synth-m"}, screen="corpus")
    assert box(app).value == OLD
    box(app).set_value(NEW)
    press(app)
    assert box(app).value == NEW
    [(text, model, generation_id, instead_of)] = given
    assert (text, model, instead_of) == (NEW, "synth-m", document_id)
    [row] = snapshot.rows(
        "SELECT name FROM generation JOIN model USING (model_id) WHERE generation_id = ?", [generation_id]
    )
    assert row["name"] == "synth-m"
    query = app.query_params
    assert (query["whatif"], query["document"], query["generation"]) == ("j", document_id, generation_id)


def test_every_rerun_tells_the_browser_what_the_box_holds(
    open_app: Open, document_id: str, answered: Callable[..., dict[str, Any]]
) -> None:
    """One that missed a rerun that was cut short would show an empty box, and ask about that."""
    for asked, text, mode in (({"instead_of": document_id}, NEW, 0), ({"text": "More."}, "More.", 1)):
        answered(asked, result=what_if_result(NEW))
        app = open_app({"document": document_id, "whatif": "j"}, screen="corpus")
        for _ in range(2):
            modes = next(each for each in app.segmented_control if each.label == "What is asked about")
            assert (box(app).proto.default, list(modes.proto.default)) == (text, [mode])
            app.run()


def test_a_further_text_takes_nothing_away(open_app: Open, document_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    given = submitted(monkeypatch)
    app = open_app({"document": document_id}, screen="corpus")
    next(each for each in app.segmented_control if each.label == "What is asked about").set_value("more").run()
    assert box(app).value == ""
    box(app).set_value(NEW)
    press(app)
    assert given[0][0] == NEW and given[0][3] == ""
    app = open_app(screen="corpus")  # and so it is where no document is opened
    box(app).set_value(NEW)
    press(app)
    assert given[1][0] == NEW and given[1][3] == ""


@pytest.mark.parametrize(("text", "said"), [("  ", "found nothing"), ("x" * 1_000_001, "found 1,000,001")])
def test_a_text_that_cannot_be_asked_about_is_one_line(open_app: Open, document_id: str, text: str, said: str) -> None:
    app = open_app({"document": document_id}, screen="corpus")
    box(app).set_value(text)
    press(app)
    assert not app.exception
    app.run()  # as a job that is under way does
    assert said in words(app) and "whatif" not in app.query_params


def test_a_result_shows_one_change_and_its_two_parts(
    open_app: Open, document_id: str, answered: Callable[..., dict[str, Any]]
) -> None:
    answered({"instead_of": document_id}, result=what_if_result(NEW, OLD))
    made = what_if_of(what_if_result(NEW, OLD))
    assert made is not None
    app = open_app({"document": document_id, "whatif": "j"}, screen="corpus")
    assert not app.exception
    assert box(app).value == NEW  # what was asked
    assert in_words(made, 0, 5, whole=True) in words(app)
    [shown] = components(app, "token_strip")
    assert [token["sign"] for token in shown["answer"]] == ["+" if d > 0 else "−" for d in made.difference]
    [texts] = [each for each in components(app, "document_list") if each["label"] == "The texts"]
    assert [item["title"] for item in texts["items"]] == ["New text in", "Old text out"]
    assert ["".join(text for text, _ in item["pieces"]) for item in texts["items"]] == [NEW, OLD]
    app = open_app({"document": document_id, "whatif": "j", "token": "2-3"}, screen="corpus")
    assert in_words(made, 2, 3, whole=False) in words(app)


def test_it_is_in_the_unit_of_the_size_that_was_asked(
    open_app: Open, document_id: str, answered: Callable[..., dict[str, Any]]
) -> None:
    """synth-m is calibrated, and the page may have been turned to another size since."""
    for asked, page, unit in (("synth-m", "synth-s", "nats"), ("synth-s", "synth-m", "%")):
        answered({"instead_of": document_id, "model": asked}, result=what_if_result(NEW, OLD, model=asked))
        app = open_app({"document": document_id, "whatif": "j", "size": page}, screen="corpus")
        assert not app.exception
        [texts] = [each for each in components(app, "document_list") if each["label"] == "The texts"]
        assert {item["unit"] for item in texts["items"]} == {unit}


def test_numbers_are_sums_over_the_tokens() -> None:
    made = what_if_of(what_if_result(NEW, OLD))
    assert made is not None
    frame = numbers_of(made)
    assert frame["Part"].tolist() == ["Answer", *["Word"] * 4, *["Token"] * len(ANSWER)]
    tokens = frame[frame["Part"] == "Token"]
    whole = frame[frame["Part"] == "Answer"].iloc[0]
    change, old, new = ("In its place, %", "Old text out, %", "New text in, %")
    assert frame.columns.tolist() == ["Part", "Text", change, old, new]
    for name in (old, new, change):
        assert whole[name] == pytest.approx(tokens[name].sum())
    assert (frame[new] + frame[old]).to_numpy() == pytest.approx(frame[change].to_numpy())
    assert max(abs(whole[old]), abs(whole[new])) == pytest.approx(100)


def test_with_a_slope_they_are_nats_that_can_happen() -> None:
    result = what_if_result(NEW, OLD) | {"spans": []}
    for each in (result["texts"][0], result["instead_of"]):
        each["scores"] = [1000 * score for score in each["scores"]]
    made = what_if_of(result, Calibration(SLOPE, 0.2, 0.3, 1.0, 9, ""))
    assert made is not None
    frame = numbers_of(made)
    tokens = frame[frame["Part"] == "Token"]
    new = result["texts"][0]["scores"]
    was = result["instead_of"]["scores"]
    change = tokens["In its place, nats"]
    assert change.tolist() == pytest.approx([nats(a - b, -0.5) for a, b in zip(new, was, strict=True)])
    assert (change <= 0.5).all()
    foil = what_if_of(result | {"contrasted": [0]}, Calibration(SLOPE, 0.2, 0.3, 1.0, 9, ""))
    assert foil is not None and foil.shown(0, 0).whole == pytest.approx(SLOPE * (new[0] - was[0]))
    more = what_if_of(result | {"instead_of": None}, Calibration(SLOPE, 0.2, 0.3, 1.0, 9, ""))
    assert more is not None
    alone = numbers_of(more)["Influence, nats"]
    assert alone.tolist() == pytest.approx([nats(each, -0.5) for each in new]) and (alone <= 0.5).all()


def test_an_edit_is_one_change_by_hand() -> None:
    """Two tokens of p = 0.9 and 0.2; raw new 5.1 and −0.3, raw old 5.0 and 0.1; a slope of 1."""
    result = what_if_result(NEW, OLD, said=["A", " b"])
    p, new, old = (0.9, 0.2), (5.1, -0.3), (5.0, 0.1)
    for token, each in zip(result["tokens"], p, strict=True):
        token["logp"] = math.log(each)
    result["texts"][0]["scores"], result["instead_of"]["scores"] = list(new), list(old)
    result["spans"][0] |= {"scores": [sum(new)], "instead_of": sum(old), "difference": sum(new) - sum(old)}
    made = what_if_of(result, Calibration(1.0, 0.9, 1.1, 1.0, 9, ""))
    assert made is not None
    # a gain: p eˣ / (1 − p + p eˣ) over p, of x = (5.1 − 5.0) / 0.1; a loss as it is: −0.3 − 0.1
    first = math.log(math.e / (0.1 + 0.9 * math.e))
    second = -0.4
    assert [made.shown(i, i).whole for i in range(2)] == pytest.approx([first, second])
    both = math.log(0.18)
    assert made.shown(0, 1).whole == pytest.approx(nats(0.1 - 0.4, both, 1.0))
    for i, change in enumerate((first, second)):
        shown, raw = made.shown(i, i), new[i] - old[i]
        assert (shown.new_in, shown.old_out) == pytest.approx((change * new[i] / raw, -change * old[i] / raw))
    apart = nats(5.1, math.log(0.9), 1.0) - nats(5.0, math.log(0.9), 1.0)
    assert abs(apart) < 1e-12 < first  # of two calibrated numbers nothing would have been left
    assert in_words(made, 0, 1, whole=True).startswith(
        f"In its place, this text would change the log p of the whole answer of synth-s by "
        f"{signed(made.shown(0, 1).whole, 2)} nats: "
    )
    cards = {card.title: card for card in text_cards(made, 0, 0)}
    assert cards["New text in"].hue == "warm" and cards["Old text out"].hue == "cool"


def test_heat_of_each_text_adds_up_to_its_part() -> None:
    made = what_if_of(what_if_result(NEW, OLD), Calibration(SLOPE, 0.2, 0.3, 1.0, 9, ""))
    assert made is not None and made.before is not None
    for first, last in ((0, 5), (2, 3), (1, 1)):
        shown = made.shown(first, last)
        assert shown.old_out is not None and shown.whole == pytest.approx(shown.old_out + shown.new_in)
        assert made.heat(made.given, first, last).sum() == pytest.approx(shown.new_in)
        assert made.heat(made.before, first, last).sum() == pytest.approx(shown.old_out)


def test_a_text_that_changes_nothing_takes_out_what_it_puts_in() -> None:
    for calibration in (None, Calibration(SLOPE, 0.2, 0.3, 1.0, 9, "")):
        made = what_if_of(what_if_result(OLD, OLD), calibration)
        assert made is not None and made.before is not None
        shown = made.shown(0, 5)
        assert shown.whole == 0 and shown.old_out == -shown.new_in != 0
        said = in_words(made, 0, 5, whole=True)
        assert ("would change nothing for" if calibration is None else " by 0.0") in said
    other = what_if_of(what_if_result(NEW, OLD))
    assert other is not None and "to take the old text out pushes" in in_words(other, 0, 5, whole=True)


def test_the_sheet_has_the_change_and_what_the_formula_gives(
    monkeypatch: pytest.MonkeyPatch, snapshot: Snapshot, document_id: str
) -> None:
    result = what_if_result(NEW, OLD, model="synth-m")
    monkeypatch.setattr(jobs, "news", lambda _: Job("j", {"kind": "what_if"}, DONE, 1.0, result=result))
    [found] = documents.documents(snapshot, [document_id]).values()
    about = document_sheet(snapshot, found, Selection(document=document_id, what_if="j")).about["what_if"]
    new, old = result["texts"][0]["scores"], result["instead_of"]["scores"]
    rows = [row for row in about["numbers"] if row["Part"] == "Token"]
    for row, a, b in zip(rows, new, old, strict=True):
        assert row["influence_raw"] == pytest.approx(a - b)
        assert row["In its place, nats"] == pytest.approx(nats(a - b, -0.5))
        assert row["In its place, nats"] == pytest.approx(row["Old text out, nats"] + row["New text in, nats"])


def test_words_of_a_further_text() -> None:
    made = what_if_of(what_if_result(NEW) | {"stage": "synth-chat", "notices": ["it was cut"]})
    assert made is not None
    assert "This text would push" in (said := in_words(made, 0, 5, whole=True)) and NO_SLOPE in said
    assert notes(made) == ["It is read as the training of synth-chat would have read it.", "it was cut"]
    assert numbers_of(made).columns.tolist() == ["Part", "Text", "Influence, %"]
    assert [card.title for card in text_cards(made, 0, 5)] == ["The text"]
    assert all(token.words.startswith("influence") for token in strip(made))


def test_scores_that_are_not_finite_are_not_coloured() -> None:
    result = what_if_result(NEW)
    result["texts"][0]["scores"][1] = float("nan")
    made = what_if_of(result)
    assert made is not None
    drawn = strip(made)
    assert drawn[1].amount is None and drawn[1].sign == "" and "—" in drawn[1].words
    assert text_cards(made, 0, 5) and numbers_of(made).shape[0] == 11


@pytest.mark.parametrize(
    ("job", "said"),
    [
        ({"state": FAILED, "error": "expected a text, found “<b>”"}, "expected a text, found “<b>”"),
        ({"result": {}}, "The worker gave no result"),
    ],
)
def test_what_went_wrong_is_a_line(
    open_app: Open, document_id: str, answered: Callable[..., dict[str, Any]], job: dict[str, Any], said: str
) -> None:
    answered({"instead_of": document_id}, **job)
    app = open_app({"document": document_id, "whatif": "j"}, screen="corpus")
    assert not app.exception
    assert said in words(app) and not components(app, "token_strip")


def test_what_the_server_holds_no_longer(open_app: Open, document_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "news", lambda _: None)
    app = open_app({"document": document_id, "whatif": "gone"}, screen="corpus")
    assert not app.exception
    assert "no longer holds this result" in words(app)


def test_the_result_of_another_document_is_not_shown(
    open_app: Open, document_id: str, answered: Callable[..., dict[str, Any]]
) -> None:
    answered({"instead_of": "another"}, result=what_if_result(NEW, OLD))
    app = open_app({"document": document_id, "whatif": "j"}, screen="corpus")
    assert not components(app, "token_strip") and box(app).value == OLD


def test_a_long_document_is_not_put_into_the_box(
    open_app: Open, folder: Path, tmp_path: Path, document_id: str
) -> None:
    n = LONGEST_EDITED + 1
    grown = f"UPDATE document SET text = repeat('x', {n}) WHERE document_id = '{document_id}'"  # noqa: S608 (ours)
    app = open_app({"document": document_id}, screen="corpus", where=changed(folder, tmp_path / "long", [grown]))
    assert not app.exception
    assert box(app).value == "" and any(f"{n:,} characters" in each.value for each in app.caption)


def test_without_answers_there_is_no_box(open_app: Open, folder: Path, tmp_path: Path, document_id: str) -> None:
    tables = ("generation", "generation_token", "answer_document", "document_span")
    where = changed(folder, tmp_path / "none", [f"DELETE FROM {table}" for table in tables])  # noqa: S608
    app = open_app({"document": document_id}, screen="corpus", where=where)
    assert not app.exception
    assert not app.text_area and any("no answers here" in each.value for each in app.caption)


def test_hostile_texts_of_a_result_are_shown_literally(
    open_app: Open, document_id: str, answered: Callable[..., dict[str, Any]]
) -> None:
    for text in (HOSTILE[0], HOSTILE[6], HOSTILE[-1]):
        answered({"instead_of": document_id, "text": text}, result=what_if_result(text, text, said=[text, text]))
        app = open_app({"document": document_id, "whatif": "j"}, screen="corpus")
        assert not app.exception
        for element in [*app.markdown, *app.caption, *app.subheader]:
            assert "<script" not in element.value
        sent = str(components(app, "document_list")) + str(components(app, "token_strip"))
        assert "\u202e" not in sent
