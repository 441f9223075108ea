"""The configuration: one TOML file, one frozen dataclass; every run is saved with it.

The string below a field says what it means: `docs/configuration.md` is generated from these.
"""

import json
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any

from attribution.errors import BadInput
from attribution.loading.adapter import ALONE, MERGED
from attribution.prompt.saliency.method import computed
from attribution.prompt.text.written import INSTRUCTION
from indexer.config.estimator import estimators
from indexer.config.evaluation import Evaluation
from indexer.config.groups import Groups
from indexer.config.inside import BASELINES, Inside
from indexer.config.places import located, on_parents
from indexer.config.run import Run, check_run
from indexer.config.targets import TargetSet, check_targets
from indexer.config.text_engine import CHOICES
from indexer.config.toml_table import Count, Natural, Positive, Range, Share, Table, check_names, read_toml
from indexer.config.verbatim import Verbatim

LOSSES = ("auto", "all", "assistant")  # as in `attribution.trained.document`
MOST_STAGES = 5  # of training, that influence is traced through


@dataclass(frozen=True)
class Corpus:
    """The training documents: the texts that the model was trained on, or a sample of them."""

    files: tuple[Path, ...] = ()
    """`.jsonl`, `.json`, `.csv` (each also `.gz`), `.parquet`, patterns of such names, folders of `save_to_disk`;
    column `text`, or what conversations are kept in, and optionally `id`, `title`, `source`, `topic`. None where every
    model has `files` of its own."""
    licence: str = ""
    """Shown on the About page."""
    text: tuple[str, ...] = ()
    """Columns to read, here and in a model's `files`: the first that a file has. Empty: `text`, or what conversations
    are kept in."""
    trained_on: Natural = 0
    """Documents of the whole training of which these are a sample, at least as many as these; 0: these are all."""
    window: Natural = 0
    """Tokens that training read at once, at least 2; 0: the model's context."""
    overlap: Natural = 0
    """Tokens of a window that the window before has read, too."""
    long: str = "windows"
    """What became of a document longer than a window: read in `"windows"`, or `"cut"` after the first."""
    loss: str = "auto"
    """What was learned: `"auto"`, of conversations what the assistant says and of anything else all; `"all"`; or
    `"assistant"`."""
    packing: str = "apart"
    """Documents of a packed row of ids: each read `"apart"`, or `"together"`, each after those before it."""
    text_engine: str = "auto"
    """What keeps the text index: `"whoosh"`; `"tantivy"`, an optional package that is many times as fast
    (`requirements-search.txt`); or `"auto"`, tantivy above 100,000 documents where it is installed. Both find the same
    documents."""


@dataclass(frozen=True)
class Recipe:
    """How `whence train` makes a model. Sizes as in Llama; a model without a recipe is not trained."""

    hidden: Count = 64
    """Numbers in a hidden state; a multiple of twice `heads`."""
    layers: Count = 4
    """Blocks of attention and MLP."""
    feed_forward: Count = 172
    """Neurons of each MLP."""
    heads: Count = 4
    """Attention heads of each block."""
    vocabulary: Annotated[int, Range(257)] = 4096
    """Tokens of the tokenizer that is trained on the corpus: the 256 bytes and `<end>` at least."""
    context: Annotated[int, Range(3)] = 256
    """Tokens that the model can read at once."""
    epochs: Count = 20
    """Passes over the documents."""
    peak_rate: Positive = 3e-3
    """Learning rate after the warm-up, from which it falls as a cosine."""
    warmup: Annotated[float, Range(0, 1)] = 0.02
    """Share of all steps in which the rate rises."""
    batch: Count = 32
    """Documents of a step."""
    keep: tuple[Share, ...] = (1.0,)
    """Shares of the epochs after which a checkpoint is kept."""
    bf16: bool = False
    """Train in bfloat16 autocast instead of float32."""
    seed: int = 0
    """Of the first weights and of the order of documents."""


@dataclass(frozen=True)
class Model:
    """One size of a family, or a fine-tuned child of one; a table for each."""

    name: str
    """Names folders and options: letters, digits, `.`, `_` and `-`."""
    family: str
    """Sizes of one family share a tokenizer and are compared with each other."""
    path: str
    """A transformers directory with `.safetensors`, a `.gguf` file, a hub id (with `@revision`), or the directory of a
    LoRA adapter."""
    tokenizer: str = ""
    """A directory or hub id; empty: beside the weights."""
    revision: str = ""
    """Of a hub id: a branch, a tag or a commit."""
    base: str = ""
    """Of a LoRA adapter: what it is merged into; empty: its parent, or what the adapter names."""
    begin: str = "auto"
    """The token before every text, as text; empty: none. `"auto"`: what the tokenizer itself puts there, which may be
    several, or its bos where that is its eos too; nothing before what a chat template writes."""
    end: tuple[str, ...] = ()
    """Tokens as text: the first closes a document, each ends an answer. None: the tokenizer's eos, and the eos ids of
    `generation_config.json`."""
    explain: str = "merged"
    """Of a LoRA adapter: the `"merged"` weights, or the matrices of the `"adapter"` alone, through which only its own
    documents are reached."""
    experts: bool = True
    """Of a mixture of experts: explain each as layers of its own, read by every token; false: leave them out."""
    stage: str = "pretrained"
    """`"pretrained"` or `"finetuned"`."""
    parent: str = ""
    """Of a fine-tuned model: the name of the model that it was made from."""
    checkpoints: tuple[str, ...] = ()
    """Directories of earlier weights, or revisions of the hub id (`"@step3000"`), for estimators that average over
    training."""
    files: tuple[Path, ...] = ()
    """Of a fine-tuned model: its own documents. A pre-trained model was trained on those of `[corpus]`. Pairs (columns
    `chosen` and `rejected`) are a stage by themselves, trained by DPO with the parent as reference."""
    trained_on: Natural = 0
    """Documents of this stage of training of which `files` are a sample, at least as many as they have; 0: they are
    all. Of a pre-trained model it stands in `[corpus]`."""
    loss: str = ""
    """As `loss` of `[corpus]`, for `files`; empty: as there."""
    beta: Positive = 0.1
    """β of DPO, of a model whose `files` hold pairs."""
    reference: str = ""
    """Of a model whose `files` hold pairs: the weights that DPO compared it with, as `path`. Empty: its parent's, or
    those that its adapter stands on."""
    prompts: Path | None = None
    """A file of prompts that is asked instead of that of `[prompts]`."""
    recipe: Recipe | None = None
    """The table `[model.recipe]`."""


@dataclass(frozen=True)
class Prompts:
    """What every model is asked, and what is measured of how it read it."""

    file: Path
    """The prompts, a line each: see [Prompt files](your-data.md#prompt-files)."""
    max_new_tokens: Count = 24
    """Tokens of each answer."""
    longest: Count = 1024
    """Tokens of a prompt with documents; a longer one is cut, with a notice, since the memory for gradients grows with
    the square."""
    saliency: tuple[str, ...] | None = None
    """Saliency methods that `whence build` stores. Without a list: `grad_x_input`, `grad_norm`, `occlusion` and, where
    the model has any, `attention`. `integrated_gradients`, `layer_integrated_gradients` and `shapley` cost some hundred
    passes for each answer."""
    steps: Count = 64
    """Gradients of the integrated methods."""
    template: dict[str, Any] = field(default_factory=dict, hash=False)
    """Variables of the chat template, as `{ enable_thinking = false }`; a prompt's own go before them."""
    instruction: str = INSTRUCTION
    """What stands before the documents of a question."""
    doc_prompt: str = ""
    """The form of one document, with `{ID}`, `{T}` and `{P}` for its number, title and text, as MIRAGE's configurations
    have it; empty: `[1] title`, then the text."""
    masks: Natural = 64
    """Versions of a prompt with documents left out, which citations and their checks rest on; 0 is none."""


@dataclass(frozen=True)
class FactorSettings:
    """The fit of the curvature."""

    documents: Count = 2000
    """Random documents that the curvature is fitted on."""
    eigenvalue_documents: Count = 500
    """Of these, those that the corrected eigenvalues are fitted on; where layers are large, each costs ten times a
    plain pass."""
    seed: int = 0
    """Of the sample and of the sampled labels."""
    layers: tuple[str, ...] = ()
    """Patterns of module names, as `["*.mlp.*"]`; none: every linear layer of attention and MLP."""
    embedding: bool = True
    """The embedding and the head as blocks of their own."""


@dataclass(frozen=True)
class Index:
    """The gradient index, which proposes candidates."""

    rank: Positive = 2.0
    """Size of the index: bytes a document as for so many singular triplets of every layer."""
    candidates: Count = 40
    """Documents that it proposes for the exact score of each token; half as many against it and by cosine, a quarter by
    hidden state."""


@dataclass(frozen=True)
class ScoreSettings:
    """Which influence is computed, and what is kept of it."""

    method: tuple[str, ...] = ("ekfac", "ekfac_checkpoints")
    """Estimators, each a run of its own, `ekfac` first; none: no influence. `ekfac_checkpoints` is the mean over a
    size's `checkpoints`, which [agrees better with retraining](evaluation.md#what-was-measured-for-the-demo) and costs
    a fit and an influence stage for each of them; sizes without checkpoints leave it out."""
    checkpoint_weights: tuple[Annotated[float, Range(0)], ...] = ()
    """Weights in `ekfac_checkpoints` of a size's `checkpoints`, and last of the model itself; none: equal."""
    linear_weight: Positive = 1.0
    """What the linear layers count beside the embedding in `ekfac_checkpoints`; the demo's 0.25
    [agrees better with retraining](evaluation.md#what-was-measured-for-the-demo)."""
    candidates: Count = 100
    """Documents that the text index proposes for each answer."""
    documents: Count = 20
    """Documents kept at either end of a ranking."""
    position_shares: Natural = 10
    """Top documents of a token that are split by position."""
    token_losses: Natural = 3
    """Of these, those with token-loss influence and relabelling: a forward-mode pass for each token. Other estimators
    that are linear in the query have the first of both, for whole answers, where `words` is on."""
    words: bool = True
    """The words of every answer, and the whole answer, as targets of their own beside its tokens."""
    whole_answers: bool = False
    """Other estimators than `ekfac` score for every token of an answer the documents that are proposed for the whole
    answer and its words, none for the token alone: that takes them about half the time."""
    rank: Natural = 0
    """Of the position shares; 0 is full rank, at which they add up to the score. Another one cuts each stage's
    directions in the eigenbasis of that stage: it pays for layers of a few hundred numbers with documents of thousands
    of tokens, and the page says which part of a score no position resolves."""
    damping: Positive = 0.1
    """λ, times the mean eigenvalue of each layer."""
    alpha: Positive = 0.1
    """α, the same for the pull of a fine-tuned model towards its parent; where it learned from pairs, times the mean
    eigenvalue of the parent's layer."""

    cg_steps: Count = 10
    """Of `ekfac_cg`: steps of conjugate gradients for each token, at most. A step takes as long as 3.3 passes over
    `cg_documents`, for each token anew; `plan` counts them. One step is `ekfac`, times a number."""
    cg_documents: Count = 200
    """Of `ekfac_cg`: training documents whose Gauss–Newton matrix is solved with, drawn with `[factors] seed`."""

    def of_tokens(self) -> dict[str, Any]:
        """What the scores of tokens depend on: all but `words`, and what concerns other estimators alone."""
        others = ("words", "whole_answers", "cg_steps", "cg_documents")
        return {name: value for name, value in asdict(self).items() if name not in others}


@dataclass(frozen=True)
class Output:
    """Where the database is published."""

    folder: Path
    """Everything that a build makes lies in it; `whence serve`, `whence check` and `whence gc` take it."""


@dataclass(frozen=True)
class Device:
    """What the build computes on."""

    name: str = "auto"
    """A device of torch, as `"cpu"` or `"cuda"`; `"auto"`: CUDA where there is one."""
    dtype: str = "auto"
    """`"auto"` is float32. `"bfloat16"`: weights and passes of large models; logits, factors, solves and sums stay
    float32."""
    memory: Annotated[float, Range(0)] = 0.0
    """GB that all processes of a command may use together; 0: a quarter of what is free. Less memory costs time, not
    accuracy."""
    processes: Natural = 0
    """Sizes that `build` works on side by side. 0: one for each core, as many as fit into memory; a single one where
    a model has more than 50 million parameters, whose matrices fill all cores, and on CUDA."""


@dataclass(frozen=True, kw_only=True)
class Config:
    """Everything that a build depends on. Paths are absolute after reading."""

    corpus: Corpus = field(default_factory=Corpus)
    model: tuple[Model, ...]
    prompts: Prompts
    output: Output
    factors: FactorSettings = field(default_factory=FactorSettings)
    index: Index = field(default_factory=Index)
    scores: ScoreSettings = field(default_factory=ScoreSettings)
    inside: Inside = field(default_factory=Inside)
    verbatim: Verbatim = field(default_factory=Verbatim)
    groups: Groups = field(default_factory=Groups)
    targets: tuple[TargetSet, ...] = ()
    evaluation: Evaluation = field(default_factory=Evaluation)
    device: Device = field(default_factory=Device)
    run: Run = field(default_factory=Run)


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
    alone = all(model.stage == "finetuned" for model in config.model)
    if not config.corpus.files and not alone:
        raise BadInput(f"expected at least one file in {path.name}, corpus, files, found none; name one")
    first = next(iter(estimators()))
    if config.scores.method and config.scores.method[0] != first:
        raise BadInput(f"expected {first!r} as the first method in {path.name}, scores, found {config.scores.method!r}")
    _check_corpus(config, path)
    check_targets(config.targets, path)
    check_run(config.run, path)
    if config.inside.baseline not in BASELINES:
        allowed = " or ".join(map(repr, BASELINES))
        raise BadInput(f"expected {allowed} for {path.name}, inside, baseline, found {config.inside.baseline!r}")
    for method in config.prompts.saliency or ():
        if method not in computed():
            raise BadInput(f"expected methods of {', '.join(computed())} in {path.name}, prompts, found {method!r}")
    for method in config.scores.method:
        if method not in estimators():
            raise BadInput(f"expected a method of {', '.join(estimators())} in {path.name}, scores, found {method!r}")
        if config.scores.method.count(method) > 1:
            raise BadInput(f"expected every method once in {path.name}, scores, found {method!r} twice; take one out")
    check_names(names, "model name", path.name, "folders")
    for model in config.model:  # of all, before `lineage` follows any of them
        if model.parent and model.parent not in names:
            raise BadInput(f"expected the parent of {model.name} among the models, found {model.parent!r}; name one")
    for model in config.model:
        _check_recipe(model)
        if model.stage not in ("pretrained", "finetuned"):
            raise BadInput(f"expected stage 'pretrained' or 'finetuned' for {model.name}, found {model.stage!r}")
        if model.explain not in (MERGED, ALONE):
            raise BadInput(f"expected explain '{MERGED}' or '{ALONE}' for {model.name}, found {model.explain!r}")
        if model.explain != ALONE and any(of.name == model.parent and of.explain == ALONE for of in config.model):
            raise BadInput(
                f"expected a parent of {model.name} that is explained in its own weights, found an adapter explained "
                f"alone; set explain = '{MERGED}' for {model.parent}"
            )
        if model.parent and model.stage != "finetuned":
            raise BadInput(f"expected stage 'finetuned' for {model.name}, which has a parent, found {model.stage!r}")
        if len(lineage(config, model)) > MOST_STAGES:
            raise BadInput(f"expected at most {MOST_STAGES} stages of training, found more for {model.name}; drop some")
        if (model.stage == "finetuned") != bool(model.files):
            found = "files" if model.files else "no files"
            raise BadInput(f"expected files for a fine-tuned model and for no other, found {found} for {model.name}")
        if model.trained_on and not model.files:
            raise BadInput(
                f"expected trained_on beside the files that it is told of, found it in the [[model]] {model.name}, "
                "which has none; put it in [corpus]"
            )
        _check_weights(config, model, path)


def _check_weights(config: Config, model: Model, path: Path) -> None:
    """Of the checkpoints: one list for all sizes that are averaged over theirs."""
    weights, n = config.scores.checkpoint_weights, len(model.checkpoints) + 1
    if not weights or n == 1 or len(lineage(config, model)) > 1:
        return
    if len(weights) != n:
        raise BadInput(
            f"expected {n} checkpoint_weights in {path.name}, scores, one for each checkpoint of {model.name} and one "
            f"for the model itself, found {len(weights)}; change them, or name as many checkpoints of every size"
        )
    if not sum(weights):
        raise BadInput(f"expected checkpoint_weights above 0 in {path.name}, scores, found none; change one")


def _check_corpus(config: Config, path: Path) -> None:
    corpus = config.corpus
    allowed = {"long": ("windows", "cut"), "loss": LOSSES, "packing": ("apart", "together"), "text_engine": CHOICES}
    found = [(f"{path.name}, corpus, {name}", name, getattr(corpus, name)) for name in allowed]
    found += [(f"{path.name}, model {of.name}, loss", "loss", of.loss) for of in config.model if of.loss]
    for where, name, value in found:
        if value not in allowed[name]:
            raise BadInput(f"expected {' or '.join(map(repr, allowed[name]))} for {where}, found {value!r}")
    if corpus.window == 1:
        raise BadInput(
            f"expected a window of at least 2 tokens, or 0, in {path.name}, corpus, found 1, of which nothing is "
            "learned; set it as training had it"
        )
    if corpus.overlap and corpus.overlap >= corpus.window:
        raise BadInput(f"expected an overlap below window in {path.name}, corpus, found {corpus.overlap}; set window")


def lineage(config: Config, model: Model) -> list[Model]:
    """The stages of a model's training that are models of the configuration and explained with it, the first one first.

    Those before an adapter that is explained alone are not: its matrices were not there yet.
    Raises BadInput where a model descends from itself.
    """
    found = [model]
    while found[0].parent and found[0].explain != ALONE:
        parent = next(each for each in config.model if each.name == found[0].parent)
        if parent in found:
            raise BadInput(
                f"expected a parent of {model.name} from an earlier stage, found {parent.name!r}; name another"
            )
        found.insert(0, parent)
    return found


def _check_recipe(model: Model) -> None:
    recipe = model.recipe
    if recipe is not None and recipe.hidden % (2 * recipe.heads):  # rotary positions turn pairs of numbers
        raise BadInput(
            f"expected hidden to be a multiple of 2 × heads for {model.name}, found hidden = {recipe.hidden} and "
            f"heads = {recipe.heads}; change one"
        )
