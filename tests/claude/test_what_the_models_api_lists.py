"""What the Models API says of a model overrides the built-in catalogue; the rest of the catalogue stays."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from django.apps import apps

from conversations.claude import catalogue
from conversations.claude.catalogue import UNKNOWN, find, takes_prefill, thinking_type, update_listing, written_models

KNOWN = next(model for model in written_models() if model.aliases and model.lifecycle == "active")


@pytest.fixture(autouse=True)
def listed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reset the catalogue after the test."""
    config: Any = apps.get_app_config("conversations")
    monkeypatch.setattr(config, "listed_models", {})


def listing(**fields: Any) -> catalogue.Model:
    row: Any = {"id": KNOWN.id, **fields}
    update_listing([row])
    found = find(row["id"])
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ({}, {}),
        ({"display_name": "Newer"}, {"name": "Newer"}),
        ({"max_input_tokens": 5}, {"context_window": 5}),
        ({"max_tokens": 7}, {"max_output": 7}),
        ({"lifecycle": "deprecated"}, {"lifecycle": "deprecated"}),
        ({"retires_at": "2027-01-31T00:00:00Z"}, {"retires_at": "2027-01-31"}),
        ({"display_name": None, "max_tokens": None, "max_input_tokens": 0, "capabilities": None, "retires_at": ""}, {}),
        (
            {"capabilities": {"effort": {"max": {"supported": True}, "low": {"supported": True}, "high": {}}}},
            {"efforts": ("low", "max")},
        ),
        (
            {"capabilities": {"effort": {"supported": True, "ultra": {"supported": True}, "low": {"supported": True}}}},
            {"efforts": ("low", "ultra")},
        ),
        (
            {
                "capabilities": {
                    "thinking": {"types": {"enabled": {"supported": True}, "adaptive": {"supported": True}}}
                }
            },
            {"thinking_types": ("adaptive", "enabled")},
        ),
        ({"capabilities": {"thinking": {"types": {"enabled": {"supported": False}}}, "effort": None}}, {}),
        ({"capabilities": {"thinking": True, "effort": ["low"]}}, {}),
    ],
)
def test_what_is_told_of_a_known_model_replaces_that_alone(row: dict[str, Any], told: dict[str, Any]) -> None:
    assert listing(**row) == replace(KNOWN, **told)


def test_a_model_that_only_the_api_knows_is_left_to_claude() -> None:
    found = listing(id="claude-next", max_tokens=9)
    assert found == replace(UNKNOWN, id="claude-next", name="claude-next", max_output=9)
    assert catalogue.all_models() == (*written_models(), found)


def test_a_known_model_is_there_once_and_in_its_place() -> None:
    listing(max_tokens=7)
    assert [model.id for model in catalogue.all_models()] == [model.id for model in written_models()]


def test_what_is_not_listed_stays_as_it_is_written_down() -> None:
    update_listing([])
    assert catalogue.all_models() == written_models()


@pytest.mark.parametrize("name", [KNOWN.id, *KNOWN.aliases])
def test_a_model_is_found_by_its_id_and_its_aliases(name: str) -> None:
    assert find(name) == KNOWN
    assert find(f"{name}-x") is None
    assert find("") is None


@pytest.mark.parametrize("model", written_models(), ids=lambda model: model.id)
def test_what_is_written_down_is_consistent(model: catalogue.Model) -> None:
    assert 0 < model.max_output <= model.context_window
    assert {*model.thinking_types} <= {*catalogue.THINKING_TYPES}
    assert {*model.efforts} <= {*catalogue.EFFORTS}
    assert {*(model.efforts_unthinking or ())} <= {*model.efforts}
    assert model.default_effort in (None, *model.efforts)
    assert model.sampling in ("yes", "no", "default_only")
    assert find(model.id) == model


def test_no_name_stands_for_two_models() -> None:
    names = [name for model in written_models() for name in (model.id, *model.aliases)]
    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    ("thinking", "kind"),
    [(None, None), ({}, None), ({"type": "disabled"}, "disabled"), ({"type": "adaptive"}, "adaptive")],
)
def test_an_answer_is_begun_for_claude_where_the_model_takes_that_and_does_not_think(thinking: Any, kind: Any) -> None:
    """See claude-api.md 2.6 on prefilling the assistant's message."""
    for model in written_models():
        settings: Any = {"model": model.id, "max_tokens": 5, "thinking": thinking}
        assert thinking_type(settings) == kind
        assert takes_prefill(settings) == (model.prefill and kind in (None, "disabled"))
    unknown: Any = {"model": "llama", "max_tokens": 5}
    assert not takes_prefill(unknown)
