"""An evaluation publishes the database once more: the parts that are in it, and no others."""

from types import SimpleNamespace

from indexer.database.publish import shards_of
from indexer.database.shard import write_shard
from indexer.evaluate.protocol import published
from indexer.journal.stages import finished, stage


def test_a_part_that_shares_only_a_shard_without_rows_with_the_database_stays_out(tmp_path, monkeypatch):
    def part(name):
        def compute(made):
            row = {"model_id": name, "method": "ekfac", "metric": "mrr", "value": 1.0, "detail": "{}"}
            write_shard(made.folder, "evaluation", {column: [value] for column, value in row.items()})
            write_shard(made.folder, "citation", {"generation_id": []})

        [found] = stage(tmp_path, name, name, ["all"], compute)
        return found

    here, gone = part("prompts-here"), part("prompts-gone")
    assert len(finished(tmp_path)) == 2 and shards_of(here) & shards_of(gone)
    monkeypatch.setattr(published, "read_current", lambda folder: SimpleNamespace(shards=sorted(shards_of(here))))
    monkeypatch.setattr(published, "publish", lambda folder, parts, config: [each.stage for each in parts])
    monkeypatch.setattr(published, "described", lambda config: {})
    assert published.publish_with(tmp_path, None, []) == ["prompts-here"]
