"""EDGE: a first forecast within seconds: shapes from the configurations, sizes from the files, assumed speeds.

Weights are not read and nothing is measured: `SPEED` and `DISK` are the round numbers by which a build cuts its work.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from attribution.curvature.work import EIGH, SPEED, TOUCHED
from attribution.errors import BadInput
from attribution.exact.scores import WAVE
from attribution.index.compress import budget
from attribution.loading.adapter import MERGED
from attribution.loading.load import LoadedModel, choose_device
from attribution.loading.outline import outline
from attribution.model.layers import choose_layers
from attribution.model.tracked import Tracked, embedding_layers
from attribution.passes.batches import TOKENS
from attribution.schedule import Schedule
from indexer.config.config import Config, Model, lineage
from indexer.config.estimator import estimators
from indexer.corpus.corpus import Corpus
from indexer.plan.forecast import Work
from indexer.plan.units import CROWD, Units
from indexer.size.member import CorpusOf

CHARACTERS = 4.0  # of a token
READ = 1e10  # bytes of weights that pass from memory in a second, while one token is written
ALONE = 350 << 20  # bytes of a process that has opened nothing
SHARE = 3.4  # answers in whose time the prompt's share in one is found
LOSS = 2.5  # passes in whose time a document has token losses
SCAN = 4e-10  # seconds for each byte of an indexed document and one generated token


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
        linear = choose_layers(loaded.model, config.factors.layers)
    except BadInput:
        return None  # said with more once it is open
    blocks = embedding_layers(loaded, len(linear)) if config.factors.embedding else ()
    parents = [each for each in config.model if entry.parent and each.name == entry.parent]
    corpus = corpus_of(entry.files or config.corpus.files, config.corpus.text)
    return Outlined(entry, parents[0] if parents else None, Tracked(loaded, linear, blocks), corpus)


def work_of(of: Outlined, config: Config, n_prompts: int) -> Work:
    """Sizes of everything that one size of the family has to do."""
    linear, embedding = of.tracked.linear, of.tracked.embedding
    others = (each for each in config.scores.method[1:] if estimators()[each].applies(of))  # type: ignore[arg-type]
    return Work(
        n_documents=len(of.corpus.documents),
        n_params=of.tracked.loaded.n_params,
        n_tracked=of.tracked.n_linear,
        factor_numbers=sum(each.n_in**2 + each.n_out**2 + each.n_in * each.n_out for each in linear)
        + sum(each.n_out * each.n_in for each in embedding),
        n_prompts=n_prompts,
        index_bytes=budget(of.tracked, config.index.rank),
        n_embedding=sum(each.n_out * each.n_in for each in embedding),
        n_checkpoints=len(of.entry.checkpoints),
        n_stages=len(lineage(config, of.entry)),
        learned_pairs=of.corpus.n_pairs > 0,
        others=tuple(others),
    )


def assumed(of: Outlined, config: Config, prompts: Sequence[str]) -> Units:
    """Units from arithmetic: multiply-adds at the speed that is assumed of this kind of device."""
    tracked, linear, n_params = of.tracked, of.tracked.linear, of.tracked.loaded.n_params
    speed = SPEED.get(choose_device(config.device.name).type, SPEED["cuda"])
    context = _context(tracked.loaded)
    longest = min(config.corpus.window or context, context) if config.corpus.long == "cut" else float("inf")
    texts = [min(len(each.text) / CHARACTERS + 2, longest) for each in of.corpus.documents]
    tokens = float(np.mean(texts)) if texts else 1.0
    read = float(np.mean([min(len(each) / CHARACTERS + 2, context) for each in prompts])) if prompts else 1.0
    entries, looked_up = tracked.n_linear, sum(each.n_in * each.n_out for each in tracked.embedding)
    squares = sum(each.n_in**2 + each.n_out**2 for each in linear)
    rotation = sum(each.n_in * each.n_out * (each.n_in + each.n_out) for each in linear)
    passed = 3.0 * n_params * tokens
    written = config.prompts.max_new_tokens
    answer = written * 4.0 * n_params / READ + n_params * read / speed
    of_pass = int(TOKENS * 4 * (3 * tracked.layers[-1].n_out + 2 * sum(each.n_in + each.n_out for each in linear)))
    return Units(
        capture=passed / speed,
        eigen=EIGH * sum(float(each.n_in) ** 3 + float(each.n_out) ** 3 for each in linear) / speed,
        answer=answer,
        share=SHARE * answer,
        corpus=(passed + tokens * (squares + entries + looked_up)) / speed,
        query=(passed + 2 * rotation) / speed,
        score=(passed + (entries + looked_up) * (tokens + 2 * CROWD)) / speed,
        position=(tokens * entries + TOUCHED) / speed,
        loss=LOSS * passed / speed,
        n_tokens=float(written),
        estimate=(passed + 2 * rotation) / speed,
        scan=SCAN * budget(tracked, config.index.rank),
        rotation=rotation / speed,
        resident=ALONE + 4 * n_params,
        prompt_memory=50 << 20,
        pass_memory=ALONE + of_pass,
        score_memory=int(WAVE * Schedule().memory) + of_pass,
    )


def _context(loaded: LoadedModel) -> int:
    said = getattr(loaded.settings, "max_position_embeddings", None)
    return int(said or 2048)
