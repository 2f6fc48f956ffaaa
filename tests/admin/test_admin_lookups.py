"""The admin's lists can't be filtered by columns that they do not show."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlencode

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import reverse

from config import urls  # noqa: F401 - they register the pages
from conversations.admin.lookups import DeclaredLookups
from conversations.models import Budget, Price, Turn, Usage, User
from tests.clients import Api
from tests.processes import ServerProcess

NO_IDS = ("zzz", "\0", "01a208ce-7785", "NaN")
ODD = ("\0", "0001-01-01T00:00:00+23:59")
LISTS = (Turn, Usage, User)
PARAMETERS = ("o", "p", "q", "e", "all", "_facets", "_popup", "_to_field", "_source_model", "_changelist_filters")


@pytest.fixture(scope="module")
def asked(uvicorn_server: ServerProcess) -> None:
    """Provide a turn whose conversation has private words in its title and its prompt."""
    with Api(uvicorn_server.url) as api:
        api.ask("Zyzzyva secret", api.conversation(title="Quagga plan"))


def test_every_model_of_the_admin_declares_its_lookups() -> None:
    for model, pages in admin.site._registry.items():
        assert isinstance(pages, DeclaredLookups), model


def columns(pages: Any) -> list[str]:
    """Return query parameters for every column of a model and of related models, and for unknown names."""
    fields = pages.model._meta.get_fields()
    led_to = [
        (field, other) for field in fields if field.related_model for other in field.related_model._meta.get_fields()
    ]
    names = [*(field.name for field in fields), *(f"{field.name}__{other.name}" for field, other in led_to)]
    ends = ("__startswith", "__contains", "__regex", "__gt", "__search", "__has_key")
    return [f"{name}{end}" for name in names for end in ends] + ["nothing", "a__b__c", "__", "pk__in"]


def test_only_declared_filters_are_allowed(staff: Client) -> None:
    request = staff.get("/admin/conversations/message/").wsgi_request
    for pages in admin.site._registry.values():
        assert [name for name in columns(pages) if pages.lookup_allowed(name, "x", request)] == []


@pytest.mark.parametrize(
    "query",
    [
        "text__startswith=Zyzzyva",
        "content__contains=Zyzzyva",
        "content__0__text__startswith=Zyzzyva",
        "searchable=zebra",
        "conversation__title__startswith=Quagga",
        "turn__user__password__startswith=argon2",
        "nothing=1",
        "e=1&text__startswith=Zyzzyva",
    ],
)
def test_a_lookup_that_is_not_declared_shows_the_whole_list(staff: Client, asked: None, query: str) -> None:
    wrong = query.replace("Zyzzyva", "Zorro").replace("Quagga", "Qorro").replace("argon2", "x")
    for given in (query, wrong):
        answer = staff.get(f"/admin/conversations/message/?{given}")
        assert (answer.status_code, answer.headers["Location"]) == (302, "/admin/conversations/message/")
    assert "is not valid for this list" in staff.get("/admin/conversations/message/").content.decode()


def test_completion_shows_and_finds_nothing_that_was_said(staff: Client, asked: None) -> None:
    for field in ("user_message", "conversation"):
        for term in ("", "Zyzzyva", "secret", "\0"):
            parameters = {"app_label": "conversations", "model_name": "turn", "field_name": field, "term": term}
            answer = staff.get(f"{reverse('admin:autocomplete')}?{urlencode(parameters)}")
            assert answer.status_code in (200, 403, 404)
            assert "Zyzzyva" not in answer.content.decode()
            if term == "Zyzzyva" and answer.status_code == 200:
                assert answer.json()["results"] == []


def test_nothing_in_an_address_fails(staff: Client) -> None:
    staff.raise_request_exception = False
    request = staff.get("/admin/conversations/message/").wsgi_request
    for model in LISTS:
        pages = admin.site._registry[model]
        path = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
        names = [*PARAMETERS, *pages._parameters(request)]  # type: ignore[attr-defined]
        for name in names:
            # A search without results and a small window keep the pages short, since rendering rows is slow.
            asked = [{"q": "no such row", "_popup": "1", name: value} for value in ODD]
            answers = {each[name]: staff.get(f"{path}?{urlencode(each)}").status_code for each in asked}
            assert set(answers.values()) <= {200, 302, 400}, (path, name, answers)


@pytest.mark.parametrize("page", ["change", "history", "delete"])
def test_a_row_whose_id_no_column_can_hold_is_not_there(staff: Client, page: str) -> None:
    staff.raise_request_exception = False
    paths = [f"/admin/{each._meta.app_label}/{each._meta.model_name}/" for each in admin.site._registry]
    answers = {path: staff.get(f"{path}%00/{page}/").status_code for path in paths}
    assert set(answers.values()) <= {302, 403, 404}, answers


@pytest.mark.parametrize("id", NO_IDS)
def test_no_budget_is_made_for_what_is_no_id(staff: Client, id: str) -> None:
    staff.raise_request_exception = False
    before = Budget.objects.count()
    for given in ({"user": id}, {"group": id}):
        assert staff.get(f"/admin/conversations/budget/add/?{urlencode(given)}").status_code == 200
        answer = staff.post("/admin/conversations/budget/add/", {**given, "period": "day", "limit": "1"})
        assert (answer.status_code, "errorlist" in answer.content.decode()) == (200, True)
    assert Budget.objects.count() == before


@pytest.mark.parametrize("id", [*NO_IDS, "9" * 40])
def test_no_action_fails_for_what_is_no_id(staff: Client, id: str) -> None:
    staff.raise_request_exception = False
    for model in (Group, Budget, Price, User):
        path = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
        for index in ("0", "x"):
            chosen = {"action": "delete_selected", "_selected_action": id, "index": index}
            assert staff.post(path, chosen).status_code in {200, 302}, path
    assert User.objects.filter(is_staff=True).exists()


def test_a_token_can_be_revoked_and_none_be_made(staff: Client, api: Api) -> None:
    page = staff.get(f"/admin/knox/authtoken/?q={api.user.username}").content.decode()
    [digest] = set(re.findall(r"/admin/knox/authtoken/([0-9a-f]{128})/change/", page))
    assert staff.get("/admin/knox/authtoken/add/").status_code == 403
    assert staff.post(f"/admin/knox/authtoken/{digest}/delete/", {"post": "yes"}).status_code == 302
    assert api.get("me/").status_code == 401
