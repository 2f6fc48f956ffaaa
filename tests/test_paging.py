"""Every row of a list is returned once, in any order, even if many rows are equal in the ordering field."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st

from conversations.models import Conversation, Opening, Usage, User
from tests.clients import Api

ORDERINGS = ["title", "-title", "created_at", "-created_at", "updated_at", "-updated_at"]


def rows(api: Api, titles: list[str], at: list[int] | None = None) -> list[Conversation]:
    """Create conversations with these titles, whose times may be equal; `at` has their seconds."""
    made = Conversation.objects.bulk_create(Conversation(owner=api.user, title=title) for title in titles)
    for number, each in enumerate(made):
        second = at[number] if at else 0
        each.created_at = each.updated_at = timezone.now().replace(second=second, microsecond=second)
    Conversation.objects.bulk_update(made, ["created_at", "updated_at"])
    return made


def walked(api: Api, url: str, link: str = "next", most: int = 200) -> list[dict[str, Any]]:
    """Return all pages from a URL on."""
    pages = [api.http.get(url).json()]
    while pages[-1][link]:
        assert len(pages) < most, "there is no end"
        pages.append(api.http.get(pages[-1][link]).json())
    return pages


def ids(pages: list[dict[str, Any]]) -> list[str]:
    return [row["id"] for page in pages for row in page["results"]]


def expected(api: Api, ordering: str) -> list[str]:
    sign = "-" if ordering.startswith("-") else ""
    found = Conversation.objects.filter(owner=api.user).order_by(ordering, f"{sign}id")
    return [str(each.pk) for each in found]


@pytest.mark.parametrize("ordering", ["title", "-title"])
def test_many_that_are_alike_come_once_each(api: Api, ordering: str) -> None:
    rows(api, [""] * 1350 + [f"Title {number % 70}" for number in range(150)])
    pages = walked(api, f"/api/conversations/?ordering={ordering}&page_size=200")
    assert ids(pages) == expected(api, ordering)


@settings(max_examples=25)
@given(data=st.data())
def test_every_list_is_the_same_in_pages_of_any_size_and_both_ways(uvicorn_server: Any, data: st.DataObject) -> None:
    titles = data.draw(
        st.lists(st.sampled_from(["", "a", "A", "ä", "a b", "-", "Z\u0301", "🎉", "%", "'"]), max_size=12)
    )
    at = [data.draw(st.integers(0, 2)) for _ in titles]
    ordering, size = data.draw(st.sampled_from(ORDERINGS)), data.draw(st.integers(1, 5))
    with Api(uvicorn_server.url) as api:
        rows(api, titles, at)
        forward = walked(api, f"/api/conversations/?ordering={ordering}&page_size={size}")
        assert ids(forward) == expected(api, ordering)
        assert all(len(page["results"]) == size for page in forward[:-1])
        assert forward[0]["previous"] is None
        if len(forward) > 1:
            back = walked(api, forward[-1]["previous"], "previous")
            assert ids(back[::-1]) == ids(forward[:-1])
            assert ids(walked(api, back[-1]["next"])) == ids(forward[1:])


def test_rows_that_are_added_and_removed_meanwhile_move_no_other(api: Api) -> None:
    made = rows(api, [f"{number:02}" for number in range(9)])
    first = api.get("conversations/?ordering=title&page_size=3").json()
    api.conversation(title="00 is before")
    Conversation.objects.filter(pk__in=[made[2].pk, made[4].pk]).delete()
    rest = walked(api, first["next"])
    assert [row["title"] for page in rest for row in page["results"]] == ["03", "05", "06", "07", "08"]
    back = api.http.get(rest[0]["previous"]).json()
    assert [row["title"] for row in back["results"]] == ["00", "00 is before", "01"]


def test_what_moved_meanwhile_is_found_by_going_back(api: Api) -> None:
    made = [api.conversation(title=str(number)) for number in range(6)]
    first = api.get("conversations/?page_size=2").json()
    assert api.http.patch(f"/api/conversations/{made[0]}/", json={"title": "changed"}).status_code == 200
    rest = walked(api, first["next"])
    assert ids([first, *rest]) == made[:0:-1]
    back = walked(api, rest[0]["previous"], "previous")
    assert made[0] in ids(back)


def test_a_page_that_has_gone_leads_to_those_that_are_there(api: Api) -> None:
    made = rows(api, ["a", "b", "c", "d"])
    first = api.get("conversations/?ordering=title&page_size=2").json()
    Conversation.objects.filter(pk__in=[made[2].pk, made[3].pk]).delete()
    empty = api.http.get(first["next"]).json()
    assert empty["results"] == []
    assert ids([api.http.get(empty["previous"]).json()]) == ids([first])
    Conversation.objects.filter(pk__in=[made[0].pk]).delete()
    back = api.http.get(empty["previous"]).json()
    assert [row["title"] for row in back["results"]] == ["b"]


def test_a_search_is_paged_too(api: Api) -> None:
    rows(api, ["zebra"] * 5 + ["other"] * 3)
    pages = walked(api, "/api/conversations/?q=zebra&page_size=2&archived=false")
    assert len(ids(pages)) == len(set(ids(pages))) == 5


def test_a_cursor_is_of_its_list_alone(api: Api, other: Api) -> None:
    rows(api, ["a", "b", "c"])
    rows(other, ["d"])
    cursor = (
        api.get("conversations/?page_size=1&ordering=title").json()["next"].partition("cursor=")[2].partition("&")[0]
    )
    assert api.get(f"conversations/?ordering=title&cursor={cursor}").status_code == 200
    assert api.get(f"conversations/?ordering=-title&cursor={cursor}").status_code == 400
    assert api.get(f"me/access-log/?cursor={cursor}").status_code == 400
    assert api.get(f"conversations/{api.conversation()}/messages/?cursor={cursor}").status_code == 400
    Usage.objects.bulk_create(Usage(user=api.user, source="provider") for _ in range(2))
    of_records = api.get("usage/records/?page_size=1").json()["next"].partition("?")[2]
    assert api.get(f"usage/records/?{of_records}").status_code == 200
    for path in ("me/imports/", "me/access-log/", "extraction/extractions/", "extraction/schemas/"):
        assert api.get(f"{path}?{of_records}").status_code == 400, path
    tampered = cursor[:-2] + ("AA" if not cursor.endswith("AA") else "BB")
    assert api.get(f"conversations/?ordering=title&cursor={tampered}").status_code == 400
    theirs = other.get(f"conversations/?ordering=title&cursor={cursor}").json()["results"]
    assert [row["title"] for row in theirs] == ["d"]


def test_the_other_lists_are_paged_alike(api: Api) -> None:
    user = User.objects.get(pk=api.user.pk)
    Opening.objects.bulk_create(Opening(owner=user, staff="x", kind="turn", object=str(number)) for number in range(5))
    pages = walked(api, "/api/me/access-log/?page_size=2")
    assert len(set(ids(pages))) == 5
    id = api.conversation()
    for number in range(3):
        api.ask(str(number), id)
    for path, count in (("turns", 3), ("tree", 6), ("messages", 6)):
        pages = walked(api, f"/api/conversations/{id}/{path}/?page_size=2")
        assert len(ids(pages)) == len(set(ids(pages))) == count
        back = walked(api, pages[-1]["previous"], "previous")
        assert ids(back[::-1]) == ids(pages[:-1])
    assert len(set(ids(walked(api, "/api/usage/records/?page_size=1")))) == 3


def test_sums_and_models_come_in_pages_too(api: Api) -> None:
    prices = {"source": "provider", "input_tokens": 1, "cost": 1}
    Usage.objects.bulk_create(Usage(user=api.user, model=f"model-{number % 5}", **prices) for number in range(10))
    for path in ("usage/?group_by=model", "usage/?group_by=day,conversation,model", "models/"):
        whole = api.get(path).json()["results"]
        pages = walked(api, f"/api/{path}{'&' if '?' in path else '?'}page_size=2")
        assert [len(page["results"]) for page in pages[:-1]] == [2] * (len(pages) - 1)
        assert [row for page in pages for row in page["results"]] == whole
        back = walked(api, pages[-1]["previous"], "previous")
        assert [row for page in back[::-1] for row in page["results"]] == whole[
            : len(whole) - len(pages[-1]["results"])
        ]
    assert pages[0]["previous"] is None
    assert {json.dumps(page["total"]) for page in walked(api, "/api/usage/?group_by=model&page_size=2")} == {
        json.dumps(api.get("usage/").json()["total"])
    }


def test_a_cursor_of_sums_is_of_their_grouping_alone(api: Api) -> None:
    Usage.objects.bulk_create(Usage(user=api.user, model=str(number), source="provider") for number in range(3))
    following = api.get("usage/?group_by=model&page_size=1").json()["next"]
    cursor = following.partition("cursor=")[2].partition("&")[0]
    assert api.get(f"usage/?group_by=model&cursor={cursor}").status_code == 200
    for path in ("usage/?group_by=day&", "usage/?", "models/?", "conversations/?", "me/imports/?"):
        assert api.get(f"{path}cursor={cursor}").status_code == 400, path


def test_a_path_is_read_from_its_end_with_each_message_once(api: Api) -> None:
    conversation = api.conversation()
    for number in range(3):
        api.ask(f"Question {number}", conversation)
    address = f"/api/conversations/{conversation}/messages/"
    path = ids(walked(api, address))
    for size in (1, 4, 6, 7):
        pages = walked(api, f"{address}?last=true&page_size={size}", "previous")
        assert ids(pages[::-1]) == path
        assert pages[0]["next"] is None
    [end, *_] = walked(api, f"{address}?last=true&page_size=4", "previous")
    before = api.http.get(end["previous"]).json()
    assert ids(walked(api, end["previous"])) == path
    assert [len(end["results"]), len(before["results"])] == [4, 2]
