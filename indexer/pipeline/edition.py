"""EDGE: what the next published database is made of: it grows with every size that is built."""

from collections.abc import Mapping, Sequence

from indexer.config.config import Config
from indexer.corpus.prompt import Prompt
from indexer.database.evaluations import evaluation_parts
from indexer.figures.stage import Figures, figure_parts
from indexer.journal.stages import Finished
from indexer.pipeline.described import coverage_part
from indexer.pipeline.readings import Readings
from indexer.pipeline.report.summary import Built
from indexer.pipeline.shared import prompt_part
from indexer.sets.texts import texts_part
from indexer.size.answers import Answer, answers
from indexer.size.member import Member


class Edition:
    """Documents, prompts, measures, sizes, and what each size would have said in the place of the others."""

    def __init__(
        self,
        config: Config,
        shared: Sequence[Finished],
        asked: Mapping[str, Sequence[Prompt]],
        figures: Figures = (),
    ) -> None:
        """shared: what all sizes need of the documents   asked: the prompts of every size that is to be built; their
        rows stand before the sizes are finished   figures: measured elsewhere, of some of the sizes."""
        self._config, self._shared, self._figures = config, shared, figures
        self._asked = dict(asked)
        self._sizes: list[Finished] = []
        self._members: list[Member] = []
        self._readings = Readings(config.output.folder, self._answers)

    def add(self, member: Member, made: Built, prompts: Sequence[Prompt]) -> None:
        self._asked[made.name] = prompts
        self._members.append(member)
        self._sizes += made.parts
        self._readings.add(member)

    def parts(self) -> list[Finished]:
        """Everything that there is so far."""
        folder = self._config.output.folder
        names = [entry.name for entry in self._config.model if entry.name in self._asked]
        prompts = {prompt.prompt_id: prompt for name in names for prompt in self._asked[name]}
        model_ids = [member.loaded.weights_hash for member in self._members]
        given = [each for each in self._figures if each[1].weights in model_ids]
        measures = [*evaluation_parts(folder, model_ids), *figure_parts(folder, given)]
        asked = prompt_part(folder, list(prompts.values()))
        shared = [*self._shared, asked, *texts_part(folder, self._config)]
        covered = [coverage_part(folder, member) for member in self._members if self._config.scores.method]
        return [*shared, *measures, *covered, *self._sizes, *self._readings.parts]

    def _answers(self, member: Member) -> Sequence[Answer]:
        """They are found, not made."""
        return answers(self._config.output.folder, member, self._asked[member.entry.name], lambda _n: None)[0]
