"""The catalogue says what each model supports."""

from __future__ import annotations

from decimal import Decimal

from conversations.claude import catalogue
from tests.clients import Api


def test_every_model_is_shown_with_what_it_takes_and_costs(api: Api) -> None:
    shown = {model["id"]: model for model in api.get("models/").json()["results"]}
    assert shown.keys() == {model.id for model in catalogue.all_models()}
    sonnet = shown["claude-sonnet-4-6"]
    assert sonnet["limits"]["context_window"] >= 200_000
    assert sonnet["capabilities"]["temperature"] == "yes"
    assert Decimal(sonnet["prices"]["output"]) > Decimal(sonnet["prices"]["input"]) > 0
    assert sonnet["lifecycle"]["status"]


def test_what_the_catalogue_says_is_what_is_refused(api: Api) -> None:
    for model in api.get("models/").json()["results"]:
        refused = api.post("conversations/", {"model": model["id"], "temperature": 0.5}).status_code
        assert refused == (201 if model["capabilities"]["temperature"] == "yes" else 400), model["id"]
        too_many = model["limits"]["max_output_tokens"] + 1
        assert api.post("conversations/", {"model": model["id"], "max_tokens": too_many}).status_code == 400


def test_one_must_be_logged_in(api: Api) -> None:
    assert api.http.get("/api/models/", headers={"Authorization": ""}).status_code == 401
