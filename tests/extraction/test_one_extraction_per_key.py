"""An idempotency key creates one extraction, for ever."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from conversations.sandbox.server import Sandbox
from extraction.models import Extraction
from tests.clients import Api
from tests.extraction.test_extracting import JANE, NAME_AND_EMAIL

KEY = {"Idempotency-Key": "one and only"}
BODY = {"schema": NAME_AND_EMAIL, "content": JANE}
PATH = "extraction/extractions/"


def test_many_at_once_make_one_extraction_and_one_request(api: Api, sandbox: Sandbox) -> None:
    body = {**BODY, "content": f"{JANE} by key"}
    with ThreadPoolExecutor(20) as threads:
        responses = list(threads.map(lambda _: api.post(f"{PATH}?wait=true", body, headers=KEY), range(20)))
    assert {response.status_code for response in responses} == {201}
    assert len({response.json()["id"] for response in responses}) == 1
    assert all(response.json()["status"] == "succeeded" for response in responses)
    assert Extraction.objects.filter(owner=api.user).count() == 1
    assert sum("by key" in str((request.body or {}).get("messages")) for request in sandbox.requests) == 1


def test_a_retry_attaches_to_one_in_flight(api: Api) -> None:
    body = {**BODY, "content": f"{JANE} [[sandbox: pace=0.05]]"}
    begun = api.post(PATH, body, headers=KEY).json()
    assert begun["status"] in ("queued", "running")
    again = api.post(f"{PATH}?wait=true", body, headers=KEY).json()
    assert (again["id"], again["status"]) == (begun["id"], "succeeded")
    assert again == api.post(PATH, body, headers=KEY).json()


def test_another_body_is_refused(api: Api) -> None:
    begun = api.post(PATH, BODY, headers=KEY).json()
    response = api.post(PATH, {**BODY, "max_attempts": 3}, headers=KEY)
    assert response.status_code == 422
    assert response.json()["error"]["type"] == "idempotency_error"
    assert response.json()["error"]["details"] == {"extraction": begun["id"]}


def test_a_key_is_the_users_own(api: Api, other: Api) -> None:
    ids = {each.post(PATH, BODY, headers=KEY).json()["id"] for each in (api, other)}
    assert len(ids) == 2


def test_what_was_refused_has_not_used_its_key(api: Api) -> None:
    assert api.post(PATH, {**BODY, "schema": {"type": "nonsense"}}, headers=KEY).status_code == 400
    assert api.post(PATH, BODY, headers=KEY).status_code == 201


def test_a_key_must_be_one(api: Api) -> None:
    assert api.post(PATH, BODY, headers={"Idempotency-Key": ""}).status_code == 400
    assert Extraction.objects.filter(owner=api.user).count() == 0
