"""EDGE: the commands: one function each, its docstring is its help.

What reaches torch is imported after the configuration is read: a mistake in it is answered at once.
"""

from collections.abc import Sequence
from pathlib import Path

from attribution.errors import BadInput, Damaged
from indexer.config.config import Config, Model, lineage, read_config
from indexer.config.installed import installed
from indexer.journal.file_locks import file_locks
from indexer.processes.addresses import check_addresses


def build(config: Path, strict: bool = False, model: Sequence[str] = ()) -> None:
    """Index the corpus for every model and publish the database, smallest model first.

    What is finished is not done again: the same command resumes an interrupted build and updates a changed one. With
    --model, what is finished of the other sizes stays in the database.
    """
    settings = read_config(config)
    chosen = _with_parents(settings, _chosen(settings, model))
    _check_machine()
    from indexer.processes.child import prepare

    prepare()
    from indexer.pipeline.build import run

    run(settings, config, chosen, strict)


def plan(config: Path, model: Sequence[str] = ()) -> None:
    """Say what a build will take, in time, memory and disk; writes nothing.

    First from sizes alone, within seconds, then stage by stage from measurements on a few documents and prompts.
    """
    settings = read_config(config)
    chosen = _with_parents(settings, _chosen(settings, model))
    installed("kronfluence")
    check_addresses()
    from indexer.plan.command import run

    run(settings, chosen)


def train(config: Path, model: Sequence[str] = (), again: bool = False) -> None:
    """Train the models that have a recipe, from scratch or from their parent; seeded and resumable.

    A model that this recipe has made of these documents is left as it is, unless --again.
    """
    settings = read_config(config)
    chosen = [member for member in _chosen(settings, model) if member.recipe is not None]
    file_locks()
    from indexer.training.command import run

    run(settings, chosen, again)


def ask(
    config: Path,
    prompt: str,
    model: str = "",
    foil: str | None = None,
    foil_of: str | None = None,
    saliency: Sequence[str] = (),
    json: bool = False,
    save: bool = False,
) -> None:
    """Let a model go on from a new prompt, and trace what it writes, as a whole and token by token, to the training
    documents.

    A PROMPT that begins with {" is read as a line of a prompt file: a chat, or a question with documents of its own.
    --save keeps the answer, so that the dashboard lists it.
    """
    settings = read_config(config)
    installed("kronfluence")
    check_addresses()
    from indexer.ask.command import run

    run(settings, prompt, model, foil, foil_of, saliency, json, save)


def evaluate(config: Path, model: Sequence[str] = (), quick: bool = False, full: bool = False) -> None:
    """Measure how far the attributions can be trusted, and publish the figures with the database; resumable.

    A recipe of the configuration is trained again on random halves of its documents, and without the documents that are
    blamed; for any model, the documents that state an answer are looked for. For the demo on two cores, --quick (the
    default) is sized for twenty minutes and --full for three hours.
    """
    settings = read_config(config)
    if not settings.scores.method:
        raise BadInput(f"expected a method in {config.name}, scores, to evaluate, found none; name 'ekfac'")
    chosen = _chosen(settings, model)
    _check_machine()
    from indexer.evaluate.command import run

    run(settings, chosen, full)


def convert(model: Path, folder: Path, dtype: str = "float32") -> None:
    """Write a model as a folder of safetensors: a GGUF file that is to be trained further, an adapter with its base.

    MODEL is what [[model]] path takes: a .gguf file, a folder, a hub id, the folder of a LoRA adapter.
    """
    from attribution.loading.load import load_model
    from attribution.loading.save import save

    loaded = load_model(str(model), "cpu")
    save(loaded, folder, dtype)
    print(f"{folder}: {loaded.n_params:,} parameters as {dtype} safetensors")


def check(folder: Path, repair: bool = False) -> None:
    """Compare every file and every row in an output folder with what was written; exit code 4 when one is damaged.

    With --repair what is damaged is dropped, so that the next `build` redoes only that.
    """
    from indexer.database import check as checking
    from indexer.database import repair as repairing
    from indexer.journal.lock import lock

    problems = checking.check(folder)
    for problem in problems:
        print(problem)
    if problems and repair:
        with lock(folder):
            for line in repairing.repair(folder):
                print(line)
        print("dropped; run `python -m indexer build` to redo it")
    elif problems:
        raise Damaged(f"expected {folder} as it was written, found {len(problems)} damages; repair with --repair")
    else:
        print(f"{folder}: all files and rows are as they were written")


def gc(folder: Path, keep: int = 3) -> None:
    """Remove published databases except for the newest ones, and stored results that the newest was not made from:
    those of other prompts or settings, and all of a size that its configuration does not name."""
    from indexer.database.repair import collect
    from indexer.journal.lock import lock

    with lock(folder):
        for path in collect(folder, keep):
            print(f"removed {path.relative_to(folder)}")


def _check_machine() -> None:
    """Raises BadInput, before anything is read or computed, where this system cannot lock, kronfluence is missing, or a
    limit leaves no room for torch."""
    file_locks()
    installed("kronfluence")
    check_addresses()


def _chosen(config: Config, names: Sequence[str]) -> list[Model]:
    known = {member.name: member for member in config.model}
    for name in names:
        if name not in known:
            raise BadInput(f"expected a model of the configuration, found {name!r}; choose from {', '.join(known)}")
    return [member for member in config.model if not names or member.name in names]


def _with_parents(config: Config, chosen: Sequence[Model]) -> list[Model]:
    """A fine-tuned model stands on the builds of all stages before it."""
    needed = [stage for member in chosen for stage in lineage(config, member)]
    return [member for member in config.model if member in needed]
