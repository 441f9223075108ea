"""Sizes of everything that one size of the family has to do, and what each kind of work takes: pure.

A formula stands above each function: D documents of T tokens, Q generated tokens, layers of n_out × n_in numbers, P of
them together.
"""

from dataclasses import dataclass

from attribution.curvature.work import EIGH
from indexer.plan.shapes import Shapes
from indexer.plan.speeds import Speeds


@dataclass(frozen=True)
class Work:
    """All numbers of documents are of this stage of training."""

    shapes: Shapes
    n_documents: int
    n_tokens: float  # T of a document, with the padding that it is read with
    longest: int  # places of the longest: all of its windows stand in one pass
    widest: int  # tokens of the widest window
    n_prompts: int
    n_read: float  # tokens of a prompt
    n_written: float  # tokens of an answer
    n_checkpoints: int = 0  # besides the model itself
    n_stages: int = 1  # of training: the influence on a fine-tuned model is traced through two
    learned_pairs: bool = False  # of answers, which the model and its reference read once
    n_cells: int = 0  # distinct combinations of what documents are grouped by
    n_groups: int = 0
    set_tokens: float = 0  # of all texts of all target sets
    others: tuple[str, ...] = ()  # methods besides the first, each with a stage of its own

    @property
    def n_queries(self) -> float:
        return self.n_prompts * self.n_written


def passing(of: Shapes, speeds: Speeds, tokens: float) -> float:
    """Forward, and backward for inputs and outputs of the layers: 3 · parameters a token."""
    return 3 * of.n_params * tokens / speeds.passed


def turning(of: Shapes, speeds: Speeds, tokens: float) -> float:
    """Q_Sᵀ δ_t and Q_Aᵀ a_t: n_out² a token and layer, n_in² for each input that layers share."""
    each = sum(
        s.n * s.n_out**2 / speeds.turning(s.n_out) + s.n_read * s.n_in**2 / speeds.turning(s.n_in) for s in of.linear
    )
    return tokens * each


def forming(of: Shapes, speeds: Speeds, tokens: float) -> float:
    """Σ_t δ_t a_tᵀ: n_out · n_in a token, of the embedding V · H."""
    linear = sum(s.n * s.entries / speeds.forming((s.n_out, s.n_in)) for s in of.linear)
    return tokens * (linear + of.looked_up / speeds.products)


def touching(of: Shapes, speeds: Speeds, gradients: float) -> float:
    """Squares of whole gradients, weighed and added: every number is read a few times."""
    return gradients * (of.entries + of.looked_up) / speeds.touched


def adding_covariances(of: Shapes, speeds: Speeds, tokens: float) -> float:
    """Σ_t δ_t δ_tᵀ and Σ_t a_t a_tᵀ: n_out² and n_in² a token."""
    return tokens * sum(s.n * (s.n_out**2 + s.n_in**2) for s in of.linear) / speeds.products


def decomposing(of: Shapes, speeds: Speeds) -> float:
    """`EIGH` · n³ of every covariance."""
    return EIGH * sum(s.n * (float(s.n_out) ** 3 + float(s.n_in) ** 3) for s in of.linear) / speeds.decomposed


def cutting(of: Shapes, speeds: Speeds, documents: float) -> float:
    """The leading triplets of every layer of every document."""
    return documents * of.n_layers * speeds.cut


def forming_directions(of: Shapes, speeds: Speeds, queries: float, tokens: float) -> float:
    """M = (Σ_t δ_t a_tᵀ) / (Λ + λ) of T tokens: T · n_out · n_in a query, each number divided once."""
    return queries * (forming(of, speeds, tokens) + of.entries / speeds.touched)


def meeting(of: Shapes, speeds: Speeds, queries: float, documents: float) -> float:
    """⟨M_q, W_z⟩ of formed gradients: n_out · n_in a pair."""
    return queries * documents * (of.entries + of.looked_up) / speeds.products


def factoring(of: Shapes, speeds: Speeds, queries: float) -> float:
    """Directions cut at a small rank for the index: four products with some sixteen vectors."""
    return queries * (of.entries * 64 / speeds.products + 2 * of.entries / speeds.touched)
