"""The configuration: one TOML file, one frozen dataclass; every run is saved with it (design, section 4.1)."""

import json
import os
import re
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Annotated

from attribution.errors import BadInput
from indexer.config.places import located, on_parents
from indexer.config.toml_table import Count, Natural, Positive, Range, Share, Table, read_toml

SALIENCY = (  # methods of `attribution.prompt.saliency.saliency`, named here too: a mistake is answered without torch
    *("grad_norm", "grad_x_input", "integrated_gradients", "layer_integrated_gradients"),
    *("occlusion", "shapley", "attention"),
)
METHODS = ("ekfac", "ekfac_checkpoints", "tracin", "gradient_dot", "gradient_cosine", "hidden_cosine", "bm25")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,60}")  # of a model: it names folders


@dataclass(frozen=True)
class Corpus:
    """Training documents: `.jsonl`, `.parquet` or `.csv` with a `text` column."""

    files: tuple[Path, ...]
    licence: str = ""


@dataclass(frozen=True)
class Recipe:
    """How `train` makes a model. Sizes as in Llama; rates are peaks of a cosine schedule."""

    hidden: Count = 64
    layers: Count = 4
    feed_forward: Count = 172
    heads: Count = 4
    vocabulary: Annotated[int, Range(257)] = 4096  # the 256 bytes and <end> at least
    context: Annotated[int, Range(3)] = 256
    epochs: Count = 20
    peak_rate: Positive = 3e-3
    warmup: Annotated[float, Range(0, 1)] = 0.02  # share of all steps
    batch: Count = 32  # documents
    keep: tuple[Share, ...] = (1.0,)  # shares of the epochs after which a checkpoint is kept
    bf16: bool = False
    seed: int = 0


@dataclass(frozen=True)
class Model:
    """One size of a family, or a fine-tuned child of one."""

    name: str
    family: str
    path: str  # directory, .gguf file, hub id (with @revision), or directory of a LoRA adapter
    tokenizer: str = ""  # a directory or hub id; "": beside the weights
    revision: str = ""  # of a hub id: a branch, a tag or a commit
    base: str = ""  # of a LoRA adapter: what it is merged into; "": its parent, or what the adapter names
    stage: str = "pretrained"
    parent: str = ""
    checkpoints: tuple[str, ...] = ()  # directories, or revisions of a hub id: "@step3000"
    files: tuple[Path, ...] = ()  # fine-tuning documents; a pre-trained model was trained on [corpus]
    prompts: Path | None = None  # asked instead of [prompts] file
    recipe: Recipe | None = None


@dataclass(frozen=True)
class Prompts:
    file: Path
    max_new_tokens: Count = 24
    longest: Count = 1024  # tokens of a prompt with documents: memory for gradients grows with the square of them
    saliency: tuple[str, ...] = ("grad_x_input", "grad_norm", "occlusion", "attention")  # what `build` stores
    steps: Count = 64  # gradients of the integrated methods
    masks: Natural = 64  # versions of a prompt with documents left out, for ContextCite; 0: no ablations


@dataclass(frozen=True)
class Factors:
    documents: Count = 2000
    eigenvalue_documents: Count = 500  # of these; each costs ten times as much where layers are large
    seed: int = 0
    layers: tuple[str, ...] = ()  # patterns of module names; none: every linear layer of attention and MLP
    embedding: bool = True  # the tied embedding and head as one more block


@dataclass(frozen=True)
class Index:
    rank: Positive = 2.0  # size of the gradient index: as of so many singular triplets of every layer of a document
    candidates: Count = 40  # documents that it proposes for the exact score of each token; half as many against it


@dataclass(frozen=True)
class Scores:
    # each is a run of its own; ekfac_checkpoints where a size has checkpoints; none: no influence
    method: tuple[str, ...] = ("ekfac", "ekfac_checkpoints")
    checkpoint_weights: tuple[float, ...] = ()  # of ekfac_checkpoints; none: equal
    linear_weight: Positive = 1.0  # of ekfac_checkpoints: what linear layers count beside the embedding
    candidates: Count = 100  # documents that the text index proposes for each answer
    documents: Count = 20  # kept at either end of the ranking
    position_shares: Natural = 10  # of these, at the top, with the share of every position
    token_losses: Natural = 3  # with token-loss influence and relabelling: a forward-mode pass for each query
    rank: Natural = 32  # of the position shares; 0: full rank
    damping: Positive = 0.1  # times the mean eigenvalue of each layer
    alpha: Positive = 0.1  # the same for the pull of a fine-tuned model towards its parent


@dataclass(frozen=True)
class Output:
    folder: Path


@dataclass(frozen=True)
class Device:
    name: str = "auto"
    dtype: str = "auto"
    processes: Natural = 0  # sizes that `build` works on at a time; 0: one for each core, on CUDA one

    def at_once(self, kind: str) -> int:
        """Processes that may share a device of this kind."""
        return self.processes or (1 if kind == "cuda" else os.cpu_count() or 1)


@dataclass(frozen=True)
class Config:
    """Everything that a build depends on. Paths are absolute after reading."""

    corpus: Corpus
    model: tuple[Model, ...]
    prompts: Prompts
    output: Output
    factors: Factors = field(default_factory=Factors)
    index: Index = field(default_factory=Index)
    scores: Scores = field(default_factory=Scores)
    device: Device = field(default_factory=Device)


def described(config: Config) -> str:
    """The configuration as JSON, as every database keeps it; `restored` reads it back."""
    return json.dumps(asdict(config), default=str)


def restored(text: str) -> Config:
    """The configuration of a database, with the absolute paths that it was built with; BadInput if it is not one."""
    try:
        values = json.loads(text)
    except json.JSONDecodeError:
        raise BadInput(
            "expected the configuration of a build in the database, found something else; build it again"
        ) from None
    config: Config = Table(values, Config, where="the database's configuration", folder=Path("/")).build()
    return config


def read_config(path: Path) -> Config:
    """Read and check a TOML file; raises BadInput for whatever does not fit, with the place and the nearest key."""
    table = Table(read_toml(path), Config, where=path.name, folder=path.parent.resolve())
    config: Config = table.build()
    folder = path.parent.resolve()
    models = tuple(located(model, folder) for model in config.model)
    config = replace(config, model=on_parents(models, folder))
    _check(config, path)
    return config


def _check(config: Config, path: Path) -> None:
    names = [model.name for model in config.model]
    if not names:
        raise BadInput(f"expected at least one [[model]] in {path.name}, found none; add one")
    if not config.corpus.files:
        raise BadInput(f"expected at least one file in {path.name}, corpus, files, found none; name one")
    if config.scores.method and config.scores.method[0] != METHODS[0]:
        raise BadInput(f"expected 'ekfac' as the first method in {path.name}, scores, found {config.scores.method!r}")
    for method in config.prompts.saliency:
        if method not in SALIENCY:
            raise BadInput(f"expected methods of {', '.join(SALIENCY)} in {path.name}, prompts, found {method!r}")
    for method in config.scores.method:
        if method not in METHODS:
            raise BadInput(f"expected a method of {', '.join(METHODS)} in {path.name}, scores, found {method!r}")
    for model in config.model:
        _check_recipe(model)
        if not _NAME.fullmatch(model.name):
            raise BadInput(
                f"expected a model name of letters, digits, '.', '_' and '-' in {path.name}, found {model.name!r}; "
                "rename it: folders are named by it"
            )
        if names.count(model.name) > 1:
            raise BadInput(f"expected every model name once in {path.name}, found {model.name!r} twice; rename one")
        if model.stage not in ("pretrained", "finetuned"):
            raise BadInput(f"expected stage 'pretrained' or 'finetuned' for {model.name}, found {model.stage!r}")
        if model.stage == "finetuned" and model.parent not in names:
            raise BadInput(f"expected the parent of {model.name} among the models, found {model.parent!r}; name one")
        if (model.stage == "finetuned") != bool(model.files):
            found = "files" if model.files else "no files"
            raise BadInput(f"expected files for a fine-tuned model and for no other, found {found} for {model.name}")


def _check_recipe(model: Model) -> None:
    recipe = model.recipe
    if recipe is not None and recipe.hidden % (2 * recipe.heads):  # rotary positions turn pairs of numbers
        raise BadInput(
            f"expected hidden to be a multiple of 2 × heads for {model.name}, found hidden = {recipe.hidden} and "
            f"heads = {recipe.heads}; change one"
        )
