"""The search of `GET /api/conversations/?q=`: its results, their order, and who sees them."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from django.db import connection, transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from conversations.content.search_text import folded
from conversations.models import Conversation, Message, SearchDocument, Unindexed
from conversations.services import search_index
from tests.clients import Api
from tests.test_snippets import plain
from tests.waiting import until

QUIETLY = "[[sandbox: text=Yes]]"


def found(api: Api, words: str, **query: Any) -> list[str]:
    """Return the ids of the conversations on all pages of results."""
    response = api.get("conversations/", params={"q": words, **query})
    ids: list[str] = []
    while True:
        assert response.status_code == 200, response.text
        page = response.json()
        ids += [row["id"] for row in page["results"]]
        if not page["next"]:
            return ids
        response = api.http.get(page["next"])


def saying(api: Api, *texts: str, title: str = "") -> str:
    """Create a conversation with these messages; return its id."""
    conversation = Conversation.objects.create(owner=api.user, title=title)
    Message.objects.bulk_create(
        Message(conversation=conversation, role="user", content=[], text=text) for text in texts
    )
    return str(conversation.pk)


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ("zeb", "Two zebras"),
        ("cafe", "Un CAFÉ"),
        ("京都", "東京都庁"),
        ("ｶﾞｽ", "都市ガス会社"),
        ("สวัสดี", "บอกว่าสวัสดีครับ"),
        ("국어", "한국어를 배우다"),
        ("كتاب", "هذا كِتَابٌ"),
        ("2.10.3", "Since v2.10.3 it works"),
        ("/usr/local", "in /usr/local/bin"),
        ('"green tea"', "Some green\ntea."),
        ("100% 'sure'", "I am 'sure', 100%"),
        ("a_b\\c", "a_b\\c"),
        ("++", "C++ it is"),
        ("-rf rm", "rm -rf /"),
        ("🎉", "Done 🎉!"),
        ("x" * 100, "x" * 200),
    ],
)
def test_it_finds_what_people_type(api: Api, words: str, text: str) -> None:
    said, titled = saying(api, "Something else", text), saying(api, title=text)
    saying(api, "Something else", title="else")
    assert found(api, words) == [titled, said]


def test_all_words_are_needed_in_one_place(api: Api) -> None:
    together = saying(api, "green and black tea")
    saying(api, "green", "tea", title="black")
    assert found(api, "tea green bla") == [together]


def test_titles_come_first_then_whole_words_then_what_is_newest(api: Api) -> None:
    said, begun = saying(api, "a tea"), saying(api, "teapots")
    titled, title_begun = saying(api, "tea", title="Tea"), saying(api, title="Teapots")
    said_later, both = saying(api, "TEA!"), saying(api, "tea", "teapots")
    ranked = [titled, title_begun, both, said_later, said, begun]
    assert found(api, "tea") == ranked
    assert found(api, "tea", page_size=1) == ranked
    assert found(api, "tea", ordering="created_at") == [said, begun, titled, title_begun, said_later, both]
    first = api.get("conversations/?q=tea&page_size=4").json()
    assert [row["id"] for row in api.http.get(first["next"]).json()["results"]] == ranked[4:]
    back = api.http.get(api.http.get(first["next"]).json()["previous"]).json()
    assert [row["id"] for row in back["results"]] == ranked[:4]


def test_what_was_just_said_or_named_is_found_at_once(api: Api) -> None:
    id = api.conversation(title="Zebras")
    assert found(api, "zebra") == [id]
    api.http.patch(f"/api/conversations/{id}/", json={"title": "Quaggas"})
    assert (found(api, "zebra"), found(api, "quagga")) == ([], [id])
    api.ask(f"Okapis? {QUIETLY}", id)
    assert (found(api, "okapi"), found(api, "yes")) == ([id], [id])
    api.http.patch(f"/api/conversations/{id}/", json={"title": ""})
    assert (found(api, "quagga"), found(api, "okapi")) == ([], [id])


def test_what_nobody_has_searched_for_is_indexed_soon(api: Api) -> None:
    id = saying(api, "one", "two", title="three")
    until(lambda: SearchDocument.objects.filter(conversation=UUID(id)).count() == 3)
    assert not Unindexed.objects.filter(conversation_id=id).exists()


def test_what_was_there_before_is_indexed_some_at_a_time(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    id = saying(api, *(f"word{number}" for number in range(search_index.BEFORE_A_SEARCH + 1)))
    until(lambda: SearchDocument.objects.filter(conversation=UUID(id)).count() == search_index.BEFORE_A_SEARCH + 1)
    SearchDocument.objects.filter(conversation=UUID(id)).delete()
    messages = Message.objects.filter(conversation=UUID(id)).values_list("pk", flat=True)
    Unindexed.objects.bulk_create(
        Unindexed(owner_id=api.user.pk, conversation_id=id, message_id=message) for message in messages
    )
    until(lambda: found(api, "word0") == [id])


def test_it_is_each_users_own(api: Api, other: Api) -> None:
    mine, theirs = saying(api, "a secret 秘密", title="secret"), saying(other, "a secret 秘密", title="secret")
    for words in ("secret", "sec", "密", '"a secret"', "-", "🎉"):
        assert set(found(api, words)) <= {mine}
        assert set(found(other, words)) <= {theirs}
        assert found(api, words, shared="true") == []
    assert found(api, "秘密") == [mine]


def test_what_is_shared_is_found_as_long_as_it_is(api: Api, other: Api) -> None:
    shared = saying(api, "a secret", title="One")
    saying(api, "a secret", title="Two")
    made = api.post(f"conversations/{shared}/shares/", {"user": other.user.username, "role": "reader"}).json()
    assert (found(other, "secret", shared="true"), found(other, "secret")) == ([shared], [])
    assert api.http.delete(f"/api/conversations/{shared}/shares/{made['id']}/").status_code == 204
    assert found(other, "secret", shared="true") == []


def test_filters_hold_for_what_is_found(api: Api) -> None:
    plain = api.conversation(title="tea", metadata={"kind": "green"})
    archived = api.conversation(title="tea", archived=True, tags=["old"])
    assert found(api, "tea", archived="false") == [plain]
    assert found(api, "tea", tag="old") == [archived]
    assert found(api, "tea", **{"metadata.kind": "green"}) == [plain]
    assert found(api, "tea", **{"metadata.kind": "black"}) == []


def test_documents_go_with_what_they_are_of(api: Api) -> None:
    id = saying(api, "one", "two", title="three")
    assert found(api, "two") == [id]
    assert api.http.delete(f"/api/conversations/{id}/").status_code == 204
    assert not SearchDocument.objects.filter(conversation=UUID(id)).exists()
    id = saying(api, "one", title="three")
    until(lambda: SearchDocument.objects.filter(conversation=UUID(id)).count() == 2)
    with transaction.atomic(), connection.cursor() as cursor:  # as if they had been created after Django's query
        cursor.execute("DELETE FROM conversations_message WHERE conversation_id = %s", [id])
        cursor.execute("DELETE FROM conversations_conversation WHERE id = %s", [id])
    assert not SearchDocument.objects.filter(conversation=UUID(id)).exists()
    gone = saying(api, "four")
    Conversation.objects.filter(pk=gone).delete()
    until(lambda: not Unindexed.objects.filter(conversation_id=gone).exists())
    assert found(api, "four") == []


def test_a_text_of_more_terms_than_a_document_can_hold_is_found_by_its_beginning(api: Api) -> None:
    id = saying(api, "begin " + " ".join(f"{number:040}" for number in range(25_000)) + " end")
    assert found(api, "begin") == [id]


@settings(max_examples=40)
@given(typed=st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=60))
def test_any_text_is_found_by_itself_and_shown_as_it_is(uvicorn_server: Any, typed: str) -> None:
    with Api(uvicorn_server.url) as api:
        id = saying(api, f"before {typed} after")
        answer = api.get("conversations/", params={"q": f"before {typed}"})
        assert answer.status_code == 200
        if '"' not in folded(typed):
            [row] = answer.json()["results"]
            assert row["id"] == id
            assert row["snippet"].startswith("<mark>before")
            assert plain(row["snippet"]) in f"before {typed} after"


@pytest.mark.parametrize(
    ("words", "text", "snippet"),
    [
        ("cafe", "Un CAFÉ, s'il vous plaît", "Un <mark>CAFÉ</mark>, s'il vous plaît"),
        ("cafe", "Un cafe\u0301!", "Un <mark>cafe\u0301</mark>!"),
        ("ガス", "都市ｶﾞｽ<会社>", "都市<mark>ｶﾞｽ</mark>&lt;会社&gt;"),
        ("fi 2", "ﬁne H² 2", "<mark>ﬁ</mark>ne H<mark>²</mark> <mark>2</mark>"),
        ('"green tea" b', "green \n tea & black", "<mark>green \n tea</mark> &amp; <mark>b</mark>lack"),
        ("كتاب", "هذا كِتَابٌ قديم", "هذا <mark>كِتَابٌ</mark> قديم"),
        ("2.10", "v2.10.3", "v<mark>2.10</mark>.3"),
        ("tea", f"{'word ' * 3000}tea {'word ' * 100}", f"{'word ' * 11}<mark>tea</mark>{' word' * 31}"),
    ],
)
def test_the_snippet_marks_the_original_text(api: Api, words: str, text: str, snippet: str) -> None:
    id = saying(api, text)
    [row] = api.get("conversations/", params={"q": words}).json()["results"]
    assert (row["id"], row["snippet"]) == (id, snippet)
