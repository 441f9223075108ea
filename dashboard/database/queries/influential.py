"""Which documents there are, and which matter most over all answers of a run: by words, or by tokens where words are
not explained."""

from dataclasses import dataclass

from dashboard.database.queries.rows import Snapshot, has_table, kept, record

_OF = "($source = '' OR source = $source) AND ($topic = '' OR topic = $topic)"


@dataclass(frozen=True)
class Influential:
    """A document that is among the ten most helpful of n_top10 words (or tokens) in n_top10_answers answers. weight:
    the sum over these words of its share in what the ten carry; None where tokens are counted."""

    document_id: str
    n_top10: int
    n_top10_answers: int
    weight: float | None = None

    @property
    def share(self) -> float | None:
        """Of what the ten carry, on average over these words."""
        return None if self.weight is None else self.weight / self.n_top10


@dataclass(frozen=True)
class SourceShare:
    """A source's part in what the ten most helpful documents of every word carry, and how many documents have one."""

    source: str
    share: float
    n_documents: int


@kept(8)
def by_words(snapshot: Snapshot, run_id: str) -> bool:
    """Whether the words of a run's answers were explained."""
    if not has_table(snapshot, "document_words"):
        return False
    return bool(snapshot.rows("SELECT 1 AS one FROM document_words WHERE run_id = ? LIMIT 1", [run_id]))


def most_influential(snapshot: Snapshot, run_id: str, source: str, topic: str, first: int, k: int) -> list[Influential]:
    """k documents from number `first` on, of a source and a topic ('' for all): those that carry most of words, or are
    most often among the ten most helpful of a token."""
    words = by_words(snapshot, run_id)
    weight, order = ("weight", "weight DESC") if words else ("NULL AS weight", "n_top10 DESC, n_top10_answers DESC")
    table = "document_words" if words else "document_total"
    sql = f"""SELECT document_id, n_top10, n_top10_answers, {weight} FROM {table}
        WHERE run_id = $run AND n_top10 > 0 AND {_OF}
        ORDER BY {order}, document_id LIMIT $k OFFSET $first"""  # noqa: S608 (words of ours)
    values = {"run": run_id, "source": source, "topic": topic, "first": first, "k": k}
    return [record(Influential, row) for row in snapshot.rows(sql, values)]


def count_influential(snapshot: Snapshot, run_id: str, source: str, topic: str) -> int:
    """How many documents `most_influential` orders."""
    table = "document_words" if by_words(snapshot, run_id) else "document_total"
    sql = f"SELECT count(*) AS n FROM {table} WHERE run_id = $run AND n_top10 > 0 AND {_OF}"  # noqa: S608 (ours)
    return int(snapshot.rows(sql, {"run": run_id, "source": source, "topic": topic})[0]["n"])


@kept(8)
def source_shares(snapshot: Snapshot, run_id: str) -> list[SourceShare]:
    """Every source that helps a word, the largest share first; [] where words are not computed."""
    if not by_words(snapshot, run_id):
        return []
    sql = """SELECT source, sum(weight) / sum(sum(weight)) OVER () AS share, count(*) AS n_documents
        FROM document_words WHERE run_id = ? GROUP BY source ORDER BY share DESC, source"""
    return [record(SourceShare, row) for row in snapshot.rows(sql, [run_id])]


def some_documents(snapshot: Snapshot, source: str, topic: str, first: int, k: int) -> list[str]:
    """Ids of k documents of a source and a topic, by their titles, from number `first` on."""
    sql = f"""SELECT document_id FROM document WHERE {_OF}
        ORDER BY title, document_id LIMIT $k OFFSET $first"""  # noqa: S608 (a constant)
    values = {"source": source, "topic": topic, "first": first, "k": k}
    return [row["document_id"] for row in snapshot.rows(sql, values)]


@kept(16)
def count_documents(snapshot: Snapshot, source: str = "", topic: str = "") -> int:
    """How many there are of a source and a topic."""
    sql = f"SELECT count(*) AS n FROM document WHERE {_OF}"  # noqa: S608 (a constant)
    return int(snapshot.rows(sql, {"source": source, "topic": topic})[0]["n"])
