"""Which stages belong to a size that is gone: names may begin or end like others."""

import pytest

from indexer.database.gone import gone_stages


@pytest.mark.parametrize(
    ("stage", "is_gone"),
    [
        ("factors-m", True),
        ("factors-m.epoch-09", True),
        ("factors-m-chat", False),
        ("factors-s.epoch-09", False),
        ("factors-s.seed-1", False),
        ("scores-m", True),
        ("ekfac_checkpoints-m", True),
        ("evaluation-lds-m", True),
        ("evaluation-lds-m-chat", False),
        ("reading-m-s", True),
        ("reading-s-m", True),
        ("reading-s-m-chat", False),
        ("reading-m-chat-s", False),
        ("documents", False),
        ("text-m0123", False),
    ],
)
def test_stages_of_a_size_that_is_not_named(stage, is_gone):
    stages = ["factors-m", "factors-m.epoch-09", "answers-m", "factors-s", "factors-m-chat", "factors-s.epoch-09"]
    found = gone_stages([*stages, "factors-s.seed-1", stage], ["s", "m-chat"])
    assert (stage in found) == is_gone
