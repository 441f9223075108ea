"""Names of the methods that cite documents, as pages show them."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Name:
    """One method that says which documents of the prompt an answer needed."""

    label: str
    short: str  # where it heads a column


CITING = {  # by the name in the table `citation`
    "mirage": Name("MIRAGE", "MIRAGE"),
    "contextcite": Name("ContextCite", "ContextCite"),
    "leave_one_out": Name("Leave one document out", "Leave one out"),
    "shapley": Name("Shapley value", "Shapley"),
}


def short_name(method: str) -> str:
    """An unknown method stands as it is stored."""
    return CITING[method].short if method in CITING else method
