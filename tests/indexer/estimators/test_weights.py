"""What checkpoints weigh in a mean over them."""

from dataclasses import replace

from indexer.config.config import ScoreSettings
from indexer.estimators.ekfac_checkpoints import weights


def test_a_model_with_other_checkpoints_than_the_configuration_weighs_has_them_all_the_same():
    given = replace(ScoreSettings(), checkpoint_weights=(3.0, 1.0))
    assert weights(given, 2) == (3.0, 1.0)
    assert weights(given, 7) is None
    assert weights(ScoreSettings(), 2) is None
