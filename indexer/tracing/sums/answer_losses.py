"""What learning each token of a document did to a whole answer, by an estimator that is a sum of gradient products.

The products of an answer's tokens are added up without asking for the answer (`products.py`). Here it is asked for: one
query for each answer at each checkpoint c, and a pass of its first few documents along that direction:

    influence of training on token t  =  Σ_c w_c · (that of c, as in `attribution/exact/token_loss.py`)      nats
"""

from collections.abc import Sequence

import numpy as np

from attribution.exact.token_loss import token_losses
from attribution.query.directions import join_directions
from indexer.tracing.chunks import answers_together
from indexer.tracing.heat import ByToken
from indexer.tracing.scoring import Scoring
from indexer.tracing.spans import ANSWER
from indexer.tracing.sums.products import terms_of


def losses_of_answers(of: Scoring, tops: Sequence[Sequence[int]]) -> ByToken:
    """Of every span, for its first documents, what learning each of their tokens did, summed over the checkpoints; for
    none where it is no whole answer.

    tops: of every span of the answers, corpus indices of its documents, best first
    """
    most = min(of.member.config.scores.token_losses, of.member.config.scores.position_shares)
    made: ByToken = [[] for _ in tops]
    if not most:
        return made
    terms, wholes = terms_of(of), _wholes(of)
    for some in answers_together(terms, of.answers):
        own = [list(tops[wholes[a][0]][:most]) for a in some]
        sums = [[np.zeros(len(of.member.rows[i]), dtype=np.float32) for i in each] for each in own]  # [T] each
        for term in terms:
            asked = join_directions(term.of_spans(of.answers[a], [wholes[a][1]]) for a in some)
            told = token_losses(term.trained, asked, of.member.rows, own, term.n_train, n_labels=1)
            sums = [
                [total + term.weight * loss.influences for total, loss in zip(*each, strict=True)]
                for each in zip(sums, told, strict=True)
            ]
        for a, each in zip(some, sums, strict=True):
            made[wholes[a][0]] = each
    return made


def _wholes(of: Scoring) -> list[tuple[int, range]]:
    """Of every answer as a whole its number among the spans of all answers, and its tokens."""
    made, first = [], 0
    for each in of.found:
        number = next(n for n, span in enumerate(each.spans) if span.kind == ANSWER)
        made.append((first + number, each.spans[number].tokens))
        first += len(each.spans)
    return made
