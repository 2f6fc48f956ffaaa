"""Batches extract from many contents, on any worker, each item once; they can be paused, cancelled and retried."""

from __future__ import annotations

import json
from collections import Counter
from decimal import Decimal
from typing import Any

import pytest

from conversations.models import Budget, Hold, Usage
from tests import batches
from tests.batches import NAME_AND_EMAIL, contact
from tests.clients import Api

pytestmark = pytest.mark.usefixtures("worker")


@pytest.mark.parametrize("mode", ["live", "batch"])
def test_every_item_has_its_data_and_is_booked_once(api: Api, mode: str) -> None:
    batch = batches.create(api, [contact(number) for number in range(5)], mode=mode)
    assert (batch["counts"]["total"], batch["expected_cost"], batch["schema"]["name"]) == (5, None, None)
    batch = batches.ended(api, batch["id"])
    assert (batch["status"], batch["counts"]["succeeded"], batch["seconds_left"]) == ("ended", 5, 0)
    found = batches.items(api, batch["id"])
    assert [item["data"]["email"] for item in found.values()] == [f"jane{number}@example.com" for number in range(5)]
    rows = Usage.objects.filter(user=api.user)
    assert [row.batch for row in rows] == [mode == "batch"] * 5
    assert Decimal(batch["cost"]) == sum(row.cost or 0 for row in rows) == Decimal(batch["expected_cost"])
    assert not Hold.objects.filter(work__in=[item["extraction"] for item in found.values()]).exists()


def test_a_message_batch_costs_half(api: Api) -> None:
    costs = {}
    for mode in ("live", "batch"):
        costs[mode] = Decimal(batches.ended(api, batches.create(api, [contact(1)], mode=mode)["id"])["cost"])
    assert costs["batch"] * 2 == costs["live"]


def test_what_becomes_of_items_is_told(api: Api) -> None:
    wrong = '[[sandbox: json="{}"; always]]'
    batch = batches.create(
        api, [contact(0), contact(1, wrong), contact(2, "[[sandbox: refusal]]"), contact(3, "[[sandbox: error=400]]")]
    )
    counts = batches.ended(api, batch["id"])["counts"]
    assert {name: counts[name] for name in ("succeeded", "invalid", "refused", "failed")} == dict.fromkeys(
        ("succeeded", "invalid", "refused", "failed"), 1
    )
    found = batches.items(api, batch["id"])
    assert found["item-3"]["error"]["type"] == "invalid_request_error"
    assert found["item-1"]["problems"]
    assert list(batches.items(api, batch["id"], status="failed")) == ["item-3"]


def test_json_lines_and_files_are_items_too(api: Api) -> None:
    api.post("extraction/schemas/", {"name": "contact", "json_schema": NAME_AND_EMAIL})
    lines = "\n".join(json.dumps(contact(number)) for number in range(3))
    headers = {"Content-Type": "application/x-ndjson"}
    path = "/api/extraction/batches/"
    by_query = api.http.post(f"{path}?schema=contact&concurrency=2&evidence=false", content=lines, headers=headers)
    assert by_query.status_code == 201, by_query.text
    first_line = json.dumps({"schema": NAME_AND_EMAIL, "mode": "live", "evidence": False})
    by_line = api.http.post(path, content=f"{first_line}\n{lines}\n", headers=headers)
    assert by_line.status_code == 201, by_line.text
    files = [("files", (f"{number}.txt", contact(number)["content"].encode())) for number in range(3)]
    by_form = api.http.post(path, data={"schema": "contact@1", "concurrency": "3", "evidence": "false"}, files=files)
    assert by_form.status_code == 201, by_form.text
    assert (by_query.json()["concurrency"], by_form.json()["concurrency"]) == (2, 3)
    for created in (by_query, by_line, by_form):
        assert batches.ended(api, created.json()["id"])["counts"]["succeeded"] == 3
    assert list(batches.items(api, by_form.json()["id"])) == ["0.txt", "1.txt", "2.txt"]


REFUSED: dict[str, tuple[Any, str]] = {
    "no items": ([], "items"),
    "no list": ({"key": "a"}, "items"),
    "no key": ([{"content": "x"}], "items.0"),
    "no content": ([contact(0), {"key": "a"}], "items.1"),
    "another field": ([{**contact(0), "surprise": 1}], "items.0"),
    "empty content": ([{"key": "a", "content": ""}], "items.0.content"),
    "a key twice with two contents": ([contact(0), {**contact(0), "content": "other"}], "items.1"),
    "a key that is no string": ([{"key": 1, "content": "x"}], "items.0.key"),
    "a NUL in a key": ([{"key": "a\0", "content": "x"}], "items.0.key"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_not_in_order_is_refused_with_its_place_and_leaves_nothing(api: Api, case: str) -> None:
    items, place = REFUSED[case]
    response = api.post("extraction/batches/", {"schema": NAME_AND_EMAIL, "items": items})
    assert response.status_code == 400, response.text
    assert response.json()["error"]["message"].startswith(place)
    assert api.get("extraction/batches/").json()["results"] == []


def test_a_line_that_is_no_json_is_named(api: Api) -> None:
    lines = json.dumps({"schema": NAME_AND_EMAIL}) + "\n" + json.dumps(contact(0)) + "\n{nothing\n"
    headers = {"Content-Type": "application/x-ndjson"}
    response = api.http.post("/api/extraction/batches/", content=lines, headers=headers)
    assert (response.status_code, response.json()["error"]["message"][:7]) == (400, "Line 3:")


def test_a_setting_that_is_given_twice_is_not_chosen_between(api: Api) -> None:
    path = "/api/extraction/batches/?schema=contact"
    lines = json.dumps({"schema": NAME_AND_EMAIL}) + "\n" + json.dumps(contact(0)) + "\n"
    by_line = api.http.post(path, content=lines, headers={"Content-Type": "application/x-ndjson"})
    by_json = api.http.post(path, json={"schema": NAME_AND_EMAIL, "items": [contact(0)]})
    by_form = api.http.post(path, data={"schema": "invoice"}, files=[("files", ("0.txt", b"x"))])
    for response in (by_line, by_json, by_form):
        assert (response.status_code, response.json()["error"]["message"][:7]) == (400, "schema:"), response.text


def test_the_same_item_again_is_the_same_item(api: Api) -> None:
    batch = batches.create(api, [contact(0), contact(1), contact(0)])
    assert batch["counts"]["total"] == 2


def test_a_key_creates_one_batch_for_ever(api: Api) -> None:
    headers = {"Idempotency-Key": "nightly"}
    first = batches.create(api, [contact(0)], headers)
    assert batches.create(api, [contact(0)], headers)["id"] == first["id"]
    other = api.post("extraction/batches/", {"schema": NAME_AND_EMAIL, "items": [contact(1)]}, headers=headers)
    assert (other.status_code, other.json()["error"]["type"]) == (422, "idempotency_error")
    batches.ended(api, first["id"])
    assert Usage.objects.filter(user=api.user).count() == 1


def test_a_paused_batch_begins_nothing_and_goes_on_when_it_is_resumed(api: Api) -> None:
    batch = batches.create(api, [contact(n, "[[sandbox: delay=0.3]]") for n in range(6)], concurrency=1)
    path = f"extraction/batches/{batch['id']}"
    assert api.post(f"{path}/pause/").json()["status"] == "paused"
    running = batches.shown(api, batch["id"])["counts"]
    assert running["running"] <= 1
    assert api.post(f"{path}/resume/").json()["status"] == "running"
    assert batches.ended(api, batch["id"])["counts"]["succeeded"] == 6
    assert api.post(f"{path}/pause/").status_code == 409


@pytest.mark.parametrize("mode", ["live", "batch"])
def test_a_cancelled_batch_ends_with_what_it_has(api: Api, mode: str) -> None:
    slow = [contact(n, "[[sandbox: delay=60]]") for n in range(4)]
    batch = batches.create(api, slow, concurrency=2, mode=mode)
    assert api.post(f"extraction/batches/{batch['id']}/cancel/").status_code == 202
    batch = batches.ended(api, batch["id"])
    assert (batch["status"], batch["counts"]["cancelled"]) == ("cancelled", 4)
    assert api.post(f"extraction/batches/{batch['id']}/cancel/").status_code == 202


def test_items_over_the_budget_fail_and_a_retry_does_exactly_those(api: Api) -> None:
    hold = one_hold(api)
    spent = Usage.objects.get(user=api.user).cost or Decimal(0)
    budget = Budget.objects.create(user=api.user, limit=spent * 6 + hold - spent / 2)
    first = batches.create(api, [contact(number) for number in range(8)], concurrency=4)
    counts = batches.ended(api, first["id"])["counts"]
    assert (counts["succeeded"], counts["failed"]) == (5, 3)
    failed = batches.items(api, first["id"], status="failed")
    assert {item["error"]["type"] for item in failed.values()} == {"budget_exceeded"}
    done = batches.items(api, first["id"], status="succeeded")
    budget.limit = 1000
    budget.save(update_fields=["limit"])
    assert api.post(f"extraction/batches/{first['id']}/retry/").json()["counts"]["failed"] == 0
    batch = batches.ended(api, first["id"])
    assert batch["counts"]["succeeded"] == 8
    after = batches.items(api, first["id"])
    assert {key: item["extraction"] for key, item in after.items() if key in done} == {
        key: item["extraction"] for key, item in done.items()
    }
    rows = Counter(Usage.objects.filter(user=api.user).values_list("answer__attempt__extraction__item__key", flat=True))
    assert rows == Counter(["item-0", *(f"item-{number}" for number in range(8))])


def one_hold(api: Api) -> Decimal:
    """Return the amount that is held for one item."""
    budget = Budget.objects.create(user=api.user, limit=1000)
    batch = batches.create(api, [contact(0, "[[sandbox: delay=2]]")])
    held = Decimal(0)
    while not held:
        held = Budget.objects.get(pk=budget.pk).held
    batches.ended(api, batch["id"])
    budget.delete()
    return held


def test_nobody_reaches_anothers_batch(api: Api, other: Api) -> None:
    path = f"extraction/batches/{batches.create(api, [contact(0)])['id']}/"
    for each in ("", "items/", "results/"):
        assert other.get(path + each).status_code == 404
    for each in ("cancel/", "pause/", "resume/", "retry/"):
        assert other.post(path + each).status_code == 404
    assert other.get("extraction/batches/").json()["results"] == []


def test_results_tell_what_each_item_used(api: Api) -> None:
    batch = batches.ended(api, batches.create(api, [contact(0), contact(1)])["id"])
    lines = api.get(f"extraction/batches/{batch['id']}/results/").text.splitlines()
    for line in map(json.loads, lines):
        assert line["usage"]["output_tokens"] > 0
        extraction = api.get(f"extraction/extractions/{line['extraction']}/").json()
        assert (line["usage"], line["cost"]) == (extraction["usage"], extraction["cost"])
