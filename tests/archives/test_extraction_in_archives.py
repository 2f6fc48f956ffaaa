"""Archives contain schemas and extractions with data, evidence and reviews; inconsistent ones are refused."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

from conversations.models import Usage
from extraction.models import Extraction
from tests.archives.importing import exported, imported, lines
from tests.archives.samples import zipped
from tests.clients import Api

SCHEMA = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "total": {"type": "number"}},
    "required": ["name"],
}
OWN = ("id", "origin", "attachment")
"""Fields that differ between copies."""


def everything(archive: bytes) -> list[Any]:
    names = ("extraction/schemas.jsonl", "extraction/extractions.jsonl")
    return [[{key: each[key] for key in each if key not in OWN} for each in lines(archive, name)] for name in names]


def extract(api: Api) -> dict[str, Any]:
    """Create two versions of a schema, one of them used and reviewed, and an extraction with a schema of its own."""
    for instructions in ("Be exact.", "Be brief."):
        new = {"name": "person", "json_schema": SCHEMA, "instructions": instructions}
        assert api.post("extraction/schemas/", new).status_code == 201
    body = {"schema": "person@1", "content": "name: Jane, total: 12345678901234567.89", "metadata": {"a": 0.10}}
    done: dict[str, Any] = api.post("extraction/extractions/?wait=true", body).json()
    assert done["status"] == "succeeded", done
    review = {"decision": "corrected", "data": {"name": "Joan"}, "comment": "No."}
    assert api.post(f"extraction/extractions/{done['id']}/review/", review).status_code in (200, 201)
    other = {"schema": SCHEMA, "content": "name: Jim"}
    assert api.post("extraction/extractions/?wait=true", other).json()["status"] == "succeeded"
    return done


def test_export_import_export_is_the_same(api: Api, other: Api) -> None:
    first = extract(api)
    archive = exported(api)
    done = imported(other, archive)
    assert (done["extractions"], done["failed"], done["problems"]) == (2, 0, [])
    copy = exported(other)
    assert everything(copy) == everything(archive)
    assert imported(other, archive)["skipped"] == 5
    assert imported(api, copy)["skipped"] == 5
    assert everything(exported(api)) == everything(archive)
    [_, found] = other.get("extraction/extractions/").json()["results"]
    assert (found["data"], found["evidence"]) == (first["data"], first["evidence"])
    assert (found["final"], found["cost"], found["attempts"]) == ({"name": "Joan"}, "0", [])
    text = other.get(f"extraction/extractions/{found['id']}/sources/0/text/").json()["text"]
    assert text.startswith("name: Jane")
    events = other.get(f"extraction/extractions/{found['id']}/events/").text
    assert [line for line in events.splitlines() if line.startswith("event:")] == [
        "event: extraction_start",
        "event: extraction_end",
    ]
    assert not Usage.objects.filter(user=other.user).exists()
    assert other.http.delete(f"/api/extraction/extractions/{found['id']}/").status_code == 204
    assert not Usage.objects.filter(user=other.user).exists()
    attempts = lines(archive, "facts/extraction_attempts.jsonl")
    assert len(attempts) == 2
    assert all(each["answers"][0]["usage"] for each in attempts)


def test_what_does_not_hold_is_refused(api: Api, other: Api) -> None:
    extract(api)
    archive = zipfile.ZipFile(io.BytesIO(exported(api)))
    files: dict[str, Any] = {name: archive.read(name) for name in archive.namelist()}
    first, second = [json.loads(line) for line in files["extraction/extractions.jsonl"].splitlines()]
    exact = [each for each in first["evidence"] if each["status"] == "exact"]
    changed = [
        {**second, "data": {"total": "much"}},
        {**second, "schema": {"digest": "x", "name": None, "version": 1}},
        {**second, "status": "running"},
        {**second, "reviews": [{**first["reviews"][0], "data": {"name": 5}}]},
        *([{**first, "evidence": [{**exact[0], "quote": "nothing"}]}] if exact else []),
    ]
    files["extraction/extractions.jsonl"] = "\n".join(map(json.dumps, changed))
    files["extraction/schemas.jsonl"] += b'{"id": 1}\n'
    done = imported(other, zipped(files))
    assert (done["failed"], done["extractions"]) == (len(changed) + 1, 0)
    assert not Extraction.objects.filter(owner=other.user).exists()
    assert len(other.get("extraction/schemas/").json()["results"]) == 1
