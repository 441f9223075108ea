"""A document of which a pass does not fit is told before the factors are computed, by its name."""

import pytest

from indexer.__main__ import main
from indexer.size import room
from tests.attribution.architectures import random_model
from tests.indexer.built_model import project
from tests.tiny_family import write_lines

LONG = {"title": "The whole book", "text": "The capital of Peru is Lima. " * 400}


@pytest.fixture
def config(tmp_path):
    path = project(random_model("Llama").model, tmp_path)
    write_lines(path.parent / "corpus.jsonl", [{"text": "Lima is in Peru."}, LONG, {"text": "Cusco is old."}])
    return path


def test_a_document_of_which_a_pass_does_not_fit_is_refused_before_the_factors(config, monkeypatch, capsys):
    monkeypatch.setattr(room, "whole_memory", lambda: 100_000_000)
    assert main(["build", str(config)]) == 2
    said = capsys.readouterr().err
    assert "found 'The whole book' of " in said and 'or set [corpus] long = "cut"' in said
    assert not list((config.parent / "build" / "parts").glob("factors*"))


def test_cut_to_its_first_window_it_fits(config, monkeypatch):
    monkeypatch.setattr(room, "whole_memory", lambda: 100_000_000)
    config.write_text(config.read_text().replace("[corpus]", '[corpus]\nlong = "cut"'))
    assert main(["build", str(config)]) == 0
