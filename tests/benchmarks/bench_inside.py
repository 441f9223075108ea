"""EDGE: heads and neurons of a built database, and what they cost: `python -m tests.benchmarks inside`.

Of each size: how far total effects foretell what replacing components really does (rank correlation over the measured
tokens), and how much of the answers its five strongest heads carry beside five random ones: nats of log p of a token,
and their share of how far its log p stands above that of a uniform guess. Then rows and MB, and processor seconds of a
build and of one question with and without, in turn, in processes of one thread. Where the database is not built, only
the last.
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

import duckdb
import numpy as np

from attribution.rank_correlation import spearman
from indexer.database.snapshot_file import read_current
from indexer.database.tables.components import TABLES

DEMO = Path("data/demo/demo.toml")
OFF = "\n[inside]\nenabled = false\n"
ASKED = "The capital of Peru is"


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--config", type=Path, default=DEMO, help="a configuration whose models are trained")
    parser.add_argument("--folder", type=Path, help="a built database; that of the configuration if not given")
    parser.add_argument("--model", default="atlas-s", help="the size that is built with and without")
    parser.add_argument("--repeats", type=int, default=1)
    given = parser.parse_args()
    folder = given.folder or given.config.parent / "build"
    if (current := read_current(folder)) is None:
        print(f"no database in {folder}: build it for the first tables")
    else:
        with duckdb.connect(str(folder / current.database), read_only=True) as db:
            _effects(db)
            _rows(db)
    if given.repeats:
        _costs(given.config, given.model, given.repeats)
    return 0


def _effects(db: duckdb.DuckDBPyConnection) -> None:
    widths = {"answers": 8, "heads": 8, "neurons": 9, "by answer": 16, "top 5": 9, "random 5": 10, "share": 16}
    print(f"{'size':16}" + "".join(f"{name:>{width}}" for name, width in widths.items()))
    sizes = db.execute(
        """SELECT model_id, name, count(DISTINCT generation_id) FROM component_measured
           JOIN generation USING (generation_id) JOIN model USING (model_id)
           GROUP BY model_id, name, n_params ORDER BY n_params, name"""
    ).fetchall()
    for model_id, name, n in sizes:
        pooled = {}
        for kind in ("head", "neuron"):
            predicted, measured = db.execute(
                """SELECT list(predicted), list(measured) FROM component_measured JOIN generation USING (generation_id)
                   WHERE model_id = ? AND kind = ?""",
                [model_id, kind],
            ).fetchall()[0]
            pooled[kind] = spearman(predicted, measured, constant=float("nan"))
        means = {
            metric: (value, random)
            for metric, value, random in db.execute(
                """SELECT metric, avg(value), avg(random) FROM faithfulness JOIN generation USING (generation_id)
                   WHERE method = 'component' AND model_id = ? GROUP BY metric""",
                [model_id],
            ).fetchall()
        }
        heads, neurons = (means.get(f"rank_correlation_{kind}s", (float("nan"),))[0] for kind in pooled)
        top, random = means["top_five_heads"]
        known = _known(db, model_id)
        print(
            f"{name:16}{n:8}{pooled['head']:8.2f}{pooled['neuron']:9.2f}{f'{heads:.2f}, {neurons:.2f}':>16}"
            f"{top:9.2f}{random:10.2f}{f'{top / known:.0%}, {random / known:.0%}':>16}"
        )
    print(
        "heads, neurons: rank correlation of predicted and measured effects of all answers; by answer: mean of theirs"
    )


def _known(db: duckdb.DuckDBPyConnection, model_id: str) -> float:
    """log p + log V, nats, mean over the measured tokens; V: of the embedding, whose rows are as wide as all heads."""
    row = db.execute(
        """SELECT avg(logp) + ln((SELECT max(n_params) FROM coverage WHERE model_id = $model AND name LIKE '%embed%')
                                 / (SELECT n_heads * head_width FROM component_model WHERE model_id = $model))
           FROM generation_token JOIN generation USING (generation_id)
           WHERE model_id = $model AND (generation_id, position) IN (
               SELECT (generation_id, position) FROM component_measured)""",
        {"model": model_id},
    ).fetchone()
    return float(row[0]) if row is not None else float("nan")


def _rows(db: duckdb.DuckDBPyConnection) -> None:
    print(f"\n{'table':24}{'rows':>12}{'MB':>8}")
    for table in sorted(TABLES):
        [(n,)] = db.execute(f"SELECT count(*) FROM {table}").fetchall()  # noqa: S608 - a table of ours
        stored = "SELECT count(DISTINCT block_id) FROM pragma_storage_info(?) WHERE block_id >= 0"
        [(blocks,)] = db.execute(stored, [table]).fetchall()
        print(f"{table:24}{n:12,}{blocks * 262_144 / 1e6:8.2f}")
    [(size,)] = db.execute("SELECT sum(total_blocks * block_size) FROM pragma_database_size()").fetchall()
    print(f"{'the whole database':24}{'':12}{size / 1e6:8.2f}")


def _costs(config: Path, model: str, repeats: int) -> None:
    seconds: dict[tuple[str, str], list[float]] = {}
    for _ in range(repeats):
        for which, more in (("without", OFF), ("with", "")):
            with tempfile.TemporaryDirectory() as scratch:
                path = _project(config, Path(scratch), more)
                build = [sys.executable, "-m", "indexer", "build", str(path), "--model", model]
                seconds.setdefault(("build", which), []).append(_processor(build))
                ask = [sys.executable, "-m", "indexer", "ask", str(path), ASKED, "--model", model]
                seconds.setdefault(("ask", which), []).append(_processor(ask))
    print(f"\n{model:16}{'without, s':>12}{'with, s':>10}{'ratio':>8}")
    for name in ("build", "ask"):
        without, with_ = (float(np.median(seconds[name, which])) for which in ("without", "with"))
        print(f"{name:16}{without:12.1f}{with_:10.1f}{with_ / without:8.3f}")


def _project(config: Path, folder: Path, more: str) -> Path:
    """The configuration with everything beside it but what was built."""
    for each in config.parent.resolve().iterdir():
        if each.name not in ("build", config.name):
            (folder / each.name).symlink_to(each)
    path = folder / config.name
    path.write_text(config.read_text(encoding="utf-8") + more, encoding="utf-8")
    return path


def _processor(command: list[str]) -> float:
    """Seconds that a command and its children have worked; raises CalledProcessError when it fails."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(
        command,
        check=True,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    sys.exit(main())
