"""EDGE: train one model of the family by its recipe: from scratch, or from its parent on other documents."""

import time
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path

from transformers import LlamaForCausalLM, PreTrainedTokenizerBase, PreTrainedTokenizerFast

from attribution.errors import BadInput
from attribution.loading.located import locate
from attribution.loading.specials import choose_specials
from attribution.model.sequence import begin_token
from attribution.passes.batches import Row
from indexer.config.config import Corpus, Model, Recipe
from indexer.corpus.as_trained import learned_pairs, nothing_learned, read_document, training_of
from indexer.corpus.document import Document
from indexer.corpus.turns import is_pair
from indexer.training import store
from indexer.training.loop import (
    OPTIMISER,
    WEIGHT_DECAY,
    new_model,
    new_optimiser,
    rate_sum,
    steps_an_epoch,
    train_epoch,
)
from indexer.training.preferences import reference, train_epoch_of_pairs
from indexer.training.tokenizer import train_tokenizer

Tick = Callable[[str, int], None]


def family_tokenizer(member: Model, siblings: list[Model], texts: Iterable[str]) -> PreTrainedTokenizerFast:
    """The tokenizer that a size of the family already has, else a new one from the corpus."""
    for sibling in siblings:
        if (Path(sibling.path) / "tokenizer.json").exists():
            found: PreTrainedTokenizerFast = PreTrainedTokenizerFast.from_pretrained(sibling.path)
            return found
    if member.recipe is None:
        raise BadInput(
            f"expected [model.recipe] for {member.name}, found none; add one or leave it out of `whence train`"
        )
    return train_tokenizer(texts, member.recipe.vocabulary)


def read_as_trained(
    documents: Sequence[Document], tokenizer: PreTrainedTokenizerBase, member: Model, corpus: Corpus, context: int
) -> list[Row]:
    """What training reads of some documents: the windows that have something to learn, a row each; a pair is one row.

    Raises BadInput, with the document's name, for one that cannot be rendered, and where nothing is learned of any.
    """
    specials = choose_specials(tokenizer, begin=member.begin, end=member.end)
    how = training_of(member, corpus, context)
    read = (read_document(each, tokenizer, specials, how).row for each in documents)
    if not learned_pairs(member, len(documents), sum(is_pair(each.turns) for each in documents)):
        read = (window for row in read for window in row.rows())
    found = [row for row in read if row.targets().any()]
    if not found:
        raise nothing_learned(member, len(documents))
    return found


def epochs_to_keep(recipe: Recipe) -> list[int]:
    """Epoch counts after which a checkpoint is kept; the last one is the model itself."""
    return sorted({max(1, round(share * recipe.epochs)) for share in recipe.keep})


def fingerprint_of(member: Model, recipe: Recipe, rows: Sequence[Row], parent: Path | None, pairs: bool = False) -> str:
    """Of the training that `train` does with the same arguments."""
    learned: list[object] | None = None
    if pairs:
        learned = [member.beta, [(row.learned, row.windows) for row in rows]]
    elif any(row.learned is not None for row in rows):
        learned = [row.learned for row in rows]
    return store.fingerprint(recipe, [list(row.ids) for row in rows], parent, learned)


def train(
    member: Model,
    recipe: Recipe,
    rows: Sequence[Row],
    tokenizer: PreTrainedTokenizerFast,
    parent: Path | None,
    tick: Tick,
    again: bool = False,
    pairs: bool = False,
) -> list[store.EpochRecord]:
    """Train, keep checkpoints, save. `rows`: as `read_as_trained` makes them; `tick(note, n_rows)` after every batch.

    pairs: whether the rows are pairs, to be learned by DPO from the parent.

    An interrupted run goes on after its last whole epoch and ends with the same weights. What this recipe has made of
    these documents is not made again ([] is returned) unless `again`. Raises BadInput rather than train over weights
    of another origin, for a parent that is not there, and for a tokenizer that is too large for the weights.
    """
    end = begin_token(tokenizer)
    documents = [list(row.ids) for row in rows]
    learned = None if all(row.learned is None for row in rows) else [row.targets() for row in rows]
    folder = Path(member.path)
    made_of = fingerprint_of(member, recipe, rows, parent, pairs)
    state = store.State(folder, made_of)
    if not again and not state.path.exists() and (folder / store.WEIGHTS).exists():
        before = store.trained_by(folder)
        if before == made_of:
            state.drop()
            return []
        if not before:
            raise BadInput(
                f"expected no weights, or those of an earlier training, in {folder}, found others; give --again to "
                "train over them"
            )
    model = new_model(recipe, end) if parent is None else _from_parent(parent)
    _check_vocabulary(member, len(tokenizer), model.config.vocab_size, parent)
    model.train()
    epoch_of = partial(train_epoch, documents=documents, end=end, learned=learned)
    if pairs:
        at_start = reference(model, rows, recipe, end)
        epoch_of = partial(train_epoch_of_pairs, pairs=rows, before=at_start, beta=member.beta, end=end)
    optimiser = new_optimiser(model)
    records = state.load(model, optimiser)
    for record in records:
        tick(f"epoch {record.epoch}, loss {record.loss:.3f}", len(documents))
    for epoch in range(len(records), recipe.epochs):
        started = time.monotonic()
        note = f"epoch {epoch + 1}, loss {records[-1].loss:.3f}" if records else "epoch 1"
        loss, rate = epoch_of(model, optimiser, recipe=recipe, epoch=epoch, tick=partial(tick, note))
        records.append(store.EpochRecord(epoch + 1, loss, rate, time.monotonic() - started))
        if epoch + 1 in epochs_to_keep(recipe) and epoch + 1 < recipe.epochs:
            store.save_model(model, None, folder / "checkpoints" / f"epoch-{epoch + 1:02d}")
        store.save_curve(records, folder)
        state.save(model, optimiser, records)
    store.save_model(model, tokenizer, folder)
    store.save_checkpoints(kept(records, recipe, len(rows)), folder)
    store.mark_trained(folder, made_of)
    state.drop()
    return records


def kept(records: list[store.EpochRecord], recipe: Recipe, n_rows: int) -> list[dict[str, object]]:
    """What `checkpoints.json` holds, of the epochs since the checkpoint before; their mean rate times their number is
    TracIn's weight of it, their steps and the sum of the rates of all of these are SOURCE's."""
    described, start = [], 0
    for epoch in epochs_to_keep(recipe):
        rates = [record.learning_rate for record in records[start:epoch]]
        described.append(
            {
                "path": "." if epoch == recipe.epochs else f"checkpoints/epoch-{epoch:02d}",
                "epoch": epoch,
                "loss": records[epoch - 1].loss,
                "learning_rate": sum(rates) / len(rates),
                "steps": (epoch - start) * steps_an_epoch(recipe, n_rows),
                "rate_sum": rate_sum(recipe, n_rows, range(start, epoch)),
                "batch": recipe.batch,
                "optimiser": OPTIMISER,
                "decay": WEIGHT_DECAY,
            }
        )
        start = epoch
    return described


def _check_vocabulary(member: Model, n_entries: int, n_rows: int, parent: Path | None) -> None:
    if n_entries > n_rows:
        todo = "set vocabulary in its recipe" if parent is None else f"give it that of {parent}"
        raise BadInput(
            f"expected a tokenizer of at most {n_rows:,} entries for {member.name}, found {n_entries:,}; {todo}"
        )


def _from_parent(parent: Path) -> LlamaForCausalLM:
    locate(str(parent))
    return LlamaForCausalLM.from_pretrained(parent, dtype="float32", use_safetensors=True)
