"""Evaluations: created with their runs, and scored when these have ended."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Avg, DurationField, ExpressionWrapper, F, Max
from typing_extensions import TypedDict

from conversations.contract.wire import Block
from conversations.errors import InvalidRequest
from conversations.json_types import JSON
from conversations.models import User
from extraction.batches.results import final_data
from extraction.evaluation.aligning import Effort
from extraction.evaluation.comparing import Comparison, Match, compared
from extraction.evaluation.scoring import Scores, ScoresShown
from extraction.models import Batch, Evaluation, EvaluationItem, EvaluationRun, Extraction, Item
from extraction.services import batches, reviews
from extraction.services.batches import NewBatch, NewItem

DIFFERENCES_LIMIT = 1000
"""The maximal number of differences that are shown."""
ITEMS_LIMIT = 1000
"""The maximal number of an evaluation's contents, unless they are those of a batch."""
AT_ONCE = 200  # items that are stored or read at once


class RunValue(TypedDict):
    """What a run has at a place, and how it compares; null where the run has met nothing there."""

    value: JSON
    match: str | None


class Difference(TypedDict):
    """A place at which a run is not right."""

    key: str
    field: str
    path: str
    expected: JSON
    runs: list[RunValue]


@dataclass(frozen=True)
class ExpectedItem:
    """A content with known data."""

    key: str
    content: list[Block]
    """Content blocks as `attachments.store_sources` gives them."""
    expected: JSON


def create(*, user: User, items: Sequence[ExpectedItem], runs: Sequence[NewBatch]) -> Evaluation:
    """Create an evaluation: each run is a batch of the same contents, whose keys must be distinct."""
    with transaction.atomic():
        evaluation = Evaluation.objects.create(owner=user)
        EvaluationItem.objects.bulk_create(
            EvaluationItem(evaluation=evaluation, number=number, key=item.key, expected=item.expected)
            for number, item in enumerate(items)
        )
        for number, run in enumerate(runs):
            batch = batches.receive(user=user, new=run)
            EvaluationRun.objects.create(evaluation=evaluation, number=number, batch=batch)
    contents = [NewItem(item.key, number, item.content) for number, item in enumerate(items)]
    for run_row in evaluation.runs.select_related("batch__owner"):
        for start in range(0, len(contents), AT_ONCE):
            batches.add(batch=run_row.batch, items=contents[start : start + AT_ONCE])
        batches.start(batch=run_row.batch, digest="")
    return evaluation


def of_batch(batch: Batch) -> list[ExpectedItem]:
    """Return the reviewed (approved or corrected) items of a batch, by their keys.

    Raises InvalidRequest where there are none.
    """
    found = reviews.accepted(Extraction.objects.filter(item__batch=batch)).select_related("item")
    items = [_reviewed(each, each.item.key) for each in found.order_by("item__number")]
    if not items:
        raise InvalidRequest.at("items", "None of the batch's items has been approved or corrected.")
    return items


def of_schema(extraction: Extraction) -> list[ExpectedItem]:
    """Return a user's reviewed (approved or corrected) data of the schema of one of their extractions.

    The newest ones, up to the maximal number of an evaluation.
    """
    alike = Extraction.objects.filter(owner=extraction.owner_id, schema=extraction.schema_id)
    return [_reviewed(each, str(each.pk)) for each in reviews.accepted(alike).order_by("-pk")[:ITEMS_LIMIT]]


def of_extractions(user: User, ids: Sequence[uuid.UUID]) -> list[ExpectedItem]:
    """Return extractions with their reviewed (approved or corrected) data, by their ids.

    Raises NotFound for one that is not the user's, InvalidRequest for one whose data nobody has approved or corrected.
    """
    seen = Extraction.objects.visible_to(user).filter(pk__in=ids)
    accepted = {each.pk: each for each in reviews.accepted(seen)}
    for number, id in enumerate(ids):
        if id not in accepted:
            Extraction.objects.get_visible(user, id)
            raise InvalidRequest.at(f"items.extractions.{number}", "Its data has not been approved or corrected.")
    return [_reviewed(accepted[id], str(id)) for id in dict.fromkeys(ids)]


def _reviewed(extraction: Extraction, key: str) -> ExpectedItem:
    return ExpectedItem(key, extraction.content, final_data(extraction))


def settle(evaluation: Evaluation) -> Evaluation:
    """Store the scores of ended runs and, when all have ended, their differences."""
    runs = list(evaluation.runs.select_related("batch"))
    for run in runs:
        if run.scores is None and run.batch.finished_at is not None:
            run.scores = scores_of(run)
            run.save(update_fields=["scores"])
    if evaluation.differences is None and all(run.scores is not None for run in runs):
        evaluation.differences = differences_of(evaluation, runs)
        evaluation.save(update_fields=["differences"])
    return evaluation


def scores_of(run: EvaluationRun) -> ScoresShown:
    """Return the scores of a run by its results so far."""
    scores = Scores()
    for _, comparisons in _comparisons(run):
        scores.add(comparisons)
    return scores.shown()


def latency_of(batch: Batch) -> dict[str, float | None]:
    """Return the mean and maximal duration of a batch's extractions, in seconds."""
    took = ExpressionWrapper(F("extraction__finished_at") - F("extraction__started_at"), DurationField())
    found = batch.items.filter(extraction__finished_at__isnull=False).aggregate(mean=Avg(took), longest=Max(took))
    return {name: None if value is None else round(value.total_seconds(), 3) for name, value in found.items()}


def differences_of(evaluation: Evaluation, runs: Sequence[EvaluationRun]) -> list[Difference]:
    """Return the places at which a run is wrong: the expected value, and each run's."""
    places: dict[tuple[str, str, str], Difference] = {}
    for index, run in enumerate(runs):
        for key, comparisons in _comparisons(run):
            for each in comparisons:
                place = (key, each.field, each.place)
                row = places.setdefault(
                    place,
                    {
                        "key": key,
                        "field": each.field,
                        "path": each.place,
                        "expected": each.expected,
                        "runs": [{"value": None, "match": None} for _ in runs],
                    },
                )
                row["runs"][index] = {"value": each.actual, "match": each.match.value}
    wrong = [row for row in places.values() if any(each["match"] not in RIGHT for each in row["runs"])]
    return wrong[:DIFFERENCES_LIMIT]


RIGHT = (Match.EXACT, Match.NORMALISED)


def _comparisons(run: EvaluationRun) -> Iterator[tuple[str, list[Comparison]]]:
    """Yield the comparisons of each item of an ended run."""
    expected = dict(EvaluationItem.objects.filter(evaluation=run.evaluation_id).values_list("key", "expected"))
    ended = Item.objects.filter(batch=run.batch_id, finished_at__isnull=False).order_by("number")
    effort = Effort()
    for item in ended.select_related("extraction").defer("content").iterator(AT_ONCE):
        yield item.key, compared(expected.get(item.key), item.extraction.data if item.extraction else None, effort)
