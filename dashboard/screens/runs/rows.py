"""The rows of Runs: a prompt, and what each of the sizes that were asked wrote after it. No widget here."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from dashboard.address.selection import Selection
from dashboard.database.group_records import NO_VALUE, Owed, moved, named
from dashboard.database.prompt_turns import Turn
from dashboard.database.queries import answers, groups, influence
from dashboard.database.queries.rows import Snapshot
from dashboard.database.records import Best, Generation, Model
from dashboard.database.unit import Calibration, unit_for
from dashboard.database.whole_words import pieces_of
from dashboard.drawing.numbers import decimals, parameters, signed
from dashboard.drawing.shapes import Answer, Column, PromptRow


@dataclass(frozen=True)
class Page:
    """What is known of the prompts of one page. found: prompt_id -> its generations; slopes: by run."""

    found: dict[str, list[Generation]]
    turns: Mapping[str, list[Turn]]
    best: Mapping[str, Best]
    shares: Mapping[str, float]
    debts: Mapping[str, Owed]
    slopes: Mapping[str, Calibration | None]


def page_of(snapshot: Snapshot, prompt_ids: Sequence[str], group: str) -> Page:
    """Ask for it. group: of documents, '' for none."""
    found = answers.generations_of(snapshot, prompt_ids)
    ids = [each.generation_id for row in found.values() for each in row]
    best = influence.best_documents(snapshot, ids)
    debts = groups.owed(snapshot, *named(group), ids) if group else {}
    runs = {each.run_id for each in best.values()} | {each.run_id for each in debts.values()}
    return Page(
        found=found,
        turns=answers.turns_of(snapshot, list(found)),
        best=best,
        shares=answers.prompt_shares(snapshot, ids),
        debts=debts,
        slopes={each: influence.calibration(snapshot, each) for each in runs},
    )


def prompt_rows(
    page: Page, models: Sequence[Model], passing: Mapping[str, Collection[str]], chosen: Selection
) -> list[PromptRow]:
    """models: the sizes that are shown; passing: prompt_id -> the generations that pass the filters."""
    asked = {
        prompt_id: frozenset(each.model.model_id for each in of if each.model in models)
        for prompt_id, of in page.found.items()
    }
    rows = []
    for prompt_id, of in page.found.items():
        # a size that was not run yet stands beside those of its stage, never beside those of another
        around = max((each for each in asked.values() if each >= asked[prompt_id]), key=len)
        columns = [each for each in models if each.model_id in around]
        by_model = {each.model.model_id: each for each in of}
        written = [by_model.get(each.model_id) for each in columns]
        rows.append(
            PromptRow(
                prompt_id,
                page.turns[prompt_id],
                of[0].topic,
                [column(each) for each in columns],
                [_answer(each, page, passing.get(prompt_id, ()), chosen) if each else None for each in written],
            )
        )
    return rows


def column(model: Model) -> Column:
    return Column(model.name, f"{model.name} · {parameters(model.n_params)}")


def _answer(each: Generation, page: Page, passing: Collection[str], chosen: Selection) -> Answer:
    source, known = _source(page.best.get(each.generation_id), page.slopes)
    in_text = chosen.within == "answers"
    return Answer(
        each.generation_id,
        each.model.name,
        marked(each.text, chosen.token, chosen.match) if in_text else [(each.text, False)],
        each.right,
        source,
        known,
        page.shares.get(each.generation_id),
        _owed(page.debts.get(each.generation_id), page.slopes, chosen),
        each.generation_id in passing,
    )


def _source(best: Best | None, slopes: Mapping[str, Calibration | None]) -> tuple[str, str]:
    """The best document of an answer, what it does to it, and for how much of the answer that is known."""
    if best is None:
        return "", ""
    known = "" if best.n_tokens >= best.of_tokens else f"known for {best.n_tokens:,} of {best.of_tokens:,} tokens"
    amount = _nats(slopes.get(best.run_id), best.summed, best.logp)
    return f"← {best.title or 'untitled'}", ", ".join(filter(None, (amount, known)))


def _nats(calibration: Calibration | None, score: float, logp: float, error: float | None = None) -> str:
    """A change of log p; '' where it is not known how large it is."""
    unit = unit_for(calibration, logp, ())
    if unit.slope is None:
        return ""
    amount, apart = unit.shown(score), unit.half_width(score, error)
    places = decimals([amount])
    return f"{signed(amount, places)}{'' if apart is None else f' ± {apart:.{min(places, 6)}f}'} {unit.name}"


def _owed(owed: Owed | None, slopes: Mapping[str, Calibration | None], chosen: Selection) -> str:
    """What an answer owes to the chosen group, and the word that it moves most in that direction."""
    if owed is None:
        return ""
    _, value = named(chosen.group)
    slope = slopes.get(owed.run_id)
    word, amount, logp = moved(owed, chosen.tail)
    of_word = _nats(slope, amount, logp)
    most = f", most on “{word.strip()}”{f' ({of_word})' if of_word else ''}" if word.strip() else ""
    of_answer = _nats(slope, owed.score, owed.logp, owed.error)
    place = f"{owed.rank:,} of {owed.n_groups:,}"
    return f"{' '.join(filter(None, (value or NO_VALUE, of_answer)))}, {place}{most}"


def marked(text: str, token: str, match: str) -> list[tuple[str, bool]]:
    """A text with the words that the filter looks for marked; a pattern, which is DuckDB's to read, marks none."""
    if not token.strip() or match == "regex":
        return [(text, False)]
    return pieces_of(text, token, match)
