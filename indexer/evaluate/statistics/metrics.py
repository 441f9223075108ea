"""What the figures of the table `evaluation` are: their stored names, how they are read, and what they mean. Pure.

A stored name may end in how many documents it counts (`recall@10`) or in what was varied (`stability, bfloat16`): the
record stands under what comes before.
"""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Metric:
    """`label`: a few words, for a column; `meaning`: what is measured. In both, {} is the number after @."""

    label: str
    meaning: str


METRICS = {
    "best for influence": Metric(
        "best for influence", "the method whose figure without the query's own document is highest"
    ),
    "best for where it says so": Metric(
        "best for where it says so", "the method that puts the documents which state an answer highest"
    ),
    "lds": Metric(
        "LDS",
        "linear datamodelling score: rank correlation with models that were really trained again on random halves of "
        "the documents. Another seed: what two trainings of one half agree to. Ceiling, an upper bound: what a method "
        "that knew the expected outcome of every half would reach",
    ),
    "lds_without_self": Metric(
        "LDS without self", "the same after the effect of the query's own document is taken out of both"
    ),
    "lds_behind": Metric(
        "LDS behind the first",
        "how far LDS without self lies below that of the first method, by the same models and queries; where the "
        "interval holds 0 the two are not told apart",
    ),
    "lds_part": Metric("LDS, {} %", "the same of models that were trained on {} % of the documents"),
    "lds_part_without_self": Metric(
        "LDS without self, {} %", "the same of these, after the effect of the query's own document is taken out of both"
    ),
    "small_lds": Metric(
        "LDS, few documents",
        "the same on a sibling so small that its training can be gone back through: `unrolled` is the exact derivative "
        "of its outcome by every document's weight",
    ),
    "small_lds_without_self": Metric(
        "LDS without self, few", "the same there after the effect of the query's own document is taken out of both"
    ),
    "single_left_out": Metric(
        "One document left out",
        "rank correlation of what a method foretells with the change of a text's log-probability when one document is "
        "left out of a new training, mean of several seeds, for documents that methods disagree about",
    ),
    "single_doubled": Metric("One document doubled", "the same when the document is learned twice"),
    "slope": Metric(
        "Slope",
        "nats measured for one that is predicted, as of a training on all documents, by how models on random halves "
        "differ, the effect of the query's own document taken out of both: what calibrates the numbers of the pages",
    ),
    "slope_held_out": Metric(
        "Slope, held out",
        "the same for one calibrated nat, by models and queries that calibrated nothing; 1 where the unit holds",
    ),
    "slope_removal": Metric(
        "Slope of removing {}",
        "nats that an answer loses in a new training without the {} documents blamed most, for one that is predicted; "
        "both beyond what as many random documents do",
    ),
    "mrr": Metric("MRR", "mean of 1 / rank of the best document that states the answer, over all documents"),
    "mrr_behind": Metric(
        "MRR behind the first", "how far MRR lies below that of the first method, by the same answers"
    ),
    "recall": Metric("Recall@{}", "share of answers with a document that states them among the first {}"),
    "planted": Metric(
        "Invented facts, first {}",
        "share of invented facts, put into a new training, whose document is among the first {}",
    ),
    "planted_mrr": Metric("planted_mrr", "mean of 1 / rank of the only document of an invented fact"),
    "mislabelled": Metric(
        "Mislabelled, first {} %",
        "share of mislabelled facts, put into a new training, that are among the first {} % of its documents by this "
        "order",
    ),
    "mislabelled_auc": Metric(
        "Mislabelled, AUC",
        "how often a mislabelled document stands before a right one (0.5: by chance); within its relation: before one "
        "that says the same of another subject",
    ),
    "relabelled_right": Metric(
        "Put right",
        "share of mislabelled documents whose best relabelling is the token that the right answer has in its place",
    ),
    "drop": Metric(
        "Lost without its {}",
        "what the answer loses of its log-probability, nats a token, when the {} documents blamed most are left out of "
        "a new training",
    ),
    "flips": Metric(
        "Changed without its {}",
        "share of answers that change when the {} documents blamed most are left out of a new training",
    ),
    "without_topic_own": Metric(
        "Without a topic, its own",
        "rank correlation of what a whole topic does by this method, summed over its documents, with what questions on "
        "it lose when models are trained without it; `another seed`: of one such training with others",
    ),
    "without_topic_others": Metric("Without a topic, others", "the same of questions on other topics"),
    "without_topic_all": Metric("Without a topic, all", "the same of all questions together"),
    "without_topic_change_own": Metric(
        "Change without their topic",
        "mean change of the log-probability of answers on the topic that was left out, nats a token: foretold, and "
        "measured by training again",
    ),
    "without_topic_change_others": Metric("Change without another", "the same of answers on other topics"),
    "tail_patch": Metric(
        "Tail patch", "change of the answer's log-probability, nats a token, after one step on the ten top documents"
    ),
    "select": Metric(
        "Loss on chosen {} %",
        "loss on the half of a target set that no method was shown, nats a token, after training on the {} % of the "
        "documents that a method chose by the other half; lower is better",
    ),
    "select_gain": Metric(
        "Gain of chosen {} %",
        "by how much that loss is below the one after training on as many random documents, text by text",
    ),
    "stability": Metric("stability", "rank correlation of the scores of all documents with those of another setting"),
    "index": Metric(
        "index@{}", "share of the exact ten most influential documents among the first {} of the gradient index"
    ),
    "index, all sources": Metric(
        "index, all sources", "the same among 50 of the index and what other sources propose as candidates"
    ),
    "index, rank correlation": Metric(
        "index, rank correlation", "of estimated and exact influence, over all documents"
    ),
    "pbrf": Metric("pbrf", "correlation of influence with the proximal Bregman response that optimisation finds"),
    "sanity": Metric(
        "sanity", "rank correlation of a saliency map with that of the same model with shuffled weights; near 0 is good"
    ),
}  # in the order in which they are explained


def metric(name: str) -> Metric | None:
    """What a stored name stands for; None for a name that no evaluation of this version writes."""
    stem, number = _parted(name)
    if stem not in METRICS:
        return None
    of = METRICS[stem]
    label = of.label if stem == name or number else name
    return Metric(_counted(label, number), _counted(of.meaning, number))


def in_order(names: Iterable[str]) -> list[str]:
    """The names that stand for something, in the order of `METRICS`."""
    places = {stem: i for i, stem in enumerate(METRICS)}
    known = (name for name in names if metric(name) is not None)
    return sorted(known, key=lambda name: (places[_parted(name)[0]], _parted(name)[1].zfill(9), name))


ONE = {  # how it is said of a single one
    "the {} documents blamed most are": "the document blamed most is",
    "whose document is among the first {}": "whose document is the first",
    "that states them among the first {}": "that states them as the first",
}


def _counted(said: str, number: str) -> str:
    for several, one in ONE.items() if number == "1" else ():
        said = said.replace(several, one)
    return said.replace("{}", number)


def _parted(name: str) -> tuple[str, str]:
    """`recall@10` as recall and 10; what follows a comma, where that is no name of its own, is left out."""
    if name in METRICS:
        return name, ""
    stem, _, number = name.partition(", ")[0].partition("@")
    return stem, number
