"""Documents as training read them, kept on disk: the same in every shape, wherever a build was interrupted."""

import json
import random
import weakref
from itertools import pairwise

import numpy as np
import pytest

from attribution.errors import BadInput, Damaged
from attribution.loading.specials import choose_specials
from attribution.passes.batches import Row, Rows, plan_batches, shapes_of
from attribution.passes.token_run import run_of
from attribution.trained.document import TrainedText, Training, trained_text
from attribution.trained.windows import Windows
from indexer.corpus.corpus import Lazy
from indexer.corpus.document import Document, document_id
from indexer.journal.stages import finished, only_finished
from indexer.mapped import table
from indexer.size import texts
from indexer.size.texts import OneByOne, forget, keep, kept, passing
from tests.attribution.trained.test_document import CHATML, MARKED, SAID, WRITTEN, tokenizer

IDS = list(range(5, 45))
SHAPES = {
    "text": {},
    "messages": {"messages": SAID},
    "texts": {"prompt": "The capital of Peru is", "completion": " Lima."},
    "messages in two": {"prompt": SAID[:4], "completion": SAID[4:]},
    "ids": {"input_ids": IDS},
    "ids with borders": {"input_ids": IDS, "borders": [0, 7, 30]},
    "ids with labels": {"input_ids": IDS, "labels": [-100] * 9 + IDS[9:20] + [-100] * 20},
    "nothing learned": {"input_ids": IDS, "labels": [-100] * 40},
}
WINDOWS = [Windows(1000), Windows(16, 5), Windows(16), Windows(16, cut=True), Windows(1)]


def document(n: int, given: dict | None = None, text: str = "") -> Document:
    turns = json.dumps(given) if given else ""
    text = text or f"Document {n} says: {'much more than that. ' * n}"
    return Document(document_id(turns or text), "c", str(n), "", "", text, turns)


def every_shape() -> list[Document]:
    return [document(n, given, WRITTEN if "messages" in name else "") for n, (name, given) in enumerate(SHAPES.items())]


def reading(how: Training, template: str | None = CHATML):
    of = tokenizer(template)

    def read(given: Document) -> TrainedText:
        return trained_text(given.text, json.loads(given.turns or "{}"), of, choose_specials(of), how)

    return read


@pytest.mark.parametrize("template", [CHATML, MARKED, None])
@pytest.mark.parametrize("windows", WINDOWS)
@pytest.mark.parametrize("loss", ["auto", "all"])
def test_every_shape_is_found_as_it_was_rendered(tmp_path, windows, loss, template):
    documents, read = every_shape(), reading(Training(windows, loss), template)
    plain = [read(each) for each in documents]
    keep(tmp_path, "0", documents, read, lambda n: None)
    one_by_one = OneByOne(documents, read)
    for found in (kept(tmp_path, "0", documents), passing(documents, read, tmp_path), one_by_one):
        assert list(found.read) == plain
        assert list(found.rows) == [each.row for each in plain]
        assert found.n_cut == sum(each.n_cut > 0 for each in plain)
        assert found.rows.shapes.tolist() == [[0, len(row.widths), max(row.widths)] for row in found.rows]
        for a, b in zip(found.rows, plain, strict=True):
            np.testing.assert_array_equal(a.targets(), b.row.targets())
        if found is not one_by_one:
            assert found.nothing.tolist() == [i for i, each in enumerate(plain) if not each.row.targets().any()]


@pytest.mark.parametrize("partition", [2, 1000])
def test_documents_of_which_nothing_is_learned_are_known_without_reading_the_others(tmp_path, monkeypatch, partition):
    """Masked to nothing, cut to nothing, a token alone at the beginning of a window."""
    rows = [
        Row((1, 2, 3)),
        Row((1,)),
        Row((1, 2, 3), learned=()),
        Row((1, 2, 3), learned=((0, 1),)),
        Row((1, 2, 3, 4), learned=((0, 1), (2, 3)), windows=(2, 2)),
        Row((1, 2, 3, 4), learned=((0, 1), (3, 4)), windows=(2, 2)),
        Row((1, 2, 3, 4), learned=((1, 2),), windows=(2, 2)),
    ]
    documents = [Document(str(i), "c", "", "", "", "abcd") for i in range(len(rows))]
    monkeypatch.setattr(texts, "DOCUMENTS", partition)

    def read(of: Document) -> TrainedText:
        row = rows[int(of.document_id)]
        return TrainedText("abcd", row, tuple((t, t + 1) for t in range(len(row))))

    assert texts.nothing_learned(tmp_path, "0", len(rows)) is None
    keep(tmp_path, "0", documents, read, lambda n: None)
    expected = [i for i, row in enumerate(rows) if not row.targets().any()]
    assert expected == [1, 2, 3, 4]
    monkeypatch.setattr(texts, "opened", None)
    assert texts.nothing_learned(tmp_path, "0", len(rows)).tolist() == expected
    [first, *_] = tmp_path.rglob(texts.NOTHING)
    for damage in (lambda: first.write_bytes(b"x"), first.unlink):
        damage()
        with pytest.raises(Damaged, match="run `whence build` again"):
            texts.nothing_learned(tmp_path, "0", len(rows))


@pytest.mark.parametrize(("partition", "batch"), [(3, 2), (4, 4096), (1000, 1), (1000, 4096)])
def test_a_run_of_tokens_is_that_of_the_rows_however_they_are_cut(tmp_path, monkeypatch, partition, batch):
    monkeypatch.setattr(texts, "DOCUMENTS", partition)
    monkeypatch.setattr(table, "ROWS", batch)
    documents, read = every_shape(), reading(Training(Windows(16, 5)))
    keep(tmp_path, "0", documents, read, lambda n: None)
    rows = [read(each).row for each in documents]
    for found in (kept(tmp_path, "0", documents), OneByOne(documents, read)):
        assert found.lengths.tolist() == [len(row) for row in rows]
        for of in (range(len(rows)), range(2, 7), range(3, 4), range(5, 5)):
            run, expected = found.run(of), run_of(rows[of.start : of.stop])
            assert run.ids.tolist() == [i for row in rows[of.start : of.stop] for i in row.ids]
            for name in ("ids", "widths", "windows"):
                np.testing.assert_array_equal(getattr(run, name), getattr(expected, name))


def test_the_shapes_that_are_compared_are_many():
    read = reading(Training(Windows(16, 5)))
    found = [read(each) for each in every_shape()]
    assert {bool(each.row.windows) for each in found} == {True, False}
    assert {each.row.learned is None for each in found} == {True, False}
    assert {bool(each.contents) for each in found} == {True, False}
    assert {each.text == of.text for each, of in zip(found, every_shape(), strict=True)} == {True, False}


def one(i: int) -> Document:
    return document(i, text=f"number {i}{' and more' * (i * 7 % 11)}")


def some(n: int) -> list[Document]:
    return [one(i) for i in range(n)]


class Interrupted(Exception):
    """The process was told to stop."""


def test_an_interrupted_rendering_goes_on_and_ends_the_same(tmp_path, monkeypatch):
    monkeypatch.setattr(texts, "DOCUMENTS", 8)
    monkeypatch.setattr(table, "ROWS", 3)
    documents, read = some(30), reading(Training(Windows(16, 2)))
    made: list[str] = []

    def until(n):
        def counted(given):
            if len(made) == n:
                raise Interrupted
            made.append(given.text)
            return read(given)

        return counted

    with pytest.raises(Interrupted):
        keep(tmp_path, "0", documents, until(20), lambda n: None)
    assert kept(tmp_path, "0", documents) is None  # not all of it
    assert len(finished(tmp_path, "texts-0")) == 2
    ticks: list[int] = []
    keep(tmp_path, "0", documents, until(1_000), ticks.append)
    assert len(made) == 20 + 30 - 16  # the partition that was under way is rendered anew
    assert ticks == [8, 8, 8, 6]
    found = kept(tmp_path, "0", documents)
    assert [each.text for each in found.read] == [each.text for each in documents]
    assert list(found.read) == [read(each) for each in documents]
    with only_finished():
        keep(tmp_path, "0", documents, until(0), lambda n: None)  # nothing is rendered again


def test_a_document_that_cannot_be_rendered_leaves_no_partition(tmp_path, monkeypatch):
    monkeypatch.setattr(texts, "DOCUMENTS", 2)
    documents = [*some(3), document(9, {"input_ids": [10**6]})]
    with pytest.raises(BadInput, match="token ids below"):
        keep(tmp_path, "0", documents, reading(Training(Windows(16))), lambda n: None)
    assert [part.part for part in finished(tmp_path)] == [0]
    assert not list(tmp_path.rglob("*.partial"))


def test_a_changed_byte_is_named(tmp_path):
    documents = some(3)
    keep(tmp_path, "0", documents, reading(Training(Windows(16))), lambda n: None)
    [part] = finished(tmp_path)
    file = part.folder / texts.FILE
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    with pytest.raises(Damaged, match=texts.FILE):
        kept(tmp_path, "0", documents)


def test_what_no_size_reads_any_more_goes(tmp_path):
    documents, read = some(3), reading(Training(Windows(16)))
    for of in "abc":
        keep(tmp_path, of, documents, read, lambda n: None)
    forget(tmp_path, ["a", "c", "d"])
    assert [kept(tmp_path, of, documents) is not None for of in "abc"] == [True, False, True]
    assert len(list(tmp_path.glob("parts/texts-*/*"))) == 2


def test_no_more_than_a_batch_is_held(tmp_path, monkeypatch):
    """Neither documents nor what they became, while they are rendered and afterwards."""
    monkeypatch.setattr(table, "ROWS", 16)
    read, n = reading(Training(Windows(16, 2))), 300
    made: list[weakref.ref] = []
    most = [0]

    def counted(given):
        text = read(given)
        made.extend((weakref.ref(text), weakref.ref(given)))
        most.append(sum(each() is not None for each in made))
        return text

    found = passing(Lazy(n, one), counted, tmp_path)
    assert len(made) == 2 * n
    assert max(most) <= 4  # two documents, and what they became
    assert sum(each() is not None for each in made) == 0
    assert found.rows.shapes.nbytes == 12 * n


def test_rows_are_planned_without_being_made():
    rng = random.Random(0)
    plain = [
        Row(tuple(range(n * w)), windows=(n,) * w if w > 1 else ())
        for n, w in ((rng.randint(1, 40), rng.choice([1, 1, 1, 2, 3])) for _ in range(200))
    ]
    shapes = shapes_of(plain)
    lazy = Rows(len(plain), lambda i: pytest.fail(f"row {i} was made"), lambda: shapes)
    for tokens, most in ((1024, 128), (64, 3), (1, 1)):
        planned = plan_batches(lazy, tokens, most)
        assert planned == by_hand(plain, tokens, most)
        assert sorted(i for batch in planned for i in batch) == list(range(200))
    assert plan_batches(lazy[10:150][5:], 64) == plan_batches(plain[15:150], 64)


def by_hand(documents, tokens, most):
    """As batches were planned when all rows were there."""
    shapes = [(len(each.widths), max(each.widths)) for each in documents]
    order = sorted(range(len(documents)), key=lambda i: (*shapes[i], i))
    batches = [[order[0]]]
    for before, i in pairwise(order):
        n_windows, width = shapes[i]
        last = batches[-1]
        new = len(last) == most or shapes[before][0] != n_windows or (len(last) + 1) * n_windows * width > tokens
        batches.append([i]) if new else last.append(i)
    return batches


def test_rows_of_two_stages_follow_each_other():
    first, second = [Row((1, 2)), Row((3,))], [Row((4, 5, 6)), Row((7, 8, 9, 10), windows=(2, 2))]
    lazy = [Rows(2, of.__getitem__) for of in (first, second)]
    both = lazy[0].followed_by(lazy[1])
    assert list(both) == first + second
    assert list(both[1:3]) == (first + second)[1:3]
    assert both[-1] == second[1]
    assert both.shapes.tolist() == shapes_of(first + second).tolist() == [[0, 1, 2], [0, 1, 1], [0, 1, 3], [0, 2, 2]]
    assert both[::-2].shapes.tolist() == [[0, 2, 2], [0, 1, 1]]
    with pytest.raises(IndexError):
        both[4]


def test_what_no_column_says_is_not_dropped(tmp_path):
    def read(given):
        return TrainedText(given.text, Row((1, 2, 3), first_target=2), ((0, 0),) * 3)

    with pytest.raises(ValueError, match="learned from its second token"):
        passing(some(1), read, tmp_path)
