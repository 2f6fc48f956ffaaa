"""Extraction's parts of archives: schemas and extractions; and facts, which are not imported."""

from __future__ import annotations

from collections.abc import Iterator

from conversations.archives.fact_parts import columns, fact_lines
from conversations.archives.parts import FACTS, Part
from conversations.exact_json import dumps
from conversations.models import User
from extraction.archived import extraction_part, schema_part
from extraction.models import Attempt, Batch, Evaluation

ANSWER = ("number", "part", "group", "turn", "native", "content", "stop_reason", "whole", "usage", "created_at")
BATCH = ("id", "schema", "mode", "status", "concurrency", "model", "metadata", "created_at", "finished_at")


def _attempts(user: User) -> Iterator[bytes]:
    made = Attempt.objects.filter(extraction__owner=user).prefetch_related("answers")

    def told(attempt: Attempt) -> dict[str, object]:
        own = columns(attempt, ("extraction", "number", "problems", "created_at"))
        return {**own, "answers": [columns(answer, ANSWER) for answer in attempt.answers.all()]}

    return fact_lines(made, told)


def _batches(user: User) -> Iterator[bytes]:
    def told(batch: Batch) -> dict[str, object]:
        items = batch.items.order_by("number").values("key", "status", "extraction", "error").iterator()
        return {**columns(batch, BATCH), "items": list(items)}

    return fact_lines(Batch.objects.filter(owner=user), told)


def _evaluations(user: User) -> Iterator[bytes]:
    def told(evaluation: Evaluation) -> dict[str, object]:
        items = [{"key": item.key, "expected": dumps(item.expected)} for item in evaluation.items.order_by("number")]
        runs = [run.batch_id for run in evaluation.runs.order_by("number")]
        return {**columns(evaluation, ("id", "created_at")), "items": items, "runs": runs}

    return fact_lines(Evaluation.objects.filter(owner=user), told)


PARTS = [
    schema_part.SCHEMAS,
    extraction_part.EXTRACTIONS,
    Part(f"{FACTS}extraction_attempts.jsonl", _attempts),
    Part(f"{FACTS}extraction_batches.jsonl", _batches),
    Part(f"{FACTS}extraction_evaluations.jsonl", _evaluations),
]
