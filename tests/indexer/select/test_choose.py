"""Which documents are kept, dropped and looked at, of made-up scores."""

import numpy as np
import pytest

from attribution.errors import BadInput
from indexer.corpus.document import Document
from indexer.select import choose as choose_module
from indexer.select import lines as lines_module
from indexer.select.choose import choose, ranking
from indexer.select.line import DROP, KEEP, LOOK
from indexer.select.lines import candidate_lines, document_lines
from indexer.select.near import shingles
from indexer.select.share import keep_of
from indexer.sets.chosen import ends
from indexer.sets.stage import KeptSet

N = 200
NULL = np.linspace(-1, 1, 100).astype(np.float32)


def made(seed: int = 0):
    """Estimates of 200 documents, exact scores near them for both ends."""
    generator = np.random.default_rng(seed)
    estimates = generator.normal(size=N).astype(np.float32)
    of = ends(estimates, 0.2)
    scores = np.full(N, np.nan, dtype=np.float32)
    scores[of.documents] = estimates[of.documents] + 0.1 * generator.normal(size=len(of.documents))
    return of, estimates, scores


def test_the_best_are_kept_and_what_harms_most_is_dropped():
    of, estimates, scores = made()
    found = list(choose(of, estimates, scores, NULL, 50))
    order = ranking(of, scores).tolist()
    assert sorted(order) == list(range(N))
    kept = [each.document for each in found if each.verdict == KEEP]
    assert kept == order[:50]
    assert [each.rank for each in found if each.verdict == KEEP] == list(range(1, 51))
    dropped = {each.document for each in found if each.verdict == DROP}
    assert dropped == {i for i in of.last.tolist() if scores[i] < 0 and (scores[i] > NULL).mean() <= 0.025}
    assert dropped


def test_only_what_helps_is_kept_and_a_wrong_estimate_is_looked_at():
    of, estimates, scores = made()
    scores[of.first[0]] = -0.5  # estimated to help most
    scores[of.last[-1]] = 0.5
    by_document = {each.document: each for each in choose(of, estimates, scores, NULL, N)}
    assert by_document[int(of.first[0])].verdict == LOOK
    assert by_document[int(of.first[0])].reason.startswith("harms")
    assert by_document[int(of.last[-1])].verdict == KEEP  # exact scores go before estimates
    values = np.where(np.isfinite(scores), scores, estimates)
    assert all(values[i] > 0 for i, each in by_document.items() if each.verdict == KEEP)


def test_near_duplicates_of_what_is_kept_are_looked_at():
    of, estimates, scores = made()
    texts = [f"document {i // 2} says something of its own number {i // 2}" for i in range(N)]
    found = list(choose(of, estimates, scores, NULL, 30, lambda i: texts[i]))
    kept = [each.document for each in found if each.verdict == KEEP]
    assert len(kept) == 30 and len({texts[i] for i in kept}) == 30
    alike = [each for each in found if each.like is not None]
    assert alike and all(texts[each.document] == texts[each.like] for each in alike)
    documents = [Document(f"{i:016x}", "corpus", "", "", "", text) for i, text in enumerate(texts)]
    lines = list(document_lines(iter(found), documents, KeptSet(estimates, scores, NULL)))
    of_alike = next(line for line in lines if line.document_id == f"{alike[0].document:016x}")
    assert of_alike.reason == f"says what document {alike[0].like:016x} says, which is kept"
    assert of_alike.as_json()["verdict"] == LOOK


def test_every_candidate_has_a_line():
    texts = ["a b c d", "a b c d", "e f g h", "i j k l", "m n o p", "q r s t", "u v w x"]
    documents = [Document(f"{i:016x}", "", "", "", "", text) for i, text in enumerate(texts)]
    scores = np.array([0.9, 0.8, 0.7, 0.2, -0.1, -3.0, np.nan], dtype=np.float32)
    lines = list(candidate_lines(documents, scores, NULL, 1, True, frozenset({documents[2].document_id})))
    assert [line.verdict for line in lines] == [KEEP, LOOK, LOOK, LOOK, LOOK, DROP, LOOK]
    assert [line.reason for line in lines] == [
        "",
        f"says what {documents[0].document_id} says, which is kept",
        "the model was trained on it",
        "helps, less than those that are kept",
        "harms, no more than random documents do",
        "",
        "its gradient is not finite",
    ]
    assert lines[0].above == pytest.approx((NULL < 0.9).mean()) and lines[-1].score is None
    assert sum(line.verdict == KEEP for line in candidate_lines(documents, scores, NULL, 9, False, frozenset())) == 4


@pytest.mark.parametrize(("given", "kept"), [("10%", 20), ("10 %", 20), ("0.1%", 1), ("100%", 200), ("7", 7)])
def test_a_share_or_a_number(given, kept):
    assert keep_of(given).of(N) == kept


@pytest.mark.parametrize("given", ["0", "0%", "200%", "-5", "x", "", "1.5", "10%%", "nan", "1e3"])
def test_no_share(given):
    with pytest.raises(BadInput, match="write 10%"):
        keep_of(given)


def test_more_than_there_are():
    with pytest.raises(BadInput, match="at most the 200 documents"):
        keep_of("201").of(N)


def test_a_text_is_cut_into_shingles_once(monkeypatch):
    cut = []

    def counted(text):
        cut.append(text)
        return shingles(text)

    for module in (choose_module, lines_module):
        monkeypatch.setattr(module, "shingles", counted)
    of, estimates, scores = made()
    list(choose(of, estimates, scores, NULL, 10, lambda i: f"text number {i}"))
    assert len(cut) == len(set(cut)) == 10
    cut.clear()
    texts = [Document(f"{i:016x}", "c", "", "s", "t", f"text number {i}") for i in range(9)]
    list(candidate_lines(texts, np.arange(1, 10, dtype=np.float32), NULL, 9, True, frozenset()))
    assert len(cut) == len(set(cut)) == 9
