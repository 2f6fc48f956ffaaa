"""Searching shelf by shelf finds the same results, in the same order, as a search of everything.

It reads no more than it has to: one shelf for a word that is everywhere, a few reads for one that is nowhere.
"""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from typing import NamedTuple
from unittest.mock import ANY

import pytest
from django.db import transaction
from hypothesis import example, given
from hypothesis import strategies as st

from conversations.content.search_query import SearchQuery, parsed
from conversations.models import Conversation, Message, Share, ShelvedConversation, User
from conversations.services.conversation_lists import ConversationList
from conversations.services.list_parts import EPOCH, TIMES, ListedConversation, ListPart, walk
from conversations.services.search import RANK_SHIFT, Rank, begin_search
from conversations.services.search_shelves import SHELF_SIZE, shelve
from conversations.services.search_walk import Section, Shelf, sections_by_relevance, sections_by_time
from tests.search.test_matching_queries import finds

RANKS = tuple(sorted(Rank, reverse=True))
ROWS = st.lists(st.tuples(st.sampled_from(RANKS), st.integers(1, 9), st.integers(1, 9), st.integers(1, 6)), max_size=25)
"""Search results: rank, times of change and creation, and shelf."""


class Found(NamedTuple):
    """A search result with its rank and its shelf."""

    row: ListedConversation
    rank: Rank
    shelf: int


def result(number: int, rank: Rank, updated: int, created: int, shelf: int) -> Found:
    at, of = (EPOCH + timedelta(microseconds=time) for time in (updated, created))
    row = ListedConversation(
        uuid.UUID(int=number), "", {"model": "", "max_tokens": 1}, {}, [], False, False, None, of, at, "", ""
    )
    return Found(row._replace(relevance=(rank << RANK_SHIFT) + updated), rank, shelf)


def sections(found: Iterable[Found], part: ListPart) -> list[Section]:
    by_time = ListPart(TIMES[part.column], part.limit)
    times: dict[int, list[int]] = {}
    for each in found:
        times.setdefault(each.shelf, []).append(by_time.value_of(each.row))
    shelves = [Shelf(number, min(values), max(values)) for number, values in times.items()]
    return sections_by_relevance(shelves, RANKS) if part.column == "relevance" else sections_by_time(shelves, RANKS)


class Looked:
    """A stub of the search of sections, which records how many of them each call went through."""

    def __init__(self, found: list[Found], part: ListPart) -> None:
        self.found, self.part = found, part
        self.seen: list[int] = []

    def __call__(self, sections: Sequence[Section], limit: int) -> list[tuple[int, ListedConversation]]:
        rows: list[tuple[int, ListedConversation]] = []
        number = -1
        for number, section in enumerate(sections):
            rows += [(number, each) for each in self.plain(self.inside(section))]
            if len(rows) >= limit:
                break
        self.seen.append(number + 1)
        return rows[:limit]

    def inside(self, section: Section) -> list[ListedConversation]:
        least, greatest = section.ranks
        return [each.row for each in self.found if each.shelf == section.shelf and least <= each.rank <= greatest]

    def plain(self, rows: Iterable[ListedConversation]) -> list[ListedConversation]:
        """Return those of the rows that belong to the part, ordered, without use of shelves."""
        ordered = sorted(rows, key=self.key, reverse=self.part.descending)
        if self.part.place:
            place = self.part.place_value or 0, uuid.UUID(self.part.place[1])
            ordered = [each for each in ordered if (self.key(each) < place) == self.part.descending]
            ordered = [each for each in ordered if self.key(each) != place]
        return ordered[: self.part.limit]

    def key(self, row: ListedConversation) -> tuple[int, uuid.UUID]:
        return self.part.value_of(row), row.id


@given(ROWS, st.sampled_from(list(TIMES)), st.booleans(), st.integers(1, 5))
@example([(Rank.BEGINS_IN_MESSAGE, 5, 5, 1), (Rank.WHOLE_IN_MESSAGE, 5, 5, 2)] * 3, "relevance", True, 2)
def test_pages_have_all_results_in_their_order(
    results: list[tuple[Rank, int, int, int]], column: str, descending: bool, limit: int
) -> None:
    found = [result(number, *each) for number, each in enumerate(results)]
    place: list[str] | None = None
    rest = Looked(found, ListPart(column, 1000, descending)).plain(each.row for each in found)
    while rest:
        part = ListPart(column, limit, descending, place)
        page = walk(part, sections(found, part), Looked(found, part))
        assert page == rest[:limit]
        place = [str(getattr(page[-1], column)), str(page[-1].id)]
        rest = rest[limit:]


def test_no_more_is_looked_at_than_it_takes() -> None:
    everywhere = [result(number, Rank.WHOLE_IN_MESSAGE, number, number, number // 100) for number in range(10_000)]
    part = ListPart("relevance", 50, descending=True)
    look = Looked(everywhere, part)
    assert len(walk(part, sections(everywhere, part), look)) == 50
    assert look.seen == [101]  # the titles, and the newest shelf
    nowhere = Looked([], part)
    assert walk(part, sections(everywhere, part), nowhere) == []
    assert nowhere.seen == [300]
    deep = ListPart("relevance", 50, True, [str((1 << RANK_SHIFT) + 5_020), str(uuid.UUID(int=0))])
    look = Looked(everywhere, deep)
    assert [each.id.int for each in walk(deep, sections(everywhere, deep), look)] == list(range(5019, 4969, -1))
    assert look.seen == [2, 1]


WORDS = ("tea", "teapot", "green", "green tea", "/usr/lib", "東京都", "京都", "สวัสดี", "2.10.3", "=>", "else")
TYPED = ("t", "tea", "te", '"green tea"', '"tea"', "gree", "/usr", "東", "京都", "สวั", "2.1", "=>", "zebra", "tea 京")


class Told(NamedTuple):
    """A conversation with all its texts."""

    row: Conversation
    texts: list[str]

    def rank(self, query: SearchQuery) -> Rank | None:
        """Return the best rank with which a query finds the conversation, by a check of each of its texts."""
        for rank in RANKS:
            texts = [self.row.title] if rank.in_title else self.texts
            if any(finds(query.exact if rank.is_whole else query, text) for text in texts):
                return rank
        return None


@pytest.fixture(scope="module")
def told(database: str) -> list[Told]:
    """Provide a user's conversations on many shelves; every third one is archived, and has a tag."""
    chosen = random.Random(7)
    owner = User.objects.create(username="who-told")
    rows = [
        Conversation(
            owner=owner,
            title=" ".join(chosen.sample(WORDS, number % 2)),
            archived=number % 3 == 0,
            tags=["third"] if number % 3 == 0 else [],
            updated_at=EPOCH + timedelta(days=20_000 + number // 2 + chosen.randrange(6)),
        )
        for number in range(50)
    ]
    texts = [[" ".join(chosen.sample(WORDS, 2)) for _ in range(2)] for _ in rows]
    with transaction.atomic():
        Conversation.objects.bulk_create(rows)
        ShelvedConversation.objects.bulk_create(
            ShelvedConversation(conversation=row, owner_id=owner.pk, shelf=10_000_000 + number // 5, documents=0)
            for number, row in enumerate(rows)
        )
        Message.objects.bulk_create(
            Message(conversation=row, role="user", content=[], text=text)
            for row, several in zip(rows, texts, strict=True)
            for text in several
        )
    return [Told(Conversation.objects.get(pk=row.pk), several) for row, several in zip(rows, texts, strict=True)]


def pages(listed: ConversationList, column: str, limit: int, *, descending: bool) -> Iterator[ListedConversation]:
    place = None
    while page := listed.part(ListPart(column, limit, descending, place)):
        yield from page
        place = [str(getattr(page[-1], column)), str(page[-1].id)]


@pytest.mark.parametrize("typed", TYPED)
@pytest.mark.parametrize("archived", [None, True])
def test_a_search_of_many_shelves_finds_what_a_look_at_all_texts_finds(
    told: list[Told], typed: str, archived: bool | None
) -> None:
    query, owner = parsed(typed), told[0].row.owner
    search = begin_search(owner, typed, shared=False)
    listed = ConversationList(owner, archived=archived, search=search)
    ranks = {each.row: rank for each in told if (rank := each.rank(query)) is not None}
    expected = [row for row in ranks if archived in (None, row.archived)]
    expected.sort(key=lambda row: (ranks[row], row.updated_at, row.pk), reverse=True)
    assert [each.id for each in pages(listed, "relevance", 7, descending=True)] == [row.pk for row in expected]
    assert [each.id for each in pages(listed, "relevance", 50, descending=False)] == [row.pk for row in expected[::-1]]
    expected.sort(key=lambda row: (row.updated_at, row.pk))
    assert [each.id for each in pages(listed, "updated_at", 7, descending=False)] == [row.pk for row in expected]
    expected.sort(key=lambda row: (row.title, row.pk))
    assert {each.id for each in pages(listed, "title", 7, descending=False)} == {row.pk for row in expected}


def test_what_is_shared_is_found_on_the_shelves_of_its_owners(told: list[Told]) -> None:
    reader = User.objects.create(username="who-reads")
    shared = told[::7]
    Share.objects.bulk_create(Share(conversation=each.row, user=reader, role="reader") for each in shared)
    listed = ConversationList(reader, shared=True, search=begin_search(reader, "tea", shared=True))
    found = list(pages(listed, "relevance", 2, descending=True))
    assert sorted(each.id for each in found) == sorted(
        each.row.pk for each in shared if each.rank(parsed("tea")) is not None
    )
    assert len(found) > 2


def test_new_conversations_come_to_a_new_shelf_when_one_is_full(database: str) -> None:
    owner, other = User.objects.bulk_create(User(username=f"with-shelves-{number}") for number in range(2))
    mine = Conversation.objects.bulk_create(Conversation(owner=owner) for _ in range(4))
    theirs = Conversation.objects.create(owner=other)

    def shelved(*documents: tuple[Conversation, int]) -> list[int]:
        made = shelve((row.pk, row.owner_id) for row, number in documents for _ in range(number))
        return [made[row.pk] for row, _ in documents]

    first, second = shelved((mine[0], SHELF_SIZE // 2), (mine[1], 1))
    assert first == second
    assert shelved((mine[2], SHELF_SIZE // 2), (theirs, 1)) == [first, ANY]
    [full] = shelved((mine[3], 1))
    assert full > first
    assert shelved((mine[0], 1), (mine[3], 1)) == [first, full]
    assert shelved((theirs, 1)) != [first]
    Conversation.objects.filter(owner=owner).delete()
    assert not ShelvedConversation.objects.filter(owner_id=owner.pk).exists()
