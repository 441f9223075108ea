"""What can be known to be wrong with a question is said before a model is opened, or before it answers."""

import pytest

import whence
from attribution.errors import BadInput
from indexer.__main__ import main
from indexer.ask import command, job
from indexer.ask.kept import FILE
from indexer.salient import job as salient
from tests.synthetic_database import build_synthetic
from tests.tiny_family import write_project

PROMPT = "The capital of Peru is"


def on_page(run, folder, **request):
    asked = {"folder": str(folder), "model": "synth-m", "prompt": PROMPT} | request
    return run(asked, lambda *_: None, lambda: False)


@pytest.mark.parametrize(
    "asking",
    [
        lambda config, _: main(["ask", str(config), PROMPT, "--saliency", "grad_norm", "--saliency", "grad_x_inptu"]),
        lambda _, folder: on_page(job.run, folder, saliency=["grad_x_inptu"]),
        lambda _, folder: on_page(salient.run, folder, ids=[1], method="grad_x_inptu"),
        lambda _, folder: whence.open(folder).ask(PROMPT, model="synth-m", saliency=["grad_x_inptu"]),
    ],
    ids=["command", "page", "one map", "python"],
)
def test_a_method_that_there_is_not(tmp_path, capsys, monkeypatch, asking):
    config, folder = write_project(tmp_path), tmp_path / "build"
    build_synthetic(folder)
    for module in (command, job):
        monkeypatch.setattr(module, "open_size", lambda *_: pytest.fail("a model was opened"))
    try:
        assert asking(config, folder) == 2
        said = capsys.readouterr().err
    except BadInput as error:
        said = str(error)
    assert "expected a saliency method of" in said and "found 'grad_x_inptu'; choose one" in said


def test_an_answer_that_cannot_be_kept(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(command, "open_size", lambda *_: None)
    monkeypatch.setattr(command, "ask", lambda *_, **__: pytest.fail("it was answered"))
    (tmp_path / "build" / FILE).mkdir(parents=True)
    assert main(["ask", str(write_project(tmp_path)), PROMPT, "--save"]) == 2
    error = capsys.readouterr().err
    assert "expected to keep this answer in" in error and "; ask without --save" in error
    assert error.count("\n") == 1
