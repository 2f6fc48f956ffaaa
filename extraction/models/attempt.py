"""Attempts at an extraction, and their requests to Claude."""

from __future__ import annotations

import uuid

from django.db import models

from conversations.contract.wire import Block
from conversations.fields import VerbatimJSONField, uuid7
from conversations.models import Usage
from extraction.models.extraction import Extraction


class Attempt(models.Model):
    """One try at the complete data: one request to Claude, or several if it does not fit into one."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    extraction = models.ForeignKey(Extraction, on_delete=models.CASCADE, related_name="attempts")
    number = models.PositiveSmallIntegerField()
    problems = VerbatimJSONField(default=list)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("number",)
        constraints = (models.UniqueConstraint("extraction", "number", name="attempts_are_numbered"),)

    def __str__(self) -> str:
        return f"Attempt {self.number} of {self.extraction_id}"

    @property
    def native(self) -> bool:
        """Whether structured outputs enforced the schema in every request."""
        return all(answer.native for answer in self.answers.all() if not answer.turn)

    @property
    def content(self) -> list[Block]:
        """Claude's answers, in the order of the requests."""
        return [block for answer in self.answers.all() for block in answer.content]

    @property
    def stop_reason(self) -> str | None:
        """The last stop reason."""
        answers = list(self.answers.all())
        return answers[-1].stop_reason if answers else None

    @property
    def ledger_rows(self) -> list[Usage]:
        """Return the ledger rows of its requests, corrections included."""
        booked = [answer.usage for answer in self.answers.all() if answer.usage]
        return [row for first in booked for row in (first, *first.corrections.all())]


class Answer(models.Model):
    """One request to Claude for an attempt, and its answer; stored before it is parsed."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    attempt = models.ForeignKey(Attempt, on_delete=models.CASCADE, related_name="answers")
    number = models.PositiveIntegerField(help_text="Of the requests of the whole extraction, from 1.")
    part = models.PositiveIntegerField(default=0, help_text="Which part of the content it was asked about, from 0.")
    group = models.PositiveIntegerField(default=0, help_text="Which fields of the schema it was asked for, from 0.")
    turn = models.PositiveIntegerField(default=0, help_text="How often Claude was asked to go on before it, from 0.")
    native = models.BooleanField(help_text="Whether Claude was held to the schema, or only asked to keep to it.")
    content = VerbatimJSONField(default=list)
    stop_reason = models.CharField(max_length=100, null=True)  # noqa: DJ001 - null as in Claude's API
    whole = models.BooleanField(default=False, help_text="Whether Claude's last word came.")
    usage = models.OneToOneField(Usage, null=True, on_delete=models.SET_NULL, related_name="answer")
    created_at = models.DateTimeField(auto_now_add=True)

    attempt_id: uuid.UUID

    class Meta:
        ordering = ("number",)
        constraints = (models.UniqueConstraint("attempt", "part", "group", "turn", name="each_answer_once"),)

    def __str__(self) -> str:
        return f"Answer {self.number} of attempt {self.attempt_id}"
