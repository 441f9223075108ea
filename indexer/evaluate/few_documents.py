"""EDGE: a sibling on few documents, where more can be known: its training is gone back through step by step, and single
documents are left out and doubled with many seeds."""

from dataclasses import asdict
from pathlib import Path

from indexer.config.config import Recipe
from indexer.evaluate.measures.lds_figures import lds_figures
from indexer.evaluate.measures.single import single_figures
from indexer.evaluate.protocol.published import measured_at
from indexer.evaluate.protocol.queries import of_document
from indexer.evaluate.protocol.scale import KEEP, Scale, small_recipe
from indexer.evaluate.scoring.predicted import predicted_by
from indexer.evaluate.siblings.halves import chosen, queries
from indexer.evaluate.siblings.retrainings import Parts, retrain_parts
from indexer.evaluate.siblings.siblings import Planned, train_siblings
from indexer.evaluate.siblings.unroll import unrolled
from indexer.evaluate.singles import singles
from indexer.evaluate.statistics.figures import Figure
from indexer.journal.stages import key
from indexer.processes.progress import Reporter
from indexer.size.member import Member

UNROLLED = "unrolled, every step"


def measure_few_documents(
    folder: Path, of: Member, recipe: Recipe, scale: Scale, n_processes: int, report: Reporter
) -> None:
    """LDS beside that of the exact derivative, and single documents; nothing at a scale without a small sibling."""
    small = scale.small
    if small is None:
        return
    made = small_recipe(recipe, small)
    documents = tuple(of.documents[i] for i in chosen(len(of.documents), small.documents, scale.seed))
    planned = Planned(f"{len(documents)}-few", small_recipe(recipe, small, keep=KEEP), documents)
    [sibling] = train_siblings(folder, of, [planned], n_processes, report)
    own = queries(len(documents), small.queries, scale.seed)
    with report.task(f"{sibling.entry.name}: models on random halves", small.halves * small.seeds) as task:
        halves = Parts((small.halves,) * small.seeds, scale.seed)
        by_seed = retrain_parts(folder, sibling, made, halves, own, n_processes, task.tick)
    asked = [of_document(sibling, int(i)) for i in own]
    predicted = predicted_by(folder, sibling, asked, "few", report)
    exact, unrolled_key = unrolled(folder, sibling, made, asked, n_processes, report)
    by_method = {**predicted.by_method, UNROLLED: exact}
    single = singles(folder, sibling, made, asked, by_method, small.singles, small.single_seeds, n_processes, report)
    name = f"{sibling.entry.name}, {len(documents)} documents, {made.epochs} epochs, {len(asked)} queries"

    def measure() -> list[Figure]:
        how = f"{small.halves} models on random halves of {name}, mean of {small.seeds} seeds"
        found = lds_figures(by_method, by_seed, how, "small_lds", "small_lds_without_self")
        how = f"{small.singles} documents that methods disagree about, {small.single_seeds} seeds each; {name}"
        return found + single_figures(single, how)

    about = {"small": asdict(small), "seed": scale.seed, "recipe": recipe, "ceiling": "by query"}
    made_of = key(predicted=predicted.key, unrolled=unrolled_key, **about)
    measured_at(scale, folder, "few-documents", of, made_of, measure, recipe)
