"""What learning each token of a document did to a whole answer, by an estimator that is a sum of gradient products.

The products of an answer's tokens are added up without asking for the answer (`products.py`). Here it is asked for: one
query for each answer at each checkpoint, and a pass of its first few documents along that direction.
"""

from collections.abc import Sequence

import numpy as np

from attribution.exact.token_loss import token_losses
from indexer.tracing.heat import ByToken
from indexer.tracing.products import terms_of
from indexer.tracing.scoring import Scoring
from indexer.tracing.spans import ANSWER


def losses_of_answers(of: Scoring, tops: Sequence[Sequence[int]]) -> ByToken:
    """Of every span, for its first documents, what learning each of their tokens did, summed over the checkpoints; for
    none where it is no whole answer.

    tops: of every span of the answers, corpus indices of its documents, best first
    """
    most = min(of.member.config.scores.token_losses, of.member.config.scores.position_shares)
    made: ByToken = []
    for answer, found in zip(of.answers, of.found, strict=True):
        for span in found.spans:
            own = list(tops[len(made)][:most]) if span.kind == ANSWER else []
            sums = [np.zeros(len(of.member.rows[i]), dtype=np.float32) for i in own]
            for term in terms_of(of) if own else ():
                asked = term.of_spans(answer, [span.tokens])
                [told] = token_losses(term.trained, asked, of.member.rows, [own], term.n_train, n_labels=1)
                sums = [total + term.weight * each.influences for total, each in zip(sums, told, strict=True)]
            made.append(sums)
    return made
