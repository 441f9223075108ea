"""Names of the methods that cite documents, as pages show them."""

from collections.abc import Collection
from dataclasses import dataclass


@dataclass(frozen=True)
class Name:
    """One method that says which documents of the prompt an answer needed."""

    label: str
    short: str  # where it heads a column


SHAPLEY = "shapley_documents"  # of whole documents; `shapley` is the saliency method that shades tokens by parts
BEFORE = "shapley"  # both, in databases of before
CITING = {  # by the name in the table `citation`
    "mirage": Name("MIRAGE", "MIRAGE"),
    "contextcite": Name("ContextCite", "ContextCite"),
    "leave_one_out": Name("Leave one document out", "Leave one out"),
    SHAPLEY: Name("Shapley value of documents", "Shapley"),
}


def short_name(method: str) -> str:
    """An unknown method stands as it is stored."""
    return CITING[method].short if method in CITING else method


def measured_name(method: str, metric: str, measured: Collection[tuple[str, str]]) -> str:
    """The method of one measure of an answer; measured: (method, metric) of all of them.

    Databases of before had one name for two methods, `shapley`. Of the two only the documents' has no `prediction`: it
    has seen every mask that one could be made on.
    """
    ambiguous = (method, metric) == (BEFORE, "top_drop") and (BEFORE, "prediction") not in measured
    return SHAPLEY if ambiguous and all(name != SHAPLEY for name, _ in measured) else method
