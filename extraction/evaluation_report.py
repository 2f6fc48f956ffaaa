"""The report of an evaluation, for the API, the command and the admin."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from typing_extensions import TypedDict

from conversations.claude.pricing import decimal_string
from extraction.batches import progress
from extraction.evaluation.scoring import ScoresShown
from extraction.models import Evaluation, EvaluationRun
from extraction.services import evaluations
from extraction.services.evaluations import Difference


class RunReport(TypedDict):
    """A run as far as it is."""

    batch: uuid.UUID
    schema: dict[str, object]
    schema_shown: str
    model: str
    status: str
    counts: dict[str, int]
    items: str
    scores: ScoresShown
    cost: str | None
    latency: dict[str, float | None]
    """Mean and longest, in seconds."""


@dataclass(frozen=True)
class Report:
    """An evaluation as far as it is."""

    items: int
    ended: bool
    """Whether all runs have ended."""
    runs: list[RunReport]
    differences: list[Difference]
    """Places at which a run is not right: what is expected, and what each run has; empty until all have ended."""


def report_of(evaluation: Evaluation) -> Report:
    """Return the report of an evaluation, after storing the scores of ended runs."""
    evaluations.settle(evaluation)
    runs = list(evaluation.runs.select_related("batch__schema"))
    return Report(
        items=evaluation.items.count(),
        ended=evaluation.differences is not None,
        runs=[_run(run) for run in runs],
        differences=evaluation.differences or [],
    )


def _run(run: EvaluationRun) -> RunReport:
    batch = run.batch
    how_far = progress.of_batch(batch)
    ended = how_far.counts["total"] - how_far.counts["queued"] - how_far.counts["running"]
    return {
        "batch": batch.pk,
        "schema": {"id": batch.schema_id, "name": batch.schema.name, "version": batch.schema.version},
        "schema_shown": str(batch.schema),
        "model": batch.model,
        "status": batch.status,
        "counts": how_far.counts,
        "items": f"{ended} of {how_far.counts['total']}",
        "scores": run.scores or evaluations.scores_of(run),
        "cost": None if how_far.cost is None else decimal_string(how_far.cost),
        "latency": evaluations.latency_of(batch),
    }
