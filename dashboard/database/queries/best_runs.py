"""Which of a model's runs is shown first: that of the method which agrees best with retraining, as far as measured.

A figure of one size of a family stands for all of its sizes: retraining is for small ones.
"""

from dashboard.database.queries.rows import Snapshot, kept

FIGURE = "lds_without_self"  # the linear datamodelling score without the query's own document

# family, method, value: the highest figure of any size
FIGURES = f"""SELECT family, method, max(value) AS figure FROM evaluation JOIN model USING (model_id)
    WHERE metric = '{FIGURE}' GROUP BY family, method"""  # noqa: S608 (a constant)

# model_id, run_id, method, figure (NULL where none was measured), place: 1 is shown first
RUNS = f"""SELECT model_id, run_id, method, figure,
        row_number() OVER (PARTITION BY model_id ORDER BY figure DESC NULLS LAST, method <> 'ekfac', run_id) AS place
    FROM run JOIN (SELECT model_id, family FROM model) USING (model_id)
    LEFT JOIN ({FIGURES}) USING (family, method)"""  # noqa: S608 (constants)


@kept(32)
def measured_best(snapshot: Snapshot, model_id: str) -> str:
    """The method that is shown first because it was measured; "" where none was."""
    sql = f"SELECT method FROM ({RUNS}) WHERE model_id = ? AND place = 1 AND figure IS NOT NULL"  # noqa: S608
    return next((row["method"] for row in snapshot.rows(sql, [model_id])), "")
