"""The page of growth: what is shared out is divided, what is held is paid, and only what does not fit breaks."""

import pytest

from docs.generate import growth
from docs.generate.growth import DEVICES, NODE, PRICE, SHARED, Cluster, breaks, index_bytes, on_device, page
from docs.generate.sizes import CONFIG, MODELS, stages_of


def seconds(n: int) -> dict[str, float]:
    return {stage.name: stage.seconds for stage in Cluster(n).stages}


def test_eight_gpus_are_the_machine_of_the_page_of_sizes():
    stages, _ = stages_of(MODELS[growth.MODEL], growth.DOCUMENTS, NODE)
    assert seconds(8) == {stage.name: stage.seconds for stage in stages if stage.name != "groups"}


def test_what_is_shared_out_is_divided_and_nothing_else():
    one, other = seconds(8), seconds(64)
    for name in one:
        assert other[name] < one[name] / 6 if name in SHARED else other[name] == one[name]


@pytest.mark.parametrize("n", DEVICES)
def test_the_bill_is_what_is_held_times_its_price(n):
    hours = sum(s * (n if name in SHARED else 1) for name, s in seconds(n).items()) / 3600
    assert growth.dollars(Cluster(n)) == pytest.approx(hours * PRICE)
    assert f"{hours:,.0f} |" in page()


@pytest.mark.parametrize("n", DEVICES)
def test_what_breaks_does_not_fit_and_what_fits_is_not_named(n):
    cluster, said = Cluster(n), breaks(Cluster(n))
    for stage in cluster.stages:
        too_large = sum(on_device(stage).values()) > NODE.memory
        assert any(line.startswith(f"memory in {stage.name},") for line in said) == too_large
        assert any(line.startswith(f"time of {stage.name},") for line in said) == (stage.seconds > growth.LIMIT)
    kept = sum(stage.disk for stage in cluster.stages) + sum(n for _, n, _ in growth.text_rows())
    assert any(line.startswith("disk: ") for line in said) == (kept > -(-n // 8) * NODE.disk)
    assert any(line.startswith("a question, ") for line in said)


def test_a_question_takes_no_less_than_the_disks_take_to_give_the_index():
    assert index_bytes() == 10**8 * MODELS[growth.MODEL].index_bytes(CONFIG.index.rank)
    assert Cluster(64).scan == pytest.approx(index_bytes() / 8 / growth.NODE_READ)
    assert all(Cluster(n).asking >= Cluster(n).scan for n in DEVICES)
