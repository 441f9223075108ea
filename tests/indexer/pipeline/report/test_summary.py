"""What a build says of the documents that it could not take as they are."""

from dataclasses import dataclass, field

import numpy as np

from indexer.database.shard import write_shard
from indexer.journal.stages import Finished
from indexer.pipeline.report.facts import Facts
from indexer.pipeline.report.summary import Built, Summary, show


@dataclass
class Said:
    lines: list[str] = field(default_factory=list)

    def say(self, line: str) -> None:
        self.lines.append(line)


def said(tmp_path, n_cut: int, loss: list[float], facts: Facts = Facts(0, 0, ())) -> str:  # noqa: B008 (frozen)
    ids = [f"document-{i}" for i in range(len(loss))]
    numbers = {name: np.array(loss, dtype=np.float32) for name in ("loss", "self_influence", "grad_norm", "solve_norm")}
    write_shard(tmp_path, "self_influence", {"run_id": ["run"] * len(ids), "document_id": ids, **numbers})
    part = Finished("norms", "all", "key", tmp_path, {}, 0.0)
    n_skipped = int(np.isnan(loss).sum())
    size = Built("tiny", [part], {"factors": 1.0}, 5, n_cut, n_skipped, facts)
    report = Said()
    show(Summary(tmp_path / "tiny.toml", tmp_path, [], 1, [size]), report)
    return "\n".join(report.lines)


def test_documents_without_a_finite_gradient_are_counted_and_named(tmp_path):
    found = said(tmp_path, 0, [1.0, np.nan, 2.0, np.nan])
    assert "2 documents have a gradient that is not finite and were skipped: document-1, document-3\n" in found


def test_of_many_only_the_first_are_named(tmp_path):
    assert "skipped: document-0, document-1, document-2 …\n" in said(tmp_path, 0, [np.nan] * 5)


def test_cut_documents_are_counted(tmp_path):
    found = said(tmp_path, 2, [1.0])
    assert "2 documents were longer than the context and were cut" in found
    assert "skipped" not in found


def test_every_estimator_that_ranks_documents_of_whole_answers_has_its_figure(tmp_path):
    found = said(tmp_path, 0, [1.0], Facts(2, 3, (1, 4), True, (("TracIn", (1, 1)),)))
    assert "2 of 3 answers right; a document that states the fact stands first" in found
    assert "for the whole answer of 1 of 2 (50%) by EK-FAC, 2 of 2 (100%) by TracIn" in found
