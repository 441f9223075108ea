"""Where a model lies: hub ids with a revision are asked for once, what is not there is told at once."""

import pytest

from attribution.errors import BadInput
from attribution.loading import load, located
from attribution.loading.located import check_present, locate


@pytest.fixture
def hub(monkeypatch):
    """The hub knows owner/model at main and step3000; every question is counted."""
    asked = []

    def file_exists(name, file, revision="main"):
        asked.append((name, revision))
        return name == "owner/model" and revision in ("main", "step3000")

    monkeypatch.setattr(located, "file_exists", file_exists)
    monkeypatch.setattr(located, "try_to_load_from_cache", lambda *_of, **_named: None)
    return asked


def test_input_25_a_revision_goes_to_the_hub_with_its_id(hub, monkeypatch):
    found = locate("owner/model@step3000")
    assert (found.location, found.options) == ("owner/model", {"revision": "step3000"})
    assert locate("owner/model").options == {}
    given = []

    def from_pretrained(name, **options):
        given.append((name, options["revision"]))
        raise OSError("stop here")

    monkeypatch.setattr(load.AutoTokenizer, "from_pretrained", from_pretrained)
    with pytest.raises(BadInput, match="stop here"):
        load.load_model("owner/model@step3000", "cpu")
    assert given == [("owner/model", "step3000")]


@pytest.mark.parametrize("checkpoint", ["owner/model@step9", "owner/other@step3000", "/nowhere/checkpoint-3"])
def test_input_25_a_checkpoint_that_is_not_there_is_told(hub, checkpoint):
    with pytest.raises(BadInput, match="expected a model directory"):
        check_present(["owner/model@step3000", checkpoint])


@pytest.mark.parametrize("source", ["owner/model@", "owner/model@../x", "owner/model@a b"])
def test_input_25_what_is_no_revision(hub, source):
    with pytest.raises(BadInput, match="expected a branch, tag or commit after @"):
        locate(source)
    assert hub == []


def test_input_40_a_hub_that_is_not_reached_is_asked_once(monkeypatch):
    asked = []

    def unreached(*of, **_named):
        asked.append(of)
        raise located._UNREACHED("no network")

    monkeypatch.setattr(located, "file_exists", unreached)
    with pytest.raises(
        BadInput, match="expected a model directory, or to reach the hub for owner/absent-7, found neither"
    ):
        locate("owner/absent-7")
    assert len(asked) == 1


def test_what_lies_in_the_cache_needs_no_network(monkeypatch):
    monkeypatch.setattr(located, "try_to_load_from_cache", lambda *_of, **_named: "/cache/config.json")
    monkeypatch.setattr(located, "file_exists", lambda *_of, **_named: pytest.fail("the hub was asked"))
    assert locate("owner/model@v1").options == {"revision": "v1"}
