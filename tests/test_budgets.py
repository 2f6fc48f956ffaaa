"""Nobody spends more than their budget: costs are held before a request and settled after it, under concurrency."""

from __future__ import annotations

import asyncio
import signal
import uuid
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import aiohttp
import pytest
from django.contrib.auth.models import Group
from django.db.models import Sum

from conversations.models import Budget, Hold, Turn, Usage
from conversations.sandbox.server import Sandbox
from tests.clients import Api
from tests.processes import ServerProcess
from tests.waiting import until

LEASE = 2
LONG = "Hello [[sandbox: words=400; pace=0.1]]"


def limited(api: Api, limit: int | str | Decimal, **fields: Any) -> Budget:
    return Budget.objects.create(**({"user": api.user} | fields), limit=Decimal(limit))


def one_hold(api: Api) -> Decimal:
    """Return the amount that is held for the first turn of a conversation."""
    budget = limited(api, 1000)
    turn = api.begin(LONG)
    held: Decimal = Hold.objects.get(work=turn["id"]).amount
    api.post(f"turns/{turn['id']}/cancel/")
    api.ended(turn["id"])
    budget.delete()
    return held


def spent_of(api: Api) -> Decimal:
    found: Decimal = Usage.objects.filter(user=api.user).aggregate(cost=Sum("cost"))["cost"] or Decimal(0)
    return found


def test_a_hundred_at_once_with_room_for_twenty(api: Api) -> None:
    amount = one_hold(api)
    budget = limited(api, amount * 20 + amount / 2)
    conversations = [api.conversation() for _ in range(100)]

    async def ask(session: aiohttp.ClientSession, id: str) -> int:
        body = {"content": LONG}
        async with session.post(f"{api.url}/api/conversations/{id}/turns/", json=body) as response:
            return response.status

    async def all() -> list[int]:
        headers = {"Authorization": f"Bearer {api.token}"}
        async with aiohttp.ClientSession(headers=headers, connector=aiohttp.TCPConnector(limit=0)) as session:
            return await asyncio.gather(*(ask(session, id) for id in conversations))

    assert Counter(asyncio.run(all())) == {201: 20, 429: 80}
    turns = Turn.objects.filter(conversation_id__in=conversations)
    assert turns.count() == 20
    for turn in turns:
        api.post(f"turns/{turn.pk}/cancel/")
        assert api.ended(str(turn.pk))["status"] == "cancelled"
    settled = Budget.objects.get(pk=budget.pk)
    assert settled.held == 0
    assert 0 < settled.spent == spent_of(api) < budget.limit


def test_what_is_refused_says_which_budget_and_when_it_frees_and_leaves_nothing(api: Api) -> None:
    conversation = api.conversation()
    limited(api, "0.0001", period="day")
    response = api.post(f"conversations/{conversation}/turns/", {"content": "Hello"})
    error = response.json()["error"]
    assert (response.status_code, error["type"]) == (429, "budget_exceeded")
    assert error["details"].items() >= {"budget": "user", "period": "day", "limit": "0.0001", "spent": "0"}.items()
    assert error["details"]["frees_at"].endswith("T00:00:00Z")
    assert 0 < int(response.headers["Retry-After"]) <= 86_400
    assert api.get(f"conversations/{conversation}/messages/").json()["results"] == []
    assert not Hold.objects.filter(budget__user=api.user).exists()


def test_one_sees_ones_own_budget(api: Api) -> None:
    assert api.get("me/").json()["budget"] is None
    limited(api, 5)
    turn = api.ask("Hello")
    budget = api.get("me/").json()["budget"]
    assert budget["frees_at"]
    assert {name: budget[name] for name in ("limit", "spent", "held", "period")} == {
        "limit": "5",
        "spent": turn["cost"],
        "held": "0",
        "period": "month",
    }


def test_a_limit_that_is_changed_leaves_what_was_spent_meanwhile(api: Api) -> None:
    budget = limited(api, 5)
    turn = api.ask("Hello")
    running = api.begin(LONG)
    budget.limit = Decimal(7)  # by somebody who read it before
    budget.save()
    budget.refresh_from_db()
    assert budget.limit == 7
    assert budget.spent == Decimal(turn["cost"])
    assert budget.held == Hold.objects.get(work=running["id"]).amount
    api.post(f"turns/{running['id']}/cancel/")


def test_groups_and_all_together_have_budgets_too(api: Api, other: Api) -> None:
    group = Group.objects.create(name=f"group-{uuid.uuid4()}")
    group.user_set.add(api.user)
    limited(api, "0.0001", user=None, group=group)
    response = api.post(f"conversations/{api.conversation()}/turns/", {"content": "Hello"})
    assert response.status_code == 429
    assert response.json()["error"]["details"].keys() == {"budget", "period", "frees_at"}
    assert other.ask("Hello")["status"] == "completed"


def test_a_later_request_of_a_turn_is_held_too(api: Api) -> None:
    amount = one_hold(api)
    limited(api, amount * 2)
    conversation = api.conversation(tools=[{"type": "platform", "name": "add"}])
    rounds = "; then; ".join(['tool=add{"first": 1}'] * 9)
    response = api.post(f"conversations/{conversation}/turns/?wait=true", {"content": f"Go [[sandbox: {rounds}]]"})
    assert response.json()["error"]["type"] == "budget_exceeded"
    turn = api.get(f"conversations/{conversation}/turns/").json()["results"][0]
    assert turn["status"] == "failed"
    assert not Hold.objects.filter(work=turn["id"]).exists()


def test_a_turn_that_waits_for_its_client_holds_nothing(api: Api) -> None:
    budget = limited(api, 5)
    conversation = api.conversation(tools=[{"name": "look", "input_schema": {"type": "object"}}])
    turn = api.ask("Hello [[sandbox: tool=look]]", conversation)
    budget.refresh_from_db()
    assert turn["status"] == "awaiting_tools"
    assert budget.held == 0
    assert budget.spent == Decimal(turn["cost"])


def test_an_unknown_models_turns_count_at_the_assumed_price(api: Api, sandbox: Sandbox) -> None:
    budget = limited(api, 5)
    sandbox.replay = (
        b'event: message_start\ndata: {"type":"message_start","message":{"id":"m","type":"message","role":"assistant",'
        b'"model":"my-own","content":[],"stop_reason":null,"usage":{"input_tokens":1000,"output_tokens":1}}}\n\n'
        b'event: message_delta\ndata: {"type":"message_delta","delta":{"stop_reason":"end_turn"},'
        b'"usage":{"output_tokens":100}}\n\nevent: message_stop\ndata: {"type":"message_stop"}\n\n'
    )
    try:
        turn = api.ask("Hello", model="my-own")
    finally:
        sandbox.replay = None
    assert turn["cost"] is None
    budget.refresh_from_db()
    assert budget.spent == Decimal("0.015")  # at 10 and 50 dollars per million


def test_an_extraction_is_held_to_them_too(api: Api) -> None:
    body = {"schema": {"type": "object", "properties": {"name": {"type": "string"}}}, "content": "Ada"}
    budget = limited(api, 5)
    done = api.post("extraction/extractions/?wait=true", body).json()
    budget.refresh_from_db()
    assert budget.spent == Decimal(done["cost"]) > 0
    assert budget.held == 0
    Budget.objects.filter(pk=budget.pk).update(limit=budget.spent)
    response = api.post("extraction/extractions/?wait=true", body)
    assert response.json()["error"]["type"] == "budget_exceeded", response.text


@pytest.fixture
def two(database: str, sandbox: Sandbox) -> Iterator[list[ServerProcess]]:
    with (
        ServerProcess("uvicorn", database, sandbox.url, COLLOQUY_LEASE=str(LEASE)) as one,
        ServerProcess("uvicorn", database, sandbox.url, COLLOQUY_LEASE=str(LEASE)) as other,
    ):
        yield [one, other]


def test_no_hold_outlives_its_process_and_nothing_spent_is_given_back(two: list[ServerProcess]) -> None:
    with Api(two[0].url) as api:
        budget = limited(api, 5)
        first = api.ask("Hello")
        turn = api.begin("Hello [[sandbox: words=500; pace=0.05]]")
        api.events(turn["id"], limit=6)
        assert Hold.objects.filter(work=turn["id"]).exists()
        two[0].process.send_signal(signal.SIGKILL)
        until(lambda: not Hold.objects.filter(work=turn["id"]).exists())
    budget.refresh_from_db()
    assert budget.held == 0
    assert budget.spent == spent_of(api) > Decimal(first["cost"])


def test_a_new_period_begins_with_nothing_spent(api: Api) -> None:
    budget = limited(api, 5, period="day")
    Budget.objects.filter(pk=budget.pk).update(spent=4, period_start="2020-01-01")
    assert api.get("me/").json()["budget"]["spent"] == "0"
    turn = api.ask("Hello")
    budget.refresh_from_db()
    assert budget.spent == Decimal(turn["cost"])


@pytest.fixture(scope="module")
def lowering(database: str, sandbox: Sandbox) -> Iterator[ServerProcess]:
    with ServerProcess("uvicorn", database, sandbox.url, COLLOQUY_BUDGETS_LOWER_MAX_TOKENS="true") as process:
        yield process


def test_a_turn_is_made_shorter_where_that_is_wanted(api: Api, lowering: ServerProcess, sandbox: Sandbox) -> None:
    limited(api, one_hold(api) / 2)
    conversation = api.conversation()
    assert api.post(f"conversations/{conversation}/turns/", {"content": "Hello"}).status_code == 429
    with Api.of(lowering.url, api) as lowered:
        turn = lowered.ask("Hello [[sandbox: words=2000]]", conversation)
    assert turn["stop_reason"] == "max_tokens"
    assert 16 <= turn["usage"]["output_tokens"] <= sandbox.requests[-1].body["max_tokens"] < 1024
    assert spent_of(api) <= Budget.objects.get(user=api.user).limit


def test_a_turn_that_thinks_is_not_made_shorter_than_its_thinking(api: Api, lowering: ServerProcess) -> None:
    """Claude would refuse a max_tokens below the thinking budget."""
    fields: dict[str, Any] = {"max_tokens": 4000, "thinking": {"type": "enabled", "budget_tokens": 2000}}
    limited(api, "0.04")
    with Api.of(lowering.url, api) as lowered:
        assert lowered.ask("Hello", **fields)["status"] == "completed"
        Budget.objects.filter(user=api.user).update(limit="0.02", spent=0)
        response = lowered.post(f"conversations/{lowered.conversation()}/turns/", {"content": "Hello", **fields})
    assert (response.status_code, response.json()["error"]["type"]) == (429, "budget_exceeded")
