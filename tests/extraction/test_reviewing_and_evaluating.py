"""Reviews are stored beside the data that they judge; evaluations compare runs with expected data."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from django.core.management import call_command

from tests import batches
from tests.batches import NAME_AND_EMAIL, contact
from tests.clients import Api

LINES = {
    "type": "object",
    "properties": {
        "vendor": {
            "type": "object",
            "properties": {"name": {"type": "string"}},
            "required": ["name"],
            "additionalProperties": False,
        },
        "lines": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"sku": {"type": "string"}, "price": {"type": "number"}},
                "required": ["sku", "price"],
                "additionalProperties": False,
            },
        },
    },
    "required": ["vendor", "lines"],
    "additionalProperties": False,
}


def saying(data: Any) -> str:
    """Return content for which the sandbox answers with this data."""
    return f"An invoice. [[sandbox: json={json.dumps(json.dumps(data))}; always]]"


def extract(api: Api, content: str = "Contact Jane at jane@example.com") -> dict[str, Any]:
    body = {"schema": NAME_AND_EMAIL, "content": content, "evidence": False}
    extraction: dict[str, Any] = api.post("extraction/extractions/?wait=true", body).json()
    return extraction


def test_a_correction_counts_and_the_original_stays(api: Api) -> None:
    extraction = extract(api)
    path = f"extraction/extractions/{extraction['id']}/"
    assert (extraction["review"], extraction["final"]) == (None, extraction["data"])
    pending = api.get("extraction/extractions/?review=pending").json()["results"]
    assert [each["id"] for each in pending] == [extraction["id"]]
    right = {"name": "Jane Doe", "email": "jane@example.com"}
    reviewed = api.post(f"{path}review/", {"decision": "corrected", "data": right, "comment": "Her full name"})
    assert reviewed.status_code == 201, reviewed.text
    found = api.get(path).json()
    assert (found["data"], found["final"]) == (extraction["data"], right)
    assert (found["review"]["decision"], found["review"]["reviewer"]) == ("corrected", api.user.username)
    assert api.get("extraction/extractions/?review=pending").json()["results"] == []
    assert api.post(f"{path}review/", {"decision": "approved"}).json()["final"] == extraction["data"]
    assert len(api.get("extraction/extractions/?review=approved").json()["results"]) == 1
    assert api.get("extraction/extractions/?review=corrected").json()["results"] == []


@pytest.mark.parametrize(
    ("decision", "place"),
    [
        ({"decision": "corrected"}, "data"),
        ({"decision": "corrected", "data": {"name": "Jane"}}, "data"),
        ({"decision": "corrected", "data": {"name": 7, "email": "x"}}, "data/name"),
        ({"decision": "approved", "data": {"name": "Jane", "email": "x"}}, "data"),
        ({"decision": "perhaps"}, "decision"),
    ],
)
def test_a_review_that_can_not_be_is_refused_with_its_place(api: Api, decision: dict[str, Any], place: str) -> None:
    response = api.post(f"extraction/extractions/{extract(api)['id']}/review/", decision)
    assert (response.status_code, response.json()["error"]["message"].split(":")[0]) == (400, place), response.text


def test_there_is_nothing_to_review_without_data(api: Api, other: Api) -> None:
    refused = extract(api, "[[sandbox: refusal]]")
    path = f"extraction/extractions/{refused['id']}/review/"
    assert api.post(path, {"decision": "approved"}).status_code == 409
    assert other.post(path, {"decision": "approved"}).status_code == 404


@pytest.mark.usefixtures("worker")
def test_results_are_files_with_the_corrected_data(api: Api) -> None:
    invoices: dict[str, Any] = {
        "=a.pdf": {"vendor": {"name": "+Acme"}, "lines": [{"sku": "A", "price": 1.5}, {"sku": "B", "price": 2}]},
        "b.pdf": {"vendor": {"name": "Ünal"}, "lines": []},
    }
    items = [{"key": key, "content": saying(data)} for key, data in invoices.items()]
    id = batches.create(api, items, schema=LINES)["id"]
    batches.ended(api, id)
    corrected = {**invoices["b.pdf"], "vendor": {"name": "Ünal AS"}}
    extraction = batches.items(api, id)["b.pdf"]["extraction"]
    path = f"extraction/batches/{id}/results/"
    assert (
        api.post(
            f"extraction/extractions/{extraction}/review/", {"decision": "corrected", "data": corrected}
        ).status_code
        == 201
    )
    rows = [json.loads(line) for line in api.get(path).text.splitlines()]
    assert [row["data"] for row in rows] == [invoices["=a.pdf"], corrected]
    assert rows[1]["review"]["decision"] == "corrected"
    table = api.get(path, headers={"Accept": "text/csv"})
    assert table.content.startswith(b"\xef\xbb\xbf")
    first, second = csv.DictReader(io.StringIO(table.content.decode("utf-8-sig"), newline=""))
    assert (first["key"], first["vendor.name"], second["vendor.name"]) == ("'=a.pdf", "'+Acme", "Ünal AS")
    assert json.loads(first["lines"]) == invoices["=a.pdf"]["lines"]
    lines = csv.DictReader(io.StringIO(api.get(f"{path}?format=csv&list=lines").content.decode("utf-8-sig")))
    assert [(row["sku"], row["price"]) for row in lines] == [("A", "1.5"), ("B", "2")]
    book = openpyxl.load_workbook(io.BytesIO(api.get(f"{path}?format=xlsx").content))
    assert book.sheetnames == ["items", "lines"]
    assert api.get(f"{path}?format=csv&list=nothing").status_code == 400


@pytest.mark.usefixtures("worker")
def test_runs_are_scored_by_field_and_shown_side_by_side(api: Api) -> None:
    expected = {"name": "jane", "email": "jane0@example.com"}
    wrong = {"name": "Janet", "email": "jane1@example.com"}
    items = [
        {"content": contact(0)["content"], "expected": expected},
        {"content": contact(1)["content"], "expected": wrong},
    ]
    runs = [{"schema": NAME_AND_EMAIL, "evidence": False}, {"schema": NAME_AND_EMAIL, "model": "claude-haiku-4-5"}]
    created = api.post("extraction/evaluations/", {"items": items, "runs": runs})
    assert created.status_code == 201, created.text
    evaluation = ended(api, created.json()["id"])
    for run, model in zip(evaluation["runs"], ("claude-sonnet-4-6", "claude-haiku-4-5"), strict=True):
        scores = {each["field"]: each for each in run["scores"]["fields"]}
        assert (scores["/name"]["exact"], scores["/name"]["normalised"], scores["/name"]["wrong"]) == (0, 1, 1)
        assert (scores["/email"]["precision"], scores["/name"]["recall"]) == (1.0, 0.5)
        assert (run["model"], run["counts"]["succeeded"]) == (model, 2)
        assert float(run["cost"]) > 0
        assert run["latency"]["mean"] > 0
    [difference] = evaluation["differences"]
    assert (difference["key"], difference["path"], difference["expected"]) == ("1", "/name", "Janet")
    assert [each["value"] for each in difference["runs"]] == ["Jane", "Jane"]
    assert api.get("extraction/batches/").json()["results"] == [], "the runs are no batches of the user's own"


@pytest.mark.usefixtures("worker")
def test_the_command_prints_a_table(api: Api, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    api.post("extraction/schemas/", {"name": "contact", "json_schema": NAME_AND_EMAIL})
    file = tmp_path / "items.jsonl"
    expected = {"name": "Jane", "email": "jane0@example.org"}
    file.write_text(json.dumps({"content": contact(0)["content"], "expected": expected}) + "\n")
    access = ("--url", api.url, "--token", api.token)
    call_command("evaluate", str(file), "--run", "contact", "--run", "contact@1:claude-haiku-4-5", *access)
    said = capsys.readouterr().out
    assert said.count("50.0% / 50.0%") == 2, said
    assert "1 wrong" in said
    assert "2: claude-haiku-4-5" in said


@pytest.mark.usefixtures("worker")
def test_what_was_reviewed_becomes_an_evaluation(api: Api) -> None:
    id = batches.create(api, [contact(number) for number in range(3)])["id"]
    batches.ended(api, id)
    asked = {"items": {"batch": id}, "runs": [{"schema": NAME_AND_EMAIL, "evidence": False}]}
    assert api.post("extraction/evaluations/", asked).status_code == 400, "nothing has been reviewed"
    found = batches.items(api, id)
    for key, decision in (("item-0", "approved"), ("item-1", "rejected")):
        path = f"extraction/extractions/{found[key]['extraction']}/review/"
        assert api.post(path, {"decision": decision}).status_code == 201
    evaluation = ended(api, api.post("extraction/evaluations/", asked).json()["id"])
    assert (evaluation["items"], evaluation["runs"][0]["scores"]["total"]["precision"]) == (1, 1.0)


@pytest.mark.usefixtures("worker")
def test_reviews_of_single_extractions_become_an_evaluation(api: Api, other: Api) -> None:
    first, second, unseen = (extract(api, contact(number)["content"])["id"] for number in range(3))
    right = {"name": "Jane Doe", "email": "jane0@example.com"}
    api.post(f"extraction/extractions/{first}/review/", {"decision": "corrected", "data": right})
    api.post(f"extraction/extractions/{second}/review/", {"decision": "approved"})
    runs = [{"schema": NAME_AND_EMAIL, "evidence": False}]

    def asked(client: Api, *ids: str) -> Any:
        return client.post("extraction/evaluations/", {"items": {"extractions": ids}, "runs": runs})

    evaluation = ended(api, asked(api, first, second, first).json()["id"])
    scores = {each["field"]: each for each in evaluation["runs"][0]["scores"]["fields"]}
    assert (evaluation["items"], scores["/email"]["exact"], scores["/name"]["wrong"]) == (2, 2, 1)
    assert [each["key"] for each in evaluation["differences"]] == [first]
    refused = asked(api, first, unseen)
    assert (refused.status_code, refused.json()["error"]["message"].split(":")[0]) == (400, "items.extractions.1")
    assert asked(other, first).status_code == 404
    assert asked(api).status_code == asked(api, "x").status_code == 400
    for wrong in ({}, {"batch": first, "extractions": [first]}, {"extractions": first}):
        assert api.post("extraction/evaluations/", {"items": wrong, "runs": runs}).status_code == 400


def ended(api: Api, id: str) -> dict[str, Any]:
    """Wait until all runs of an evaluation have ended, and return it."""
    evaluation: dict[str, Any] = {"runs": [{"batch": None}]}
    while evaluation.get("status") != "ended":
        evaluation = api.get(f"extraction/evaluations/{id}/").json()
        for run in evaluation["runs"]:
            batches.ended(api, run["batch"])
    return evaluation
