"""An extraction's events can be followed from any position, on any process, during and after its run."""

from __future__ import annotations

from typing import Any

import pytest

from tests.clients import Api, sse
from tests.extraction.test_extracting import JANE, NAME_AND_EMAIL

Event = dict[str, Any]

WRONG_FIRST = f'{JANE} [[sandbox: json="{{\\"name\\": 7}}"; pace=0.01]]'


def begin(api: Api, content: str = JANE, **fields: Any) -> str:
    response = api.post("extraction/extractions/", {"schema": NAME_AND_EMAIL, "content": content, **fields})
    assert response.status_code == 201, response.text
    return str(response.json()["id"])


def events_of(api: Api, id: str, after: int = 0, **headers: str) -> list[Event]:
    url = f"/api/extraction/extractions/{id}/events/?after={after}"
    with api.http.stream("GET", url, headers=headers) as response:
        assert response.status_code == 200, response.read()
        return list(sse(response))


def without_partials(events: list[Event]) -> list[Event]:
    return [event for event in events if event["type"] != "partial"]


def test_the_events_tell_how_it_goes(api: Api) -> None:
    id = begin(api, WRONG_FIRST)
    events = events_of(api, id)
    told = [(event["type"], event.get("attempt")) for event in without_partials(events)]
    assert told == [
        ("extraction_start", None),
        ("attempt_start", 1),
        ("attempt_end", 1),
        ("attempt_start", 2),
        ("attempt_end", 2),
        ("extraction_end", None),
    ]
    assert {event["extraction"] for event in events} == {id}
    positions = [event["position"] for event in events]
    assert positions == sorted(set(positions))
    assert events[0]["position"] == 1
    assert "/name" in {problem["path"] for problem in without_partials(events)[2]["problems"]}
    assert [event["data"] for event in events if event["type"] == "partial"][-1] == events[-1]["data"]
    found = api.get(f"extraction/extractions/{id}/").json()
    assert {key: events[-1][key] for key in found} == found


def test_it_can_be_resumed_at_every_position_with_the_same_result(api: Api, daphne_server: Any) -> None:
    id = begin(api, WRONG_FIRST)
    whole = events_of(api, id)
    with Api.of(daphne_server.url, api) as elsewhere:
        for reader in (api, elsewhere):
            for after in range(whole[-1]["position"]):
                rest = events_of(reader, id, after)
                assert without_partials(rest) == [e for e in without_partials(whole) if e["position"] > after]
                assert all(event["position"] > after for event in rest)
    assert events_of(api, id, whole[-1]["position"]) == []
    too_far = api.get(f"extraction/extractions/{id}/events/?after={whole[-1]['position'] + 1}")
    assert too_far.status_code == 400
    assert "this extraction has ended at position" in too_far.json()["error"]["message"]
    seen = {"Last-Event-ID": str(whole[-1]["position"])}
    assert api.get(f"extraction/extractions/{id}/events/", headers=seen).status_code == 204


def test_the_socket_follows_it_too(api: Api, other: Api) -> None:
    id = begin(api, WRONG_FIRST)
    with api.socket() as socket:
        socket.send(type="extraction.follow", ref=1, extraction=id)
        told = socket.until("extraction_end")
        socket.send(type="extraction.follow", ref=2, extraction=id, after=10**6)
        assert socket.until("error")[-1]["ref"] == 2
    assert without_partials(told) == without_partials(events_of(api, id))
    with other.socket() as socket:
        socket.send(type="extraction.follow", ref=3, extraction=id)
        assert socket.receive()["error"]["type"] == "not_found_error"


def test_one_that_is_stopped_ends_and_says_so(api: Api) -> None:
    id = begin(api, f"{JANE} [[sandbox: words=5000; pace=0.05]]")
    with api.socket() as socket:
        socket.send(type="extraction.follow", ref=1, extraction=id)
        socket.until("attempt_start")
        assert api.post(f"extraction/extractions/{id}/cancel/").status_code == 202
        end = socket.until("extraction_end")[-1]
    assert end["status"] == "cancelled"
    assert api.post(f"extraction/extractions/{id}/cancel/").json()["status"] == "cancelled"
    assert end["usage"]["requests"] == 1


@pytest.mark.parametrize("ended", [True, False])
def test_one_that_is_deleted_is_gone_and_stays_in_the_ledger(api: Api, ended: bool) -> None:
    id = begin(api, JANE if ended else f"{JANE} [[sandbox: words=5000; pace=0.05]]")
    if ended:
        events_of(api, id)
    assert api.http.delete(f"/api/extraction/extractions/{id}/").status_code == 204
    assert api.get(f"extraction/extractions/{id}/").status_code == 404
    assert api.get(f"extraction/extractions/{id}/events/").status_code == 404
