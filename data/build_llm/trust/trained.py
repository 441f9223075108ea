"""EDGE: the models: each trained once and asked, what it answers kept as a part; the one on everything kept whole."""

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedModel

from attribution.threads import threads
from data.build_llm.train import Example
from data.build_llm.trust.fine_tune import FineTuning, fine_tune
from data.build_llm.trust.protocol import Model
from data.build_llm.trust.questions import answered
from indexer.config.installed import installed
from indexer.evaluate.measures.removal import Answered
from indexer.evaluate.protocol.queries import Question
from indexer.journal.files import file_hash
from indexer.journal.part import Partition
from indexer.journal.stages import NotFinished, key, only_finished, stage
from indexer.processes.side_by_side import side_by_side
from indexer.training.store import WEIGHTS, mark_trained, trained_by

VERSIONS = {
    name: installed(name) for name in ("torch", "transformers")
}  # what a training depends on: no more than that


@dataclass(frozen=True)
class Work:
    """What all models have in common."""

    folder: Path  # where parts are kept
    base: Path
    base_hash: str
    examples: tuple[Example, ...]  # in the order of the documents
    asked: tuple[Question, ...]
    known: Mapping[str, Answered] = field(default_factory=dict)  # of trainings elsewhere, by `asked_key`

    def key(self, kept: Sequence[int], how: FineTuning) -> str:
        rows = [self.examples[i] for i in kept]
        return key(base=self.base_hash, rows=rows, how=how, versions=VERSIONS)

    def asked_key(self, made_of: str) -> str:
        """Of what a model answers that was made of something."""
        return key(made_of=made_of, asked=[[each.ids, each.first] for each in self.asked])


def base_hash(base: Path) -> str:
    return file_hash(base / WEIGHTS)


def on_everything(path: Path, of: Work, how: FineTuning) -> None:
    """The model whose scores are judged, in float32, trained if need be."""
    made_of = of.key(range(len(of.examples)), how)
    if trained_by(path) == made_of:
        return
    with threads(1):
        model = _fine_tuned(of, range(len(of.examples)), how)
    scratch = path.with_name(f"{path.name}.partial")
    for each in (scratch, path):
        shutil.rmtree(each, ignore_errors=True)
    scratch.parent.mkdir(parents=True, exist_ok=True)
    model.save_pretrained(scratch)
    AutoTokenizer.from_pretrained(of.base).save_pretrained(scratch)
    mark_trained(scratch, made_of)
    scratch.rename(path)


def of_everything(path: Path, of: Work, how: FineTuning) -> Answered:
    """What the model on everything answers."""
    return _kept(of, "everything", of.key(range(len(of.examples)), how), lambda: _opened(path))


def train_all(of: Work, models: Sequence[Model], n_processes: int, tick: Callable[[], None]) -> None:
    """Each once, however often it is wanted."""
    different = list({each.name: each for each in models}.values())
    side_by_side(partial(_train, of), different, n_processes, tick)


def trained(of: Work, model: Model) -> Answered:
    """Trained if need be."""
    made_of = of.key(model.kept, model.how)
    return _kept(of, model.name, made_of, lambda: _fine_tuned(of, model.kept, model.how))


def if_trained(of: Work, model: Model) -> Answered | None:
    """None for one that is not there yet; nothing is trained."""
    try:
        with only_finished():
            return trained(of, model)
    except NotFinished:
        return None


def answers_so_far(of: Work, how: FineTuning, models: Sequence[Model]) -> dict[str, Answered]:
    """Of the model on everything and some others, those that are there: what they answered, by `asked_key`."""
    everything = Model("everything", tuple(range(len(of.examples))), how)
    there = ((of.asked_key(of.key(each.kept, each.how)), if_trained(of, each)) for each in (everything, *models))
    return {name: found for name, found in there if found is not None}


def _train(of: Work, model: Model) -> None:
    trained(of, model)


def _kept(of: Work, name: str, made_of: str, model: Callable[[], PreTrainedModel]) -> Answered:
    asked = of.asked_key(made_of)

    def compute(part: Partition) -> None:
        found = of.known.get(asked)
        if found is None:
            with threads(1):
                found = answered(model(), of.asked)
        np.savez(part.folder / "answered.npz", logp=found.logp, right=found.right)

    [part] = stage(of.folder, f"trained-{name}", asked, ["all"], compute)
    with np.load(part.folder / "answered.npz") as stored:
        return Answered(stored["logp"], stored["right"])


def _fine_tuned(of: Work, kept: Sequence[int], how: FineTuning) -> PreTrainedModel:
    model = _opened(of.base)
    fine_tune(model, [of.examples[i] for i in kept], how)
    return model


def _opened(path: Path) -> PreTrainedModel:
    """Attention in plain products: backwards the fused one takes longer on short rows than all else together."""
    model: PreTrainedModel = AutoModelForCausalLM.from_pretrained(path, dtype="float32", attn_implementation="eager")
    return model
