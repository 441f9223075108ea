"""What groups cost follows their number, and where they fit."""

from dataclasses import replace

import pytest

from attribution.groups.sums import HELD
from attribution.schedule import Schedule
from indexer.config.groups import Groups
from indexer.plan import groups
from indexer.plan.forecast import GROUPS, forecast
from tests.indexer.plan.test_forecast import CONFIG, OF, SPEEDS, WORK

FULL = Schedule()
GROUPED = replace(WORK, n_cells=6, n_groups=9)
BYTES = 4 * OF.entries


def test_gradients_of_groups_are_as_large_as_the_weights_and_met_once_by_every_token():
    assert groups.of_cell(GROUPED) == BYTES
    assert groups.rows(GROUPED) == 20 * 9
    assert groups.disk(GROUPED, CONFIG, FULL) == 6 * BYTES + groups.ROW * 180
    more = replace(GROUPED, n_cells=12)
    assert groups.disk(more, CONFIG, FULL) - groups.disk(GROUPED, CONFIG, FULL) == 6 * BYTES
    assert groups.seconds(more, SPEEDS, CONFIG, FULL) > groups.seconds(GROUPED, SPEEDS, CONFIG, FULL)


def test_what_the_memory_does_not_hold_costs_a_pass_and_what_the_disk_does_not_hold_is_not_kept():
    some = Schedule(memory=int(4 * BYTES / HELD) + 1)
    assert groups.held(GROUPED, some) == 4
    again = groups.seconds(GROUPED, SPEEDS, CONFIG, some) - groups.seconds(GROUPED, SPEEDS, CONFIG, FULL)
    assert again == pytest.approx(3 * OF.n_params * WORK.n_documents * WORK.n_tokens)
    none = Schedule(memory=BYTES)
    never = replace(CONFIG, groups=Groups(disk=0))
    for config, schedule in ((CONFIG, none), (never, FULL)):
        assert not groups.kept(GROUPED, config, schedule)
        assert groups.disk(GROUPED, config, schedule) == groups.ROW * 180
        assert groups.seconds(GROUPED, SPEEDS, config, schedule) < groups.seconds(GROUPED, SPEEDS, CONFIG, FULL)


def test_a_build_without_columns_has_no_groups():
    assert GROUPS in {stage.name for stage in forecast(GROUPED, SPEEDS, CONFIG, FULL)}
    without = replace(CONFIG, groups=Groups(by=()))
    assert GROUPS not in {stage.name for stage in forecast(GROUPED, SPEEDS, without, FULL)}
