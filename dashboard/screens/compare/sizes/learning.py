"""What comes with size over all prompts: who is right, how sure, led by what; what only a larger size knows."""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dashboard.database.queries import sizes
from dashboard.database.queries.answers import models
from dashboard.database.queries.rows import Snapshot, kept
from dashboard.database.queries.sizes import Verdict


@dataclass(frozen=True)
class SizeTrend:
    """A size over the prompts with an expected answer that all sizes of its family and stage answered.

    right: share of right answers; chance: mean probability of the expected answer over the n_chance prompts that any
    size answered rightly, so that it was read by all; led: share of answers whose most helpful document says the
    expected answer. None: not known.
    """

    name: str
    n_params: int
    n_prompts: int
    right: float
    chance: float | None
    n_chance: int
    led: float | None


@kept(1)
def trends(snapshot: Snapshot) -> list[SizeTrend]:
    """Every size of a family and stage of which several answered the same prompts, smallest first."""
    of_prompt: dict[str, dict[str, Verdict]] = defaultdict(dict)
    for each in sizes.verdicts(snapshot):
        of_prompt[each.prompt_id].setdefault(each.model_id, each)
    first = [next((one for one in of.values() if one.right), None) for of in of_prompt.values()]
    logp = sizes.expected_logp(snapshot, [each for each in first if each is not None])
    led = sizes.led_by_the_answer(snapshot)
    kinds = defaultdict(list)
    for model in models(snapshot):
        kinds[model.family, model.stage].append(model)
    found = []
    for of_kind in kinds.values():
        ids = [each.model_id for each in of_kind]
        shared = {prompt: of for prompt, of in of_prompt.items() if all(each in of for each in ids)}
        if len(ids) < 2 or not shared:
            continue
        read = [prompt for prompt in shared if all((prompt, each) in logp for each in ids)]
        for model in of_kind:
            answered = [of[model.model_id] for of in shared.values()]
            right = sum(each.right for each in answered) / len(answered)
            chance = _mean([math.exp(logp[prompt, model.model_id]) for prompt in read])
            leads = [led[each.generation_id] for each in answered if each.generation_id in led]
            found.append(SizeTrend(model.name, model.n_params, len(answered), right, chance, len(read), _mean(leads)))
    return found


@kept(1)
def learned(snapshot: Snapshot) -> dict[tuple[str, str], list[tuple[str, str]]]:
    """(smaller, larger) size of a family, by name -> (generation of the smaller, of the larger) for every prompt that
    the smaller one answers wrongly and the larger one rightly; only pairs with such a prompt."""
    of_prompt: dict[str, list[Verdict]] = defaultdict(list)
    for each in sizes.verdicts(snapshot):
        of_prompt[each.prompt_id].append(each)
    known = {each.model_id: each for each in models(snapshot)}
    order: Mapping[str, int] = {model_id: i for i, model_id in enumerate(known)}
    found: dict[tuple[str, str], list[tuple[str, str]]] = defaultdict(list)
    for answered in of_prompt.values():
        for small in (each for each in answered if not each.right):
            for large in (each for each in answered if each.right):
                one, other = known[small.model_id], known[large.model_id]
                if one.family == other.family and one.n_params < other.n_params:
                    found[one.name, other.name].append((small.generation_id, large.generation_id))
    names = {each.name: order[each.model_id] for each in known.values()}
    return dict(sorted(found.items(), key=lambda each: (names[each[0][0]], -names[each[0][1]])))


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None
