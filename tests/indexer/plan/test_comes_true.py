"""The forecast of the demo, from unit costs that `plan` measured, against what a build then took: within 1.5.

Both were measured on the same two cores; seconds are of work, memory is a process's own, the largest of a stage.
"""

from dataclasses import replace
from pathlib import Path

import pytest

from indexer.config.config import read_config
from indexer.plan.forecast import Work, forecast
from indexer.plan.units import Units
from indexer.tracing.groups import SIZE

DEMO = Path(__file__).parents[3] / "data" / "demo" / "demo.toml"
MIB = 1 << 20
SMALL = Units(
    capture=0.00135, eigen=0.0164, answer=0.0145, share=0.0508, corpus=0.00358, query=0.00529, score=0.00198,
    position=0.000248, loss=0.00358, n_tokens=6.75, estimate=0.00732, scan=2.82e-06, rotation=0.000973,
    resident=336 * MIB, prompt_memory=11 * MIB, pass_memory=380 * MIB, score_memory=376 * MIB,
)  # fmt: skip
MIDDLE = Units(
    capture=0.00371, eigen=0.163, answer=0.0265, share=0.0883, corpus=0.0138, query=0.0185, score=0.00963,
    position=0.00149, loss=0.00948, n_tokens=6.56, estimate=0.0213, scan=5.96e-06, rotation=0.0103,
    resident=341 * MIB, prompt_memory=1 * MIB, pass_memory=667 * MIB, score_memory=701 * MIB,
)  # fmt: skip
OF_SMALL = Work(
    n_documents=6461, n_params=460352, n_tracked=197632, factor_numbers=995008, n_prompts=60, index_bytes=5104,
    n_embedding=262144,
)  # fmt: skip
OF_MIDDLE = Work(
    n_documents=6461, n_params=1711744, n_tracked=1185792, factor_numbers=4921472, n_prompts=60, index_bytes=14976,
    n_embedding=524288,
)  # fmt: skip
BUILT = [
    # size, stage, seconds, MiB, MB of files; None: not measured
    (SMALL, OF_SMALL, "factors", 6.3, None, 4.0),
    (SMALL, OF_SMALL, "answers", 1.5, 386, None),
    (SMALL, OF_SMALL, "prompts", 4.8, 403, 0.2),
    (SMALL, OF_SMALL, "corpus pass", 29.3, 621, 33.5),
    (SMALL, OF_SMALL, "influence", 29.7, 1898, 5.1),
    (MIDDLE, OF_MIDDLE, "factors", 14.2, None, 19.7),
    (MIDDLE, OF_MIDDLE, "answers", 2.2, 403, None),
    (MIDDLE, OF_MIDDLE, "prompts", 9.1, 419, 0.2),
    (MIDDLE, OF_MIDDLE, "corpus pass", 86.1, 871, 97.4),
    (MIDDLE, OF_MIDDLE, "influence", 78.2, None, 6.2),
]


@pytest.mark.parametrize(("units", "work", "stage", "seconds", "memory", "disk"), BUILT)
def test_the_forecast_of_the_demo_comes_true(units, work, stage, seconds, memory, disk):
    config = read_config(DEMO)
    settings = replace(
        config,
        factors=replace(config.factors, documents=600, eigenvalue_documents=150),
        index=replace(config.index, rank=1, candidates=6),
        scores=replace(config.scores, candidates=12, documents=20, position_shares=3, token_losses=1),
    )
    found = {each.name: each for each in forecast(work, units, settings, SIZE)}[stage]
    for expected, measured in ((found.seconds, seconds), (found.memory / MIB, memory), (found.disk / 1e6, disk)):
        if measured is not None:
            assert measured / 1.5 < expected < measured * 1.5
