"""The configuration: one TOML file, one frozen dataclass; every run is saved with it (design, section 4.1)."""

import json
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from attribution.errors import BadInput
from indexer.toml_table import Table, read_toml


@dataclass(frozen=True)
class Corpus:
    """Training documents: `.jsonl`, `.parquet` or `.csv` with a `text` column."""

    files: tuple[Path, ...]
    licence: str = ""


@dataclass(frozen=True)
class Recipe:
    """How `train` makes a model. Sizes as in Llama; rates are peaks of a cosine schedule."""

    hidden: int = 64
    layers: int = 4
    feed_forward: int = 172
    heads: int = 4
    vocabulary: int = 4096
    context: int = 256
    epochs: int = 20
    peak_rate: float = 3e-3
    warmup: float = 0.02  # share of all steps
    batch: int = 32  # documents
    keep: tuple[float, ...] = (1.0,)  # shares of the epochs after which a checkpoint is kept
    bf16: bool = False
    seed: int = 0
    files: tuple[Path, ...] = ()  # fine-tuning documents; pre-training reads [corpus]


@dataclass(frozen=True)
class Model:
    """One size of a family, or a fine-tuned child of one."""

    name: str
    family: str
    path: str  # directory, hub id or .gguf file
    stage: str = "pretrained"
    parent: str = ""
    checkpoints: tuple[Path, ...] = ()
    recipe: Recipe | None = None


@dataclass(frozen=True)
class Prompts:
    file: Path
    max_new_tokens: int = 24


@dataclass(frozen=True)
class Factors:
    documents: int = 2000
    seed: int = 0
    layers: tuple[str, ...] = ()  # patterns of module names; none: every linear layer of attention and MLP
    embedding: bool = True  # the tied embedding and head as one more block


@dataclass(frozen=True)
class Scores:
    method: str = "ekfac"
    candidates: int = 200
    documents: int = 20  # kept at either end of the ranking, and at the top with position shares
    token_losses: int = 5  # of these, with token-loss influence and relabelling: a pass for each query
    rank: int = 32  # of the position shares; 0: full rank
    damping: float = 0.1  # times the mean eigenvalue of each layer


@dataclass(frozen=True)
class Output:
    folder: Path


@dataclass(frozen=True)
class Device:
    name: str = "auto"
    dtype: str = "auto"


@dataclass(frozen=True)
class Config:
    """Everything that a build depends on. Paths are absolute after reading."""

    corpus: Corpus
    model: tuple[Model, ...]
    prompts: Prompts
    output: Output
    factors: Factors = field(default_factory=Factors)
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
    _check(config, path)
    return replace(config, model=tuple(_located(model, path.parent.resolve()) for model in config.model))


def _located(model: Model, folder: Path) -> Model:
    """A path that exists beside the configuration, or is to be trained there; anything else is a hub id."""
    local = folder / model.path
    return replace(model, path=str(local)) if local.exists() or model.recipe is not None else model


def _check(config: Config, path: Path) -> None:
    names = [model.name for model in config.model]
    if not names:
        raise BadInput(f"expected at least one [[model]] in {path.name}, found none; add one")
    for model in config.model:
        if names.count(model.name) > 1:
            raise BadInput(f"expected every model name once in {path.name}, found {model.name!r} twice; rename one")
        if model.stage not in ("pretrained", "finetuned"):
            raise BadInput(f"expected stage 'pretrained' or 'finetuned' for {model.name}, found {model.stage!r}")
        if model.stage == "finetuned" and model.parent not in names:
            raise BadInput(f"expected the parent of {model.name} among the models, found {model.parent!r}; name one")
