"""One answer and what made it: its tokens, the documents behind each of them, the words of the prompt, the heads and
neurons that carry it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from attribution.errors import BadInput
from attribution.normalisers import NORMALISERS
from dashboard.database.group_records import GroupScore
from dashboard.database.kept.inside import KeptInside
from dashboard.database.queries import documents
from dashboard.database.queries.rows import Snapshot
from dashboard.database.ranking import rank_documents
from dashboard.database.records import KeptScores, PromptToken, Token
from dashboard.database.span_records import VerbatimSpan
from dashboard.database.unit import Unit, change_nats
from whence import inside
from whence.prompt_map import PromptMap
from whence.spans import KeptSpans, span_of

if TYPE_CHECKING:
    import pandas as pd

ABOUT = ("document_id", "title", "source", "topic", "text")
COLUMNS = (*ABOUT, "influence", "change", "value", "rank", "known", "self_influence")

GROUPS = ("corpus", "column", "value", "n_documents", "influence", "change", "error")


@dataclass(frozen=True)
class Evidence:
    """Where an answer's numbers come from: the database, or what a model has just said."""

    snapshot: Snapshot
    pairs: Callable[[int, int], KeptScores]  # kept scores of the tokens first..last
    self_influence: Mapping[int, float]  # of each token
    methods: tuple[str, ...]  # of saliency
    saliency: Callable[[str, tuple[int, int]], NDArray[np.float64]]  # method, [K, S] -> scores, NaN where none
    inside: KeptInside
    spans: KeptSpans
    groups: Callable[[int, int], list[GroupScore]]  # of the tokens first..last
    verbatim: Callable[[], list[VerbatimSpan] | None]  # None where nothing was looked for
    unit: Callable[[int, int], Unit]  # of influences on the tokens first..last
    group_unit: Callable[[int, int], Unit]  # of influences of whole groups on them


@dataclass(frozen=True)
class Answer:
    """What one model wrote after one prompt. `token` counts from 0; a pair (first, last) holds both of its ends.

    method: of the influence, "" where the build computed none. notices: what was cut or left out.
    """

    generation_id: str
    model: str
    prompt: str
    text: str
    method: str
    notices: tuple[str, ...]
    token_records: tuple[Token, ...] = field(repr=False)
    prompt_records: tuple[PromptToken, ...] = field(repr=False)
    evidence: Evidence = field(repr=False, compare=False)

    @property
    def tokens(self) -> pd.DataFrame:
        """[K] position, text, start, stop (characters of `text`), logp (nats), foil_text, foil_logp, and the bits that
        the token costs with nothing, with the question, with the documents of the prompt, and with all of it."""
        return _table(Token, self.token_records)

    @property
    def prompt_tokens(self) -> pd.DataFrame:
        """[P] position, text, start, stop (characters of `prompt`), part (of the prompt, missing where not known)."""
        return _table(PromptToken, self.prompt_records)

    @property
    def spans(self) -> pd.DataFrame:
        """The words of the answer in order, then the whole of it, as far as they are explained as one.

        [S] kind (word, answer), text, first, last (tokens, both included), start, stop (characters of `text`); logp
        (nats), self_influence (nats, of the query on itself), n_scored: documents that all spans are scored on. No rows
        where the build has none.
        """
        import pandas as pd

        rows = []
        for of in self.evidence.spans.spans():
            target = self.evidence.spans.span_target(of)
            known = (np.nan, np.nan, 0) if target is None else (target.value, target.self_influence, target.n_scored)
            rows.append((of.kind, self.text[of.start : of.stop], of.first, of.last, of.start, of.stop, *known))
        names = ("kind", "text", "first", "last", "start", "stop", "logp", "self_influence", "n_scored")
        return pd.DataFrame(rows, columns=list(names))

    def documents(self, token: int | tuple[int, int] | None = None, normaliser: str = "none") -> pd.DataFrame:
        """The training documents behind one token, a span, or the whole answer, most helpful first.

        [N] document_id, title, source, topic, text; influence: as the formula gives it and the database keeps it,
        summed over the span; change: of log p, in nats, if the document were seen once more, as retraining has
        calibrated it, missing where none has; value: the influence normalised (`none`, `grad_norm`,
        `grad_norm_squared`, `relatif_l`, `relatif_theta`, `cosine`), by which they are ordered; rank: among all scored
        documents, from 1; known: tokens of the span for which its score was kept; self_influence: of the document on
        itself, as the formula gives it.

        The whole answer, and tokens that are one of `spans`, are ranked exactly. Of other tokens together the influence
        is the sum over those for which it was kept, and the rank the best of them.

        Raises BadInput for a token that the answer does not have, an unknown normaliser, a cosine of tokens that are no
        span, and where no influence was computed.
        """
        import pandas as pd

        first, last = self._span(token)
        if not self.method:
            raise BadInput("expected influence, found a build without any; name a method in [scores] and build again")
        span = span_of(self.evidence.spans.spans(), None if token is None else (first, last))
        one = span is not None or first == last
        if normaliser not in NORMALISERS or (normaliser == "cosine" and not one):
            names = ", ".join(name for name in NORMALISERS if name != "cosine" or one)
            raise BadInput(f"expected a normaliser of {last - first + 1} tokens ({names}), found {normaliser!r}")
        scores = self.evidence.pairs(first, last) if span is None else self.evidence.spans.span_scores(span)
        ranked = rank_documents(scores, normaliser)
        about = documents.documents(self.evidence.snapshot, [each.document_id for each in ranked])
        unit = self.evidence.unit(first, last) if span is None else self.evidence.unit(span.first, span.last)
        rows = []
        for each in ranked:
            of = about[each.document_id]
            rows.append(
                (each.document_id, of.title, of.source, of.topic, of.text, each.score)
                + (change_nats(unit, each.score), each.value, each.best_rank)
                + (each.known if span is None else span.last - span.first + 1, each.self_influence)
            )
        return pd.DataFrame(rows, columns=list(COLUMNS))

    def groups(self, token: int | tuple[int, int] | None = None) -> pd.DataFrame:
        """Whole sources, topics and whatever else the build groups documents by, behind one token, a span, or the whole
        answer; the most helpful of a column first.

        [G] corpus, column ("" for all documents of the corpus), value, n_documents; influence, change: as in
        `documents`, if all documents of the group were seen once more; error: the standard error of the influence where
        the gradient index estimates it, missing where it is exact. A build computes them by one method, whichever
        the answer's is: `ekfac` where there is such a run.

        Raises BadInput for a token that the answer does not have, and where no groups were computed.
        """
        import pandas as pd

        found = self.evidence.groups(*self._span(token))
        if not found:
            raise BadInput("expected influence of groups, found a build without; set [groups] by and build again")
        unit = self.evidence.group_unit(*self._span(token))
        rows = [
            (of.corpus, of.column_name, of.value, of.n_documents, of.score, change_nats(unit, of.score), of.error)
            for of in found
        ]
        return pd.DataFrame(rows, columns=list(GROUPS))

    @property
    def verbatim(self) -> pd.DataFrame:
        """The longest spans of the answer that stand in the training texts, word for word, in order.

        [N] first, last (tokens, both included), text, n_places, n_documents, places: some of them, as (document_id,
        token of the document where the span begins), one in every document that is kept for its influence. Raises
        BadInput where the build did not look for them.
        """
        import pandas as pd

        found = self.evidence.verbatim()
        if found is None:
            raise BadInput("expected verbatim spans, found a build without; set [verbatim] enabled and build again")
        tokens = self.token_records
        rows = [
            (of.first, of.last, self.text[tokens[of.first].start : tokens[of.last].stop])
            + (of.n_places, of.n_documents, list(of.places))
            for of in found
        ]
        return pd.DataFrame(rows, columns=["first", "last", "text", "n_places", "n_documents", "places"])

    @property
    def saliency_methods(self) -> tuple[str, ...]:
        """The methods that `saliency` knows for this answer."""
        return self.evidence.methods

    def saliency(self, method: str = "grad_x_input") -> PromptMap:
        """What the words of the prompt did, by one of `saliency_methods`; raises BadInput for another."""
        if method not in self.saliency_methods:
            known = ", ".join(self.saliency_methods) or "none"
            raise BadInput(f"expected a saliency method of this answer ({known}), found {method!r}; choose one of them")
        texts = tuple(each.text for each in self.token_records)
        sources = (*(each.text for each in self.prompt_records), *texts[:-1])
        scores = self.evidence.saliency(method, (len(texts), len(sources)))
        return PromptMap(method, texts, sources, len(self.prompt_records), scores)

    def components(self, token: int | tuple[int, int] | None = None) -> pd.DataFrame:
        """The heads and the strongest neurons behind one token, a span, or the whole answer, by kind, depth and number.

        [N] component (as `head:3.5`), kind, depth, number; direct: what it writes into the logit; total: nats of log p
        that it adds, as it is and not as it is on average, to the first order; taught: nats, the sizes of what kept
        training documents do through it. All are sums over the span; missing where nothing is kept of a component.

        Raises BadInput for a token that the answer does not have, and where the model is not split.
        """
        return inside.components(self.evidence.inside, self._span(token))

    def documents_through(self, component: str, token: int | tuple[int, int] | None = None) -> pd.DataFrame:
        """The training documents whose influence passes through a head or neuron, the largest first.

        [N] document_id, title, source, topic, text, influence (nats, the part that passes through it). Raises BadInput
        as `components` does, and for a component that the model does not have.
        """
        import pandas as pd

        found = inside.taught(self.evidence.inside, component, self._span(token))
        about = documents.documents(self.evidence.snapshot, list(found))
        rows = [
            (each, about[each].title, about[each].source, about[each].topic, about[each].text, score)
            for each, score in sorted(found.items(), key=lambda of: (-abs(of[1]), of[0]))
        ]
        return pd.DataFrame(rows, columns=["document_id", "title", "source", "topic", "text", "influence"])

    def attention(self, head: str, token: int) -> pd.DataFrame:
        """What a head reads where a token is decided: [S] position, text, weight, over prompt and answer before it.

        Raises BadInput as `documents_through` does, and for a head whose attention is not kept.
        """
        import pandas as pd

        self._span(token)
        weights = inside.attention(self.evidence.inside, head, token)
        texts = [*(each.text for each in self.prompt_records), *(each.text for each in self.token_records)]
        texts = texts[: len(weights)]
        return pd.DataFrame({"position": range(len(texts)), "text": texts, "weight": weights})

    def lens(self, token: int | tuple[int, int] | None = None) -> pd.DataFrame:
        """What the model would say if it ended after each block: [N] position, depth (-1: after the embedding), logp
        (nats) and rank (from 1) of the token that was written, top_text and top_logp of the most probable one."""
        return inside.lens(self.evidence.inside, self._span(token))

    def _span(self, token: int | tuple[int, int] | None) -> tuple[int, int]:
        last = len(self.token_records) - 1
        found = (0, last) if token is None else token if isinstance(token, tuple) else (token, token)
        if not 0 <= found[0] <= found[1] <= last:
            raise BadInput(f"expected a token from 0 to {last} or a pair of them, found {token!r}; see `answer.tokens`")
        return found


def _table(kind: type[Any], records: Sequence[Any]) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame([asdict(each) for each in records], columns=[each.name for each in fields(kind)])
