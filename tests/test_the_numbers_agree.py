"""Holds, spent amounts and the ledger agree, and an audit finds where they do not."""

from __future__ import annotations

import uuid
from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from conversations.models import Audit, Budget, Hold, Turn
from conversations.services.billing import ledger_audit
from tests.clients import Api


def found_of(*ids: object) -> list[str]:
    """Return the audit's problems that mention these ids; other tests' rows may be in any state."""
    return [problem for problem in ledger_audit.audit().problems if any(str(id) in problem for id in ids)]


def test_after_turns_of_every_kind_they_agree(api: Api) -> None:
    budget = Budget.objects.create(user=api.user, limit=5)
    conversation = api.conversation(tools=[{"type": "platform", "name": "add"}])
    turns = [
        api.ask("Hello", conversation),
        api.ask('Add [[sandbox: tool=add{"first": 1}]]', conversation),
        api.begin("Hello [[sandbox: words=500; pace=0.05]]", conversation),
    ]
    running = turns[-1]["id"]
    api.events(running, limit=6)
    assert found_of(budget.pk, *(turn["id"] for turn in turns)) == []  # also while one runs
    api.post(f"turns/{running}/cancel/")
    api.ended(running)
    api.post(
        f"conversations/{conversation}/turns/?wait=true", {"content": "[[sandbox: error_after=2:overloaded_error]]"}
    )
    failed = api.get(f"conversations/{conversation}/turns/").json()["results"][0]["id"]
    assert found_of(budget.pk, failed, *(turn["id"] for turn in turns)) == []


def test_what_does_not_agree_is_found(api: Api) -> None:
    budget = Budget.objects.create(user=api.user, limit=5)
    turn = api.ask("Hello")
    Budget.objects.filter(pk=budget.pk).update(spent=Decimal("0.5"), held=1)
    lost = uuid.uuid4()
    Hold.objects.create(budget=budget, work=lost, number=1, amount=Decimal("0.25"))
    Turn.objects.filter(pk=turn["id"]).update(requests_sent=0)
    problems = found_of(budget.pk, lost, turn["id"])
    assert len(problems) == 4
    with pytest.raises(CommandError):
        call_command("check_ledger", stderr=StringIO())
    assert Audit.objects.first().problems  # type: ignore[union-attr]
    Hold.objects.filter(work=lost).delete()
    budget.delete()
    Turn.objects.filter(pk=turn["id"]).update(requests_sent=1)


def test_a_new_budget_begins_with_what_was_spent_already(api: Api) -> None:
    turn = api.ask("Hello")
    assert Budget.objects.create(user=api.user, limit=5).spent == Decimal(turn["cost"])
    assert api.get("me/").json()["budget"]["spent"] == turn["cost"]
