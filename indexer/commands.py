"""EDGE: the commands: one function each, its docstring is its help.

What reaches torch is imported after the configuration is read: a mistake in it is answered at once.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from attribution.errors import BadInput, Damaged
from attribution.prompt.saliency.method import check_methods
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
    document: Path | None = None,
    instead_of: str | None = None,
    json: bool = False,
    save: bool = False,
    exact: bool = False,
) -> None:
    """Let a model go on from a new prompt, and trace what it writes, as a whole and token by token, to the training
    documents.

    A PROMPT that begins with {" is read as a line of a prompt file: a chat, or a question with documents of its
    own. --save keeps the answer, so that the dashboard lists it. --exact solves every query with all layers
    together, by conjugate gradients (`ekfac_cg`), which takes as long as `[scores] cg_steps` and `cg_documents`
    say. With --document it is asked instead what texts that were not trained on would do for the answer: the rows
    of a file as a corpus has them, or any other file as one text.
    """
    settings = read_config(config)
    _check_document(document, instead_of, {"--saliency": bool(saliency), "--save": save, "--exact": exact})
    check_methods(saliency)
    installed("kronfluence")
    check_addresses()
    if document is not None:
        from indexer.whatif.command import run as what_if

        what_if(settings, prompt, model, foil, foil_of, document, instead_of, json)
        return
    from indexer.ask.command import run

    run(settings, prompt, model, foil, foil_of, saliency, json, save, exact)


def evaluate(
    config: Path, model: Sequence[str] = (), quick: bool = False, full: bool = False, save: Path | None = None
) -> None:
    """Measure how far the attributions can be trusted, and publish the figures with the database; resumable.

    A recipe of the configuration is trained again on random halves of its documents, and without the documents that are
    blamed; for any model, the documents that state an answer are looked for. For the demo on two cores, --quick (the
    default) is sized for twenty minutes and --full for five hours. What --save writes gives the figures to builds
    elsewhere, as [evaluation] figures.
    """
    settings = read_config(config)
    if not settings.scores.method:
        raise BadInput(f"expected a method in {config.name}, scores, to evaluate, found none; name 'ekfac'")
    chosen = _chosen(settings, model)
    if save is not None:
        from indexer.figures.file import read_figures
        from indexer.outputs import check_output

        check_output(save, "--save")
        try:
            if save.exists():
                read_figures(save)  # those of other models will stay
        except BadInput as error:
            raise BadInput(f"{error}, or give another name for --save") from None
    _check_machine()
    from indexer.evaluate.command import run

    scale = "full" if full else "quick"
    run(settings, chosen, full, save, f"whence evaluate {config.name} --{scale}")


def select(
    config: Path,
    target: str,
    keep: str,
    model: str = "",
    out: Path | None = None,
    diverse: bool = False,
    candidates: Path | None = None,
) -> None:
    """Choose documents for a target set of the configuration: which to keep, to drop or to look at, after a build.

    Kept are the best that help, by exact score as far as a build has scored them, else by what the gradient index
    estimates. With --candidates, the texts of a file that the model was not trained on are scored exactly instead:
    which are worth adding.
    """
    settings = read_config(config)
    if out is not None:
        from indexer.outputs import check_output, inputs_of

        if out.suffix != ".jsonl":
            raise BadInput(f"expected a file named .jsonl for --out, found {out}; rename it")
        check_output(out, "--out", [config, *([candidates] if candidates else []), *inputs_of(settings)])
    installed("kronfluence")
    check_addresses()
    from indexer.select.command import run

    run(settings, target, keep, model, out, diverse, candidates)


def convert(model: Path, folder: Path, dtype: str = "float32") -> None:
    """Write a model as a folder of safetensors: a GGUF file that is to be trained further, an adapter with its base.

    MODEL is what [[model]] path takes: a .gguf file, a folder, a hub id, the folder of a LoRA adapter.
    """
    from attribution.loading.load import load_model
    from attribution.loading.save import check_place, save

    check_place(folder, dtype)
    loaded = load_model(str(model), "cpu")
    save(loaded, folder, dtype)
    print(f"{folder}: {loaded.n_params:,} parameters as {dtype} safetensors")


def check(folder: Path, repair: bool = False) -> None:
    """Compare every file and every row in an output folder with what was written; exit code 4 when one is damaged.

    With --repair what is damaged is dropped, so that the next `whence build` redoes only that.
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
        print("dropped; run `whence build` to redo it")
    elif problems:
        raise Damaged(f"expected {folder} as it was written, found {len(problems)} damages; repair with --repair")
    else:
        print(f"{folder}: all files and rows are as they were written")


def bring(folder: Path, storage: str) -> None:
    """Copy the database that is current in an object store (`[run] storage`) into FOLDER, which the dashboard opens.

    What FOLDER had before stays there until `whence gc`; an open dashboard goes over to the new database.
    """
    from indexer.engines.bring import run

    run(folder, storage)


def gc(folder: Path, keep: int = 3) -> None:
    """Remove published databases except for the newest ones, and stored results that the newest was not made from:
    those of other prompts or settings, and all of a size that its configuration does not name."""
    from indexer.database.check import check_folder
    from indexer.database.repair import collect
    from indexer.journal.lock import lock

    if keep < 1:
        raise BadInput(f"expected at least 1 database for --keep, found {keep}; the current one always stays")
    check_folder(folder)
    with lock(folder):
        for path in collect(folder, keep):
            print(f"removed {path.relative_to(folder)}")


def _check_document(document: Path | None, instead_of: str | None, beside: Mapping[str, bool]) -> None:
    """Raises BadInput for options of `ask` that say nothing together.    beside: those of a prompt alone"""
    if document is None and instead_of is not None:
        raise BadInput("expected a text that --instead-of puts in a document's place, found none; give --document FILE")
    given = [name for name, is_given in beside.items() if is_given and document is not None]
    if given:
        raise BadInput(f"expected --document without {' and '.join(given)}, found both; leave one out")


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
