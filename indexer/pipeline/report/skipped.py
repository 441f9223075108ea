"""EDGE: documents whose gradient is not finite, by name: read from the shards of a size's corpus pass."""

from collections.abc import Sequence

import pyarrow.compute as pc
import pyarrow.parquet as pq

from indexer.journal.stages import Finished


def skipped(parts: Sequence[Finished]) -> list[str]:
    """Ids of the documents whose numbers are NaN, as the pass over the corpus stores them."""
    ids: list[str] = []
    for path in sorted(path for part in parts for path in part.folder.glob("self_influence*.parquet")):
        table = pq.read_table(path, columns=["document_id", "loss"])
        ids += table.filter(pc.is_nan(table["loss"]))["document_id"].to_pylist()
    return ids
