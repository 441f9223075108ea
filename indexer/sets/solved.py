"""EDGE: target sets of `ekfac_cg`: the same texts, solved with all blocks together, as rows of its run."""

from collections.abc import Callable, Sequence
from pathlib import Path

from torch import Tensor

from attribution.query.directions import Directions
from attribution.query.many import Gradient, solved_gradient
from indexer.groups.grouped import Grouped
from indexer.journal.part import Partition
from indexer.journal.stages import Finished, stage
from indexer.sets.scored import scored_set
from indexer.sets.stage import key_of, write_set
from indexer.sets.texts import ReadSet
from indexer.solved.whole import Whole, residuals, whole_of
from indexer.tracing.traced import Traced


def solved_set_stage(
    folder: Path,
    traced: Traced,
    sets: Sequence[ReadSet],
    run: str,
    tick: Callable[[int], None] = lambda n: None,
    grouped: Grouped | None = None,
    say: Callable[[str], None] = lambda line: None,
) -> list[Finished]:
    """Shards of every set for the run of `ekfac_cg`, `tick(1)` after each; which documents are scored exactly the
    estimates say, as for the first run.    say: how far a query came
    """
    by_name = {each.of.name: each for each in sets}

    def compute(part: Partition) -> None:
        whole, left = whole_of(traced.fitted), list[Tensor]()
        name = str(part.value)

        def solve(gradient: Gradient) -> Directions:
            directions, residual = whole.solve(unsolved(whole, gradient))
            left.append(residual)
            return directions

        write_set(part.folder, run, traced, scored_set(traced, by_name[name], solve=solve), grouped)
        [residual] = residuals(left)
        say(f"{name}: {whole.inverse.steps} steps of conjugate gradients leave {residual:.2g} of its gradient")

    name = f"set-ekfac_cg-{traced.fitted.member.entry.name}"
    made_of = {each.of.name: key_of(traced.fitted, each, grouped, solved=run) for each in sets}
    return stage(folder, name, made_of, list(by_name), compute, away=True, done=lambda *_: tick(1))


def unsolved(whole: Whole, gradient: Gradient) -> Directions:
    """∇f itself as one query, every vocabulary row of it."""
    term = whole.unsolved
    return solved_gradient(term.asked, term.preconditioner, gradient, negligible=0.0)
