"""How much an evaluation measures: two sizes of the same protocol."""

from dataclasses import dataclass, replace

from indexer.config.config import Recipe


@dataclass(frozen=True)
class Scale:
    """Everything that a retraining measure depends on besides the model; the seed draws documents, halves, queries."""

    name: str
    documents: int  # of the corpus, drawn at random: what siblings are trained on
    epochs: int  # of the recipe, at most
    halves: int  # models on random halves
    second_seeds: int  # of these halves, trained once more where each has one seed only: what luck does
    queries: int  # training documents that are asked about
    removals: tuple[int, ...]  # how many of a query's top documents are left out
    removal_queries: int
    removal_documents: int  # of the sibling that is trained without them: a small one that has learned its documents
    removal_epochs: int
    planted: int  # invented facts
    upweighted: int  # documents whose proximal Bregman response is found
    seed: int = 0
    full: bool = False
    index_ranks: tuple[float, ...] = ()  # sizes of the gradient index that are compared with the configured one
    seeds: int = 1  # that each half is trained with; their mean is to be predicted
    fractions: tuple[float, ...] = ()  # shares of the documents, other than a half, that models are trained on too
    fraction_models: int = 0  # for each of them, with one seed
    choosing_seeds: int = 3  # of training on chosen documents
    topics: int = 3  # that are left out, one by one
    topic_seeds: int = 3  # each time; two at least, of which one is held against the others
    keep: tuple[float, ...] = ()  # of the epochs, of siblings that the LDS is not taken on; (): as the one that it is
    small: "Small | None" = None  # what is trained on few documents, where more can be known; None: it is left out


@dataclass(frozen=True)
class Small:
    """A sibling so small that a training can be unrolled, and one document be left out with many seeds."""

    documents: int = 300
    epochs: int = 20  # of ten batches: 200 steps
    halves: int = 50
    seeds: int = 3
    queries: int = 20  # each costs twice a training, going back
    singles: int = 12  # documents that methods disagree about, left out and doubled
    single_seeds: int = 6


QUICK = Scale(
    "quick",
    1000,
    15,
    halves=28,
    second_seeds=6,
    queries=40,
    removals=(20,),
    removal_queries=5,
    removal_documents=300,
    removal_epochs=30,
    planted=20,
    upweighted=6,
    choosing_seeds=1,
    topics=2,
    topic_seeds=2,
    keep=(0.13, 0.33, 1.0),
)
FULL = replace(
    QUICK,
    name="full",
    documents=2500,
    halves=50,
    seeds=3,
    second_seeds=0,
    queries=60,
    removals=(1, 5, 20, 50),
    removal_queries=20,
    removal_documents=600,
    upweighted=10,
    full=True,
    index_ranks=(2, 3),
    fractions=(0.25, 0.75),
    fraction_models=25,
    choosing_seeds=3,
    topics=3,
    topic_seeds=3,
    keep=(),
    small=Small(),
)
# shares of the epochs after which a sibling is kept: early weights still have the gradients of what was learned since
KEEP = (0.07, 0.13, 0.2, 0.33, 0.67, 1.0)


def recipe_of(recipe: Recipe, scale: Scale, keep: tuple[float, ...] = (1.0,), seed: int | None = None) -> Recipe:
    """The recipe of a size, cut to the epochs of the scale."""
    epochs = min(recipe.epochs, scale.epochs)
    return replace(recipe, epochs=epochs, keep=keep, seed=recipe.seed if seed is None else seed)


def small_recipe(recipe: Recipe, small: Small, keep: tuple[float, ...] = (1.0,)) -> Recipe:
    """In float32: rounding is no part of what is unrolled."""
    return replace(recipe, epochs=small.epochs, keep=keep, bf16=False)


def removal_recipe(recipe: Recipe, scale: Scale, keep: tuple[float, ...] = (1.0,)) -> Recipe:
    """Epochs enough for few documents to be learned."""
    return replace(recipe, epochs=scale.removal_epochs, keep=keep)


DAMPINGS = (1.0, 0.01, 0.001)  # to compare the configured one with
REMOVED_BY = ("ekfac_checkpoints", "bm25")  # besides random documents
MISLABELLED = 0.05  # share of the documents that state a wrong answer
HELD_FACTS = 200  # right facts that no document states in these words, at most: what harm is measured on
