"""Counts and rates over many comparisons."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from typing_extensions import TypedDict

from extraction.evaluation.comparing import Comparison, Match


class ScoreShown(TypedDict):
    """Counts and rates as the API shows them.

    `exact` is part of `normalised`, which has all that mean the same. Precision is the share of the values that are
    right among those that were extracted, recall among those that were expected; null where there are none.
    """

    expected: int
    exact: int
    normalised: int
    wrong: int
    missing: int
    extra: int
    precision: float | None
    recall: float | None


class FieldScoreShown(ScoreShown):
    """The score of one field."""

    field: str


class ScoresShown(TypedDict):
    """The scores of a run."""

    total: ScoreShown
    fields: list[FieldScoreShown]


@dataclass
class Score:
    """The numbers of matches of a field, or of all fields."""

    counts: Counter[Match] = field(default_factory=Counter)

    def shown(self) -> ScoreShown:
        """Return the counts and rates as the API shows them."""
        counts = self.counts
        right = counts[Match.EXACT] + counts[Match.NORMALISED]
        wrong, missing, extra = counts[Match.WRONG], counts[Match.MISSING], counts[Match.EXTRA]
        return {
            "expected": right + wrong + missing,
            "exact": counts[Match.EXACT],
            "normalised": right,
            "wrong": wrong,
            "missing": missing,
            "extra": extra,
            "precision": _rate(right, right + wrong + extra),
            "recall": _rate(right, right + wrong + missing),
        }


@dataclass
class Scores:
    """The scores of each field, in the order of their first occurrence, and of all together."""

    total: Score = field(default_factory=Score)
    fields: dict[str, Score] = field(default_factory=dict)

    def add(self, comparisons: Iterable[Comparison]) -> None:
        """Count the comparisons of one more item."""
        for each in comparisons:
            self.total.counts[each.match] += 1
            self.fields.setdefault(each.field, Score()).counts[each.match] += 1

    def shown(self) -> ScoresShown:
        """Return the scores as the API shows them."""
        fields: list[FieldScoreShown] = [{"field": field, **score.shown()} for field, score in self.fields.items()]
        return {"total": self.total.shown(), "fields": fields}


def _rate(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None
