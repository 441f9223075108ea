"""EDGE: a first forecast within seconds: shapes from the configurations, sizes from the files; no weight is read."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from attribution.errors import BadInput
from attribution.loading.adapter import MERGED
from attribution.loading.load import LoadedModel
from attribution.loading.outline import outline
from attribution.model.layers import Layer, choose_layers
from attribution.model.tracked import Tracked, embedding_layers
from indexer.config.config import Config, Model, lineage
from indexer.config.estimator import estimators
from indexer.corpus.corpus import Corpus, grouping
from indexer.groups.cells import cells
from indexer.plan.shapes import shapes_of
from indexer.plan.work import Work
from indexer.sets.texts import read_texts
from indexer.size.member import CorpusOf

CHARACTERS = 4.0  # of a token


@dataclass(frozen=True)
class Outlined:
    """What can be told of a size before it is open; of an open one, the same."""

    entry: Model
    parent: Model | None
    tracked: Tracked
    corpus: Corpus


def outlined(entry: Model, config: Config, corpus_of: CorpusOf) -> Outlined | None:
    """None where only opening the size tells its shapes. Raises BadInput for what is not there."""
    loaded = outline(entry.path, entry.base) if entry.explain == MERGED else None
    if loaded is None:
        return None
    try:
        linear = _reading(choose_layers(loaded.model, config.factors.layers))
    except BadInput:
        return None  # said with more once it is open
    blocks = embedding_layers(loaded, len(linear)) if config.factors.embedding else ()
    parents = [each for each in config.model if entry.parent and each.name == entry.parent]
    corpus = corpus_of(entry.files or config.corpus.files, config.corpus.text, grouping(config.groups.by))
    return Outlined(entry, parents[0] if parents else None, Tracked(loaded, linear, blocks), corpus)


def work_of(of: Outlined, config: Config, prompts: Sequence[str]) -> Work:
    """Sizes of everything that one size of the family has to do, tokens guessed from characters."""
    context = _context(of.tracked.loaded)
    longest = min(config.corpus.window or context, context) if config.corpus.long == "cut" else float("inf")
    texts = [min(len(each.text) / CHARACTERS + 2, longest) for each in of.corpus.documents]
    read = [min(len(each) / CHARACTERS + 2, context) for each in prompts]
    grouped = cells(of.corpus, config.groups.by) if config.groups.by else None
    of_sets = [text for each in config.targets for text in read_texts(each)] if config.scores.method else []
    set_tokens = [min(len(f"{each.prompt.text}{each.completion}") / CHARACTERS + 2, context) for each in of_sets]
    others = (each for each in config.scores.method[1:] if estimators()[each].applies(of))  # type: ignore[arg-type]
    return Work(
        shapes=shapes_of(of.tracked),
        n_documents=len(of.corpus.documents),
        n_tokens=float(np.mean(texts)) if texts else 1.0,
        longest=int(max(texts, default=1.0)),
        widest=int(min(max(texts, default=1.0), config.corpus.window or context)),
        n_prompts=len(prompts),
        n_read=float(np.mean(read)) if read else 1.0,
        n_written=float(config.prompts.max_new_tokens),
        n_checkpoints=len(of.entry.checkpoints),
        n_stages=len(lineage(config, of.entry)),
        learned_pairs=of.corpus.n_pairs > 0,
        n_cells=grouped.n if grouped else 0,
        n_groups=len(grouped.groups) if grouped else 0,
        set_tokens=float(sum(set_tokens)),
        others=tuple(others),
    )


_READ_ON = ("k_proj", "v_proj", "up_proj")  # of most architectures: what they read is told once one is open


def _reading(linear: Sequence[Layer]) -> tuple[Layer, ...]:
    """With a guess of which read what the layer before reads."""
    found: list[Layer] = []
    for layer in linear:
        on = found and layer.name.endswith(_READ_ON) and found[-1].n_in == layer.n_in
        found.append(replace(layer, reads=found[-1].reads if on else layer.index))
    return tuple(found)


def _context(loaded: LoadedModel) -> int:
    said = getattr(loaded.settings, "max_position_embeddings", None)
    return int(said or 2048)
