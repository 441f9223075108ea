"""EDGE: what is fine-tuned, asked and predicted, a part at a time; and the figures of whatever is there by now."""

import json
import tomllib
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from transformers import AutoTokenizer

from attribution.errors import BadInput
from data.build_llm.places import FOLDER
from data.build_llm.towns import facts
from data.build_llm.train import example
from data.build_llm.trust import kept_answers
from data.build_llm.trust.measures import ABOVE, ByMethod, Halves, lds, lds_figures, lost, surest
from data.build_llm.trust.protocol import Model, Protocol, on_halves, removed, without
from data.build_llm.trust.questions import chosen, question
from data.build_llm.trust.trained import (
    Work,
    answers_so_far,
    base_hash,
    if_trained,
    of_everything,
    on_everything,
    train_all,
)
from indexer.config.config import Config, read_config
from indexer.config.estimator import estimators
from indexer.corpus.reader import CorpusReading, read_corpus
from indexer.evaluate.measures.fact_tracing import fact_tracing
from indexer.evaluate.measures.lds import Agreement
from indexer.evaluate.measures.removal import Answered
from indexer.evaluate.protocol.published import measured
from indexer.evaluate.scoring.given import Evaluated, Given
from indexer.evaluate.scoring.gradient_scores import Numbers
from indexer.evaluate.scoring.predictions import Predicted, predictions
from indexer.evaluate.scoring.solved import NAME as CG
from indexer.evaluate.scoring.solved import solved_scores
from indexer.evaluate.scoring.subject import subject
from indexer.evaluate.statistics.best_method import best
from indexer.evaluate.statistics.figures import Figure
from indexer.journal.stages import NotFinished, key, only_finished
from indexer.processes.progress import Reporter
from indexer.size.member import open_member

ANSWERS = FOLDER / "trust-answers.json"


@dataclass(frozen=True)
class Trial:
    """One configuration with one size, whose `path` the model on everything is written to."""

    config: Config
    protocol: Protocol
    work: Work
    processes: int = 1  # of one thread each

    @property
    def name(self) -> str:
        return self.config.model[0].name

    @property
    def path(self) -> Path:
        return Path(self.config.model[0].path)

    @property
    def n(self) -> int:
        """Conversations."""
        return len(self.work.examples)


def placed(path: Path) -> Config:
    """The configuration, whose model has a place before it is there: what is none would be taken for a hub id."""
    try:
        name = tomllib.loads(path.read_text(encoding="utf-8"))["model"][0]["path"]
        (path.parent / name).mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError, KeyError, TypeError, IndexError):
        pass  # said better by what reads it next
    return read_config(path)


def prepared(config: Config, base: Path, protocol: Protocol, processes: int = 1, answers: Path = ANSWERS) -> Trial:
    """base: the folder of what is fine-tuned   answers: of models that were trained elsewhere. Raises BadInput where no
    conversation states a fact."""
    corpus = read_corpus(config.model[0].files)
    tokenizer = AutoTokenizer.from_pretrained(base)
    examples = [example(json.loads(each.turns)["messages"], tokenizer) for each in corpus.documents]
    places = _places(corpus)
    told = [each for each in facts() if each.id in places]
    if not told:
        raise BadInput("expected conversations that state facts, found none; run `python -m data.build_llm`")
    asked = [question(each, tokenizer, places) for each in chosen(told, protocol.queries, protocol.seed)]
    known = kept_answers.read(answers)
    work = Work(config.output.folder, base, base_hash(base), tuple(examples), tuple(asked), known)
    return Trial(config, protocol, work, processes)


def run(trial: Trial, report: Reporter) -> list[Figure]:
    """Everything that is missing; the figures are kept as an evaluation of the model on everything."""
    of, work, n = trial.protocol, trial.work, trial.n
    with report.task(f"{trial.name}: fine-tuned on {n} conversations", 1) as task:
        on_everything(trial.path, work, of.training)
        task.tick()
    before = of_everything(trial.path, work, of.training)
    first, again = on_halves(of, n)
    twice = len(again)  # these first, so that what can be reached is known early
    _train(trial, "models on random halves", [*first[:twice], *again, *first[twice:]], report)
    with report.task(f"{trial.name}: predictions", 2) as task:
        made, ready = _predicted(trial, lambda done: task.tick(done / n))
    with report.task(f"{trial.name}: conjugate gradients", of.solved_queries) as task:
        solved = _solved(trial, ready, task.tick)
    places = surest(before, of.removal_queries)
    blamed = [without(of, each, n) for each in removed(of, made.by_method, places, n)]
    _train(trial, "models without blamed conversations", blamed, report)
    found = figures(trial, made.by_method, before, solved)
    found += best(found)
    cg = estimators()[CG].settings(trial.config.scores)
    made_of = key(predicted=made.key, solved=cg, protocol=asdict(of), work=work.key(range(n), of.training))
    stored = [each for each in found if each.metric != ABOVE]
    measured(work.folder, "trust", trial.name, ready.fitted.member.loaded.weights_hash, made_of, lambda: stored)
    return found


def save(trial: Trial, answers: Path = ANSWERS) -> int:
    """Write what the models answered that are there, beside those that the file has; returns how many it has then."""
    made = answers_so_far(trial.work, trial.protocol.training, sum(on_halves(trial.protocol, trial.n), []))
    together = {**trial.work.known, **made}
    kept_answers.write(answers, together)
    return len(together)


def so_far(trial: Trial) -> list[Figure]:
    """Of what is there by now. Raises NotFinished where predictions are still to be made."""
    with only_finished():
        before = of_everything(trial.path, trial.work, trial.protocol.training)
        made, ready = _predicted(trial, lambda done: None)
        try:
            solved = _solved(trial, ready, lambda n: None)
        except NotFinished:
            solved = {}
    return figures(trial, made.by_method, before, solved)


def agreements(trial: Trial, by_method: ByMethod, solved: ByMethod) -> dict[str, Agreement]:
    """With the halves that are trained; nothing for fewer than three."""
    halves = _halves(trial)
    own = np.array([each.supports[0] for each in trial.work.asked])
    return lds(by_method, halves, own, trial.n, solved) if len(halves.models) > 2 else {}


def figures(trial: Trial, by_method: ByMethod, before: Answered, solved: ByMethod) -> list[Figure]:
    """LDS, where the conversation that states a fact stands, and what answers lose without what is blamed.

    solved: of the first queries alone
    """
    of, work, n = trial.protocol, trial.work, trial.n
    judged = len(_halves(trial).models)
    asked = f"{len(work.asked)} facts that one of {n} conversations states, asked for in other words"
    found = lds_figures(agreements(trial, by_method, solved), f"{judged} models fine-tuned on random halves; {asked}")
    found += fact_tracing(by_method, [each.supports for each in work.asked], asked)
    places = surest(before, of.removal_queries)
    after = [(each, if_trained(work, without(of, each, n))) for each in removed(of, by_method, places, n)]
    return found + lost(before, places, after, f"of {len(places)} answers, fine-tuned again without them")


def _predicted(trial: Trial, tick: Callable[[float], None]) -> tuple[Predicted, Evaluated]:
    """Of every estimator, and the model on everything with its factors."""
    ready = subject(trial.work.folder, open_member(trial.config.model[0], trial.config))
    return predictions(trial.work.folder, ready, trial.work.asked, "trust", tick), ready


def _solved(trial: Trial, ready: Evaluated, tick: Callable[[int], None]) -> dict[str, Numbers]:
    """Of the first queries, what takes minutes for each; a pair is kept as it is finished."""
    asked = trial.work.asked[: trial.protocol.solved_queries]
    return {CG: solved_scores(Given(trial.work.folder, ready, asked, "trust", lambda n: None), together=2, tick=tick)}


def _train(trial: Trial, what: str, models: list[Model], report: Reporter) -> None:
    different = list({each.name: each for each in models}.values())
    with report.task(f"{trial.name}: {what}", len(different)) as task:
        train_all(trial.work, different, trial.processes, task.tick)


def _halves(trial: Trial) -> Halves:
    """Those that are trained by now."""
    first, again = on_halves(trial.protocol, trial.n)
    there = [(each, found) for each in first if (found := if_trained(trial.work, each)) is not None]
    place = {model.kept: i for i, (model, _) in enumerate(there)}
    second = {place[each.kept]: if_trained(trial.work, each) for each in again if each.kept in place}
    known = {at: found for at, found in second.items() if found is not None}
    return Halves([model for model, _ in there], [found for _, found in there], known)


def _places(corpus: CorpusReading) -> dict[str, int]:
    """Of every conversation that states a fact: its own id -> its index among the documents."""
    index_of = {each.document_id: i for i, each in enumerate(corpus.documents)}
    return {own: index_of[ids[0]] for own, ids in corpus.called([each.id for each in facts()]).items()}
