"""Whether figures are those of a model as it is built here: the same weights, documents and settings."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from typing import Any

from indexer.config.config import Config, FactorSettings, ScoreSettings
from indexer.figures.file import Saved
from indexer.size.member import Member

# of `[scores]`: what is kept of influence, not what it is
KEPT = ("method", "candidates", "documents", "position_shares", "token_losses", "words", "whole_answers")
_KINDS: Mapping[str, type] = {"factors": FactorSettings, "scores": ScoreSettings}


def settings_of(config: Config) -> dict[str, dict[str, Any]]:
    """What figures depend on, as JSON has it."""
    scores = {name: value for name, value in asdict(config.scores).items() if name not in KEPT}
    return {"factors": _plain(asdict(config.factors)), "scores": _plain(scores)}


def differences(saved: Saved, member: Member) -> list[str]:
    """What is not as it was measured, in words; none where the figures hold. A setting that a file of before does not
    name had its default."""
    found = [] if saved.weights == member.loaded.weights_hash else ["other weights"]
    found += [] if saved.corpus == member.corpus.hash else ["other documents"]
    for table, settings in settings_of(member.config).items():
        before = _defaults(_KINDS[table]) | dict(saved.settings.get(table, {}))
        found += [
            f"{name} {before[name]!r}, not {value!r}" for name, value in settings.items() if before[name] != value
        ]
    return found


def matched(figures: Sequence[Saved], members: Sequence[Member]) -> tuple[list[tuple[Member, Saved]], list[str]]:
    """The models whose figures hold, and a line for each whose figures do not; a model without figures is neither, one
    that several commands have measured is there for each."""
    holds, lines = [], []
    for member in members:
        of = [each for each in figures if each.weights == member.loaded.weights_hash]
        of = of or [each for each in figures if each.model == member.entry.name]
        for each in of:
            if wrong := differences(each, member):
                said = f"{member.entry.name}: its figures are left out, they were measured with {'; '.join(wrong)}"
                lines += [said] if said not in lines else []
            else:
                holds.append((member, each))
    return holds, lines


def _defaults(kind: type) -> dict[str, Any]:
    return _plain({each.name: each.default for each in fields(kind)})


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}
