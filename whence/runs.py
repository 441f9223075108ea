"""EDGE: a built folder, open for reading: its models, its answers, and new questions to its models."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from attribution.errors import BadInput
from dashboard.database.kept.answer import StoredAnswer, group_unit, span_unit
from dashboard.database.kept.inside import StoredInside
from dashboard.database.queries import answers, groups, influence, prompts
from dashboard.database.queries.rows import Snapshot
from dashboard.database.queries.verbatim import verbatim_spans
from dashboard.database.records import Generation, Model, Run
from dashboard.database.unit import change_nats, unit_for
from indexer.database.reader import Database
from whence.answer import Answer, Evidence
from whence.sets import TargetSet, set_of, sets_of
from whence.spans import StoredSpans

if TYPE_CHECKING:
    import pandas as pd

    from whence.what_if import WhatIf

_ALL = 2**31 - 1
_ANSWERS = ("generation_id", "model", "prompt", "text", "kind", "topic", "answer", "right", "created_at")
_GROUPS = ("column_name", "value", "n_documents")
_MOVED = ("generation_id", "model", "first", "last", "moved", "influence", "change", "error", "prompt", "answer")
_MODELS = ("name", "family", "n_params", "n_layers", "stage", "parent", "model_id", "methods")


def open_runs(folder: Path) -> Runs:
    """See `whence.open`."""
    if not folder.is_dir():
        raise BadInput(f"expected an output folder of a build, found none at {folder}; run `whence build CONFIG` first")
    runs = Runs(folder, Database(folder))
    runs.models()
    return runs


@dataclass(frozen=True)
class Runs:
    """The published database of one folder; a newer publication is read as soon as there is one.

    Raises what `whence.open` raises from every method, and TryAgain for a query that meets its limits.
    """

    folder: Path
    database: Database = field(repr=False, compare=False)

    def models(self) -> pd.DataFrame:
        """Smallest first: name, family, n_params, n_layers, stage, parent, model_id, methods (of influence)."""
        import pandas as pd

        now = self._now()
        rows = [
            asdict(model) | {"methods": [run.method for run in answers.runs(now, model.model_id)]}
            for model in answers.models(now)
        ]
        return pd.DataFrame(rows, columns=list(_MODELS))

    def answers(self, model: str = "") -> pd.DataFrame:
        """Every stored answer in the order of the prompt file, smallest model first; `model` names one of them.

        generation_id, model, prompt, text (what it wrote), kind (completion, chat, retrieval), topic, answer (the right
        one, "" where none is known), right (missing where none is known), created_at. Raises BadInput for
        another model.
        """
        import pandas as pd

        now = self._now()
        if model:
            self._model(now, model)
        asked = [prompt_id for prompt_id, _ in answers.prompts(now, _ALL)]
        found = [each for of in answers.generations_of(now, asked).values() for each in of]
        rows = [_row(each) for each in found if not model or each.model.name == model]
        return pd.DataFrame(rows, columns=list(_ANSWERS))

    def answer(self, generation_id: str, method: str = "") -> Answer:
        """One stored answer; `method` chooses among those whose influence was computed, without it the one that
        agrees best with retraining, as on the pages.

        Raises BadInput for an id that is not in the database, or a method that was not computed.
        """
        now = self._now()
        found = answers.generation(now, generation_id)
        if found is None:
            raise BadInput(f"expected the generation_id of an answer, found {generation_id!r}; see `answers()`")
        run = _chosen(answers.best_first(now, found.model.model_id), method)
        stored = StoredAnswer(now, found, run.run_id if run else "")
        targets = influence.targets(now, run.run_id, generation_id) if run else {}
        evidence = Evidence(
            now,
            partial(influence.kept_scores, now, run.run_id if run else "", generation_id),
            {position: target.self_influence for position, target in targets.items()},
            tuple(prompts.saliency_methods(now, generation_id)),
            partial(_stored_map, now, generation_id),
            StoredInside(now, found, run),
            StoredSpans(now, run.run_id if run else "", generation_id),
            groups=stored.groups,
            verbatim=partial(verbatim_spans, now, generation_id),
            unit=partial(span_unit, stored),
            group_unit=partial(group_unit, stored),
        )
        return Answer(
            generation_id,
            found.model.name,
            found.prompt,
            found.text,
            run.method if run else "",
            tuple(answers.notices(now, generation_id)),
            tuple(answers.tokens(now, generation_id)),
            tuple(answers.prompt_tokens(now, found.model.tokenizer_id, found.prompt_id)),
            evidence,
        )

    def documents(
        self, generation_id: str, token: int | tuple[int, int] | None = None, normaliser: str = "none"
    ) -> pd.DataFrame:
        """The training documents behind a token, a span, or all of an answer; see `Answer.documents`."""
        return self.answer(generation_id).documents(token, normaliser)

    def sets(self) -> pd.DataFrame:
        """Every target set of every model: name, model, method, against, value (mean log p of a token, nats), n_texts,
        n_tokens, n_documents, n_scored, null_mean, null_std (exact scores of random documents), and how far the index's
        estimates are from these: rank_correlation, estimate_error (raw). No rows where there are none."""
        return sets_of(self._now())

    def set(self, name: str, model: str = "") -> TargetSet:
        """One of the target sets, of one model; without a name, of the smallest. Raises BadInput for another."""
        return set_of(self._now(), name, model)

    def groups(self) -> pd.DataFrame:
        """The groups of documents that a build explains as wholes: column, value, n_documents, the largest first."""
        import pandas as pd

        return pd.DataFrame(
            [asdict(each) for each in groups.groups(self._now(), groups.EVERY)], columns=list(_GROUPS)
        ).rename(columns={"column_name": "column"})

    def moved_by(self, column: str, value: str, unit: str = "answer", model: str = "") -> pd.DataFrame:
        """What a whole source, topic or other group did to every stored answer, the most helped first; of all sizes.

        unit: `answer`, `word` or `token`. [N] generation_id, model, first, last (tokens, both included), moved (what is
        written there), influence, change (nats), error (as in `Answer.groups`), prompt, answer.
        Raises BadInput for a group that is not in the database, another unit, and another model.
        """
        import pandas as pd

        now = self._now()
        if unit not in ("answer", "word", "token"):
            raise BadInput(f"expected 'answer', 'word' or 'token', found {unit!r}; choose one of them")
        known = {(each.column_name, each.value) for each in groups.groups(now, groups.EVERY)}
        if (column, value) not in known:
            raise BadInput(f"expected a group of the database, found {column!r} with {value!r}; see `groups()`")
        rows: list[dict[str, object]] = []
        for of in [self._model(now, model)] if model else answers.models(now):
            run = _chosen(answers.runs(now, of.model_id), "")
            found = groups.moved_by(now, run.run_id, column, value, unit) if run else []
            calibration = influence.calibration(now, run.run_id) if run else None
            for each in found:
                change = change_nats(unit_for(calibration, each.logp, ()), each.score)
                rows.append(asdict(each) | {"model": of.name, "influence": each.score, "change": change})
        return pd.DataFrame(rows, columns=list(_MOVED)).sort_values("influence", ascending=False, ignore_index=True)

    def ask(
        self,
        prompt: str,
        model: str = "",
        foil: str | None = None,
        saliency: Sequence[str] = (),
        save: bool = False,
    ) -> Answer:
        """Let a model go on from a new prompt and trace what it writes, as `whence ask` does, with the same numbers.

        prompt: text, or a line of a prompt file, which begins with `{"`. model: without it, the first of the
        configuration. foil: one token; explains why each token and not this one. saliency: methods. save: keep the
        answer, so that the dashboard lists it. Loads torch and the model, which stays loaded for the next question.

        Raises BadInput for a prompt that does not fit, an unknown model, method or foil, a build whose weights or
        factors are gone, and where kronfluence is missing.
        """
        from indexer.config.installed import installed

        installed("kronfluence")
        from whence.asked import ask

        return ask(self.folder, self._now(), prompt, model, foil, saliency, save)

    def what_if(
        self,
        texts: str | Sequence[str] | Path,
        prompt: str = "",
        *,
        generation_id: str = "",
        model: str = "",
        foil: str | None = None,
        instead_of: str | None = None,
    ) -> WhatIf:
        """What texts that were not trained on would do for an answer, as `whence ask --document` says it.

        texts: one, several, or a file: each row of one that a corpus may be, any other as one text; what is written as
        JSON of a conversation is read as one. The answer is that of a model to a new `prompt` (see `ask`), or a stored
        one, by its generation_id. instead_of: a document_id; one text in the place of that document. Loads torch and
        the model, as `ask` does.

        Raises BadInput for a text that is empty, longer than a million characters or of which nothing would be learned,
        for a document that was not trained on, and for what `ask` refuses.
        """
        from indexer.config.installed import installed

        installed("kronfluence")
        from whence.what_if import what_if

        if generation_id:
            model = model or self.answer(generation_id).model
        return what_if(self.folder, texts, prompt, generation_id, model, foil, instead_of)

    def _now(self) -> Snapshot:
        return self.database.current()

    def _model(self, now: Snapshot, name: str) -> Model:
        known = {each.name: each for each in answers.models(now)}
        if name not in known:
            raise BadInput(f"expected a model of the database, found {name!r}; choose from {', '.join(known)}")
        return known[name]


def _row(of: Generation) -> tuple[object, ...]:
    return (of.generation_id, of.model.name, of.prompt, of.text, of.kind, of.topic, of.answer, of.right, of.created_at)


def _chosen(runs: Sequence[Run], method: str) -> Run | None:
    """The run of a method, without one the first; None where there is no influence at all."""
    if not method:
        return next(iter(runs), None)
    for run in runs:
        if run.method == method:
            return run
    known = ", ".join(run.method for run in runs) or "none"
    raise BadInput(f"expected a method of influence that was computed ({known}), found {method!r}; choose one of them")


def _stored_map(now: Snapshot, generation_id: str, method: str, shape: tuple[int, int]) -> NDArray[np.float64]:
    scores = np.full(shape, np.nan)
    for position, row in prompts.saliency_rows(now, generation_id, method).items():
        for source, score in row.items():
            scores[position, source] = np.nan if score is None else score
    return scores
