"""What work takes is what its loops are: counted multiply-add by multiply-add on one small layer."""

from dataclasses import replace

import pytest

from attribution.curvature.work import EIGH
from indexer.plan import work as takes
from indexer.plan.shapes import Shape, Shapes
from indexer.plan.speeds import Speeds, assumed

OUT, IN, T, Q, D, V, H = 3, 5, 7, 2, 4, 11, 6
OF = Shapes((Shape(OUT, IN, n=2, n_read=1),), ((V, H),), n_params=100, vocabulary=V, width=H)
ONE = Speeds(1, 1, 1, 1, 1, 1, 1)  # a multiply-add a second


def steps(*sides: int) -> int:
    """Of nested loops."""
    n = 1
    for side in sides:
        n *= side
    return n


def test_each_kind_of_work_is_the_number_of_its_innermost_steps():
    assert takes.passing(OF, ONE, T) == 3 * 100 * T
    turned = 2 * steps(T, OUT, OUT) + 1 * steps(T, IN, IN)  # two layers, one input
    assert takes.turning(OF, ONE, T) == turned
    assert takes.forming(OF, ONE, T) == 2 * steps(T, OUT, IN) + steps(T, V, H)
    assert takes.touching(OF, ONE, D) == D * (2 * OUT * IN + V * H)
    assert takes.adding_covariances(OF, ONE, T) == 2 * (steps(T, OUT, OUT) + steps(T, IN, IN))
    assert takes.decomposing(OF, ONE) == EIGH * 2 * (OUT**3 + IN**3)
    assert takes.meeting(OF, ONE, Q, D) == Q * D * (2 * OUT * IN + V * H)
    assert takes.cutting(OF, ONE, D) == D * 2


def test_a_rate_that_was_measured_for_a_shape_counts_there_alone():
    other = Shapes((*OF.linear, Shape(9, 9, 1, 1)), (), 100, V, H)
    fast = replace(ONE, turned={9: 81.0}, formed={(9, 9): 81.0})
    alone = Shapes(OF.linear, (), 100, V, H)
    assert takes.turning(other, fast, T) == pytest.approx(takes.turning(alone, ONE, T) + 2 * T)
    assert takes.forming(other, fast, T) == pytest.approx(takes.forming(alone, ONE, T) + T)


def test_several_devices_share_out_what_can_be_shared():
    many = ONE.faster(8)
    assert takes.passing(OF, many, T) == takes.passing(OF, ONE, T) / 8
    assert takes.cutting(OF, many, D) == takes.cutting(OF, ONE, D) / 8
    assert takes.decomposing(OF, many) == takes.decomposing(OF, ONE)


def test_an_unknown_accelerator_is_taken_for_one_and_writing_reads_all_weights():
    assert assumed("xpu", 10) == assumed("cuda", 10)
    assert assumed("cpu", 10**9).written > assumed("cpu", 10**6).written
