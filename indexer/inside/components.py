"""EDGE: the components of a size in rows: what they are, what they read and write; and their means over the corpus, for
effects now and for new prompts."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.torch import load_file, save_file

from attribution.components.activity import Activity, edges
from attribution.components.baseline import Baseline, zero
from attribution.components.stream import Stream
from attribution.components.units import HEAD, NEURON, NotSplit, Units
from attribution.components.vocabulary import vocabulary
from attribution.errors import BadInput
from indexer.corpus.corpus import as_ids
from indexer.database.arrow import columns_of
from indexer.database.shard import write_in_order, write_shard
from indexer.inside.activity import activity, read, watched
from indexer.inside.split import Split, split
from indexer.journal.part import Partition
from indexer.journal.stages import Finished, found, key, stage
from indexer.size.member import Member

MEANS = "means.safetensors"
ZERO = "zero"
TABLES = ("component_model", "component_context", "neuron_activation", "component_tokens")
Rows = Mapping[str, list[Any]]


def components(folder: Path, split: Split, passed: Sequence[Finished], tick: Callable[[int], None]) -> Finished:
    """Shards of `TABLES`, as many as can be; `tick(n)` after n documents that are passed anew.

    passed: parts of the corpus pass; none where no influence is computed: then the documents are not at hand.
    """
    member = split.member
    corpus = watched(member, split.whole) if split.whole is not None and passed else None
    parts = [] if corpus is None else activity(folder, member, corpus, passed, tick)

    def compute(part: Partition) -> None:
        write_shard(part.folder, "component_model", split.columns())
        if not isinstance(split.units, NotSplit) and not isinstance(split.stream, NotSplit):
            write_in_order(part.folder, "component_tokens", _tokens(member, split.units, split.stream))
        if corpus is not None:
            seen = read(parts, corpus.most)
            means = seen.sums.mean(member.tracked)
            save_file({"heads": means.heads.cpu(), "neurons": means.neurons.cpu()}, part.folder / MEANS)
            if corpus.most:
                write_in_order(part.folder, "component_context", _contexts(member, seen))
                write_in_order(part.folder, "neuron_activation", _histograms(member, corpus.units, seen))

    [part] = stage(folder, _stage(split), _key(split), ["all"], compute)
    return part


@dataclass(frozen=True)
class Within:
    """What effects need of a size: its components, and what they are compared with."""

    split: Split
    baseline: Baseline | None  # None where it is not split


def within(split: Split, part: Finished) -> Within:
    """part: of `components`"""
    if split.whole is None:
        return Within(split, None)
    tracked = split.member.tracked
    if baseline_key(split, part) == ZERO:
        return Within(split, zero(tracked, split.whole))
    means = load_file(part.folder / MEANS, device=str(tracked.device))
    return Within(split, Baseline(means["heads"], means["neurons"]))


def within_before(folder: Path, member: Member) -> Within | None:
    """Of what a build has left; None where it did not look inside."""
    parted = split(member)
    try:
        [part] = found(folder, _stage(parted), _key(parted), ["all"])
    except BadInput:
        return None
    return within(parted, part)


def baseline_key(split: Split, part: Finished) -> str:
    """Of the baseline."""
    return ZERO if split.member.config.inside.baseline == ZERO else part.files.get(MEANS, ZERO)


def _stage(split: Split) -> str:
    return f"components-{split.member.entry.name}"


def _key(split: Split) -> str:
    config = split.member.config
    wanted = [config.inside.contexts, config.inside.baseline] if config.scores.method else []
    return key(base=split.member.base_key, wanted=wanted, split=dict(split.columns()), tables=columns_of(*TABLES))


def _tokens(member: Member, units: Units, stream: Stream) -> Iterator[Rows]:
    words = member.words
    for of in vocabulary(member.tracked, units, stream, known=min(len(words), len(member.loaded.tokenizer))):
        n = len(of.promoted)
        yield {
            "model_id": [member.loaded.weights_hash] * n,
            "kind": [NEURON] * n,
            "depth": [of.depth] * n,
            "number": list(range(of.first, of.first + n)),
            "promoted": [[words[i] for i in ids] for ids in of.promoted.tolist()],
            "promoted_by": list(of.promoted_by),
            "suppressed": [[words[i] for i in ids] for ids in of.suppressed.tolist()],
            "suppressed_by": list(of.suppressed_by),
        }


def _contexts(member: Member, seen: Activity) -> Iterator[Rows]:
    model_id, ids = member.loaded.weights_hash, as_ids(member.corpus.numbers)
    for kind, blocks in ((HEAD, seen.heads), (NEURON, seen.neurons)):
        for depth, of in enumerate(blocks):
            kept = of.documents >= 0  # [n, most]
            number, place = kept.nonzero(as_tuple=True)
            yield {
                "model_id": [model_id] * len(number),
                "kind": [kind] * len(number),
                "depth": [depth] * len(number),
                "number": number.tolist(),
                "rank": (place + 1).tolist(),
                "document_id": [ids[i] for i in of.documents[kept].tolist()],
                "token_position": of.positions[kept].tolist(),
                "value": of.values[kept].tolist(),
            }


def _histograms(member: Member, units: Units, seen: Activity) -> Iterator[Rows]:
    """Of each neuron the bins from the first to the last that is not empty."""
    means, sides = (seen.sums.neurons / max(1, seen.sums.n)).numpy(), edges().numpy()
    n = units.n_neurons
    for depth, counts in enumerate(seen.counts.numpy()):
        filled = [np.flatnonzero(each) for each in counts]
        spans = [slice(of[0], of[-1] + 1) if len(of) else slice(0, 0) for of in filled]
        yield {
            "model_id": [member.loaded.weights_hash] * n,
            "depth": [depth] * n,
            "number": list(range(n)),
            "edges": [sides[of.start : of.stop + 1] for of in spans],
            "counts": [each[of] for each, of in zip(counts, spans, strict=True)],
            "mean": means[depth].tolist(),
        }
