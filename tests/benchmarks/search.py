"""How long a search takes with 1,000,000 messages, and how much indexing adds to writing a message.

    python -m tests.benchmarks.search --messages 1000000

It fills a database of its own, or with `--keep DIR` one in a folder, which is reused the next time: of 500 users the
busiest has a seventh of all messages, the second half as many, and so on, written over two years. Word frequencies are
those of a natural language; one message in ten is Japanese, and one Thai. Then the busiest user, an average one and
one with few messages search through a real server process.
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import sys
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from typing import TYPE_CHECKING, Any

import httpx2

import tests.environment  # noqa: F401 - before Django's settings are read

if TYPE_CHECKING:
    from conversations.models import Conversation

TIMES = 10
YEAR = timedelta(days=365)
USERS, TEXTS, WORDS, VOCABULARY = 500, 20_000, 60, 20_000
SEARCHING = (0, 25, 400)
"""The users that search, the one with the most messages first."""
WRITTEN = 1_000

KANJI = "東京日本語会議資料作成確認時間場所予定変更連絡先方法問題解決開発環境設定実行結果報告書類提出期限"
THAI = ("สวัสดี", "ขอบคุณ", "ประชุม", "เอกสาร", "ภาษาไทย", "ทำงาน", "โปรแกรม", "กำหนดการ", "ปัญหา", "คำตอบ", "วันนี้", "พรุ่งนี้")


def word(number: int) -> str:
    """Return a word by its rank: the smaller the number, the more frequent the word."""
    digits = (number // 60**at % 60 for at in range(2 if number < 60**2 else 3))
    return "".join("bdfgklmnprst"[digit % 12] + "aeiou"[digit // 12] for digit in digits)


QUERIES = {
    "a rare word": word(19_000),
    "a frequent word": word(50),
    "one of the most frequent words": word(1),
    "the beginning of many words": word(1)[:3],
    "two words": f"{word(30)} {word(400)}",
    "three words, of which one is rare": f"{word(1)} {word(2)} {word(15_000)}",
    "a phrase": f'"release notes of {word(3)}"',
    "a path": f"/usr/local/lib/{word(77)}",
    "a version": "2.10.3",
    "a word of two characters": "東京",
    "a character": "語",
    "four characters": "会議資料",
    "a word in Thai": "ประชุม",
    "a word that nobody said": "zebra",
    "nothing but signs": "=>",
}

SEED = """
SET LOCAL session_replication_role = replica;
SET LOCAL maintenance_work_mem = '512MB';
CREATE TEMP TABLE seeded ON COMMIT DROP AS
SELECT conversation, owner, row_number() OVER () + %(first)s AS at, floor(random() * %(texts)s)::int AS number
FROM unnest(%(conversations)s::uuid[], %(owners)s::uuid[]) AS each(conversation, owner),
    generate_series(1, 40) ORDER BY random();
ALTER TABLE seeded ADD id uuid;
UPDATE seeded SET id = lpad(to_hex(at), 32, '0')::uuid;
INSERT INTO conversations_message (id, conversation_id, role, content, text, created_at, depth, jump)
SELECT id, conversation, 'user', '[]', original, now(), 0, id FROM seeded JOIN texts USING (number) ORDER BY random();
DROP INDEX search_document_terms;
INSERT INTO conversations_searchdocument (conversation_id, message_id, terms, text)
SELECT conversation, id, array_to_tsvector(ARRAY(SELECT key FROM (VALUES (keys.key)) AS keyed(key) UNION ALL
    SELECT keys.key || term FROM unnest(terms) AS term)), text
FROM seeded JOIN texts USING (number)
JOIN unnest(%(conversations)s::uuid[], %(keys)s::text[]) AS keys(of, key) ON of = conversation
ORDER BY random();
CREATE INDEX search_document_terms ON conversations_searchdocument USING gin (terms) WITH (fastupdate = off);
"""


def main() -> int:
    """Print a line for each kind of query, and the cost of writing; return the exit status."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--messages", type=int, default=1_000_000)
    parser.add_argument("--keep", metavar="DIR")
    arguments = parser.parse_args()
    if arguments.keep:
        os.environ["COLLOQUY_DATA_DIR"] = arguments.keep  # before the configuration is imported, which reads it

    from tests.benchmarks.given import prepared
    from tests.processes import ServerProcess

    with prepared() as database:
        began = time.monotonic()
        if not is_seeded():
            seed(arguments.messages)
            print(f"{arguments.messages:,} messages of {USERS} users, seeded in {time.monotonic() - began:.0f} s")
        print(sizes())
        server = ServerProcess("uvicorn", database, "http://127.0.0.1:9", COLLOQUY_RUN_TURNS="false")
        with server, httpx2.Client(base_url=f"{server.url}/api", timeout=60) as http:
            print_taken(http, tokens())
        print(written())
    return 0


def is_seeded() -> bool:
    from conversations.models import User

    return User.objects.filter(username="user-0").exists()


def tokens() -> list[str]:
    """Return the API tokens of the users who search."""
    from conversations.models import User
    from conversations.services.accounts import accounts

    return [accounts.issue_token(user=User.objects.get(username=f"user-{number}"))[1] for number in SEARCHING]


def seed(messages: int) -> None:
    """Fill the database."""
    from django.db import connection, transaction

    from conversations.models import Unindexed
    from conversations.services.search_shelves import shelf_key, shelf_name

    conversations = seed_conversations(messages)
    shelves = seed_shelves(conversations)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE texts (number int, original text, terms text[], text text) ON COMMIT DROP")
        with cursor.copy("COPY texts FROM STDIN") as copy:
            for each in texts():
                copy.write_row(each)
        cursor.execute("ANALYZE texts")
        values: dict[str, Any] = {
            "first": 1,
            "texts": TEXTS,
            "conversations": [each.pk for each in conversations],
            "owners": [each.owner_id for each in conversations],
            "keys": [shelf_key(shelf_name(shelves[each.pk]), title=False) for each in conversations],
        }
        for statement in filter(str.strip, SEED.split(";")):
            cursor.execute(statement, values)
    Unindexed.objects.all().delete()
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


def seed_conversations(messages: int) -> list[Conversation]:
    """Create conversations of 40 messages each; return them in the order of their creation."""
    from conversations.models import Conversation, User

    users = User.objects.bulk_create(User(username=f"user-{number}") for number in range(USERS))
    shares = [1 / (number + 1) for number in range(USERS)]
    owners = [
        user
        for user, share in zip(users, shares, strict=True)
        for _ in range(max(1, round(messages / 40 * share / sum(shares))))
    ]
    chosen = random.Random(2)
    chosen.shuffle(owners)
    now = datetime.now(UTC)
    step = 2 * YEAR / len(owners)
    return Conversation.objects.bulk_create(
        Conversation(
            owner=owner,
            title=" ".join(word(int(VOCABULARY ** chosen.random())) for _ in range(5)),
            updated_at=min(now, now - 2 * YEAR + number * step + timedelta(days=chosen.expovariate(1 / 7))),
        )
        for number, owner in enumerate(owners)
    )


def seed_shelves(conversations: list[Conversation]) -> dict[uuid.UUID, int]:
    """Assign conversations to shelves as indexing them one by one would; return the shelf by conversation."""
    from django.db import transaction

    from conversations.database import prepared
    from conversations.services import search_index
    from conversations.services.search_shelves import GROWTH, SHELF_SIZE, shelve

    by_owner: dict[uuid.UUID, list[uuid.UUID]] = {}
    for each in conversations:
        by_owner.setdefault(each.owner_id, []).append(each.pk)
    shelves: dict[uuid.UUID, int] = {}
    room = SHELF_SIZE // (GROWTH + 41) + 1
    with transaction.atomic():
        for owner, ids in by_owner.items():
            for at in range(0, len(ids), room):
                shelves |= shelve([(id, owner) for id in ids[at : at + room] for _ in range(41)])
        titles = (search_index.Text(each.pk, None, each.title) for each in conversations)
        documents = (search_index.document(shelves[each.conversation], each) for each in titles)
        prepared(search_index.STORE_TITLES, search_index.document_columns(documents))
    return shelves


def texts() -> Iterator[tuple[int, str, list[str], str]]:
    """Yield texts, each with its number, its terms and its searchable form."""
    from conversations.content.search_text import folded, index_terms, marked

    chosen = random.Random(1)
    words = [word(number) for number in range(VOCABULARY)]
    weights = list(accumulate(1 / (number + 1) for number in range(VOCABULARY)))
    for number in range(TEXTS):
        if number % 10 == 0:
            original = "".join(chosen.choices(KANJI, k=WORDS * 3))
        elif number % 10 == 1:
            original = "".join(chosen.choices(THAI, k=WORDS))
        else:
            said = chosen.choices(words, cum_weights=weights, k=WORDS)
            original = f"See /usr/local/lib/{said[0]} {number % 20}.{number % 11}.{number % 7} => " + " ".join(said)
            original += f". The release notes of {said[1]} say so." if number % 50 == 2 else ""
        text = folded(original)
        yield number, original, index_terms(text), marked(text)


def sizes() -> str:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_size_pretty(pg_total_relation_size('conversations_message')), "
            "pg_size_pretty(pg_table_size('conversations_searchdocument')), "
            "pg_size_pretty(pg_relation_size('search_document_terms'))"
        )
        messages, documents, index = cursor.fetchone()
    return f"messages {messages}, documents {documents}, index of terms {index}"


def print_taken(http: httpx2.Client, tokens: list[str]) -> None:
    """Print the time of each kind of query for each user, measured in turns, and of all together."""
    taken: dict[tuple[str, int], list[float]] = {}
    for _ in range(TIMES):
        for name, query in QUERIES.items():
            for who, token in enumerate(tokens):
                began = time.perf_counter()
                answer = http.get("/conversations/", params={"q": query}, headers={"Authorization": f"Bearer {token}"})
                taken.setdefault((name, who), []).append(time.perf_counter() - began)
                assert answer.status_code == 200, answer.text
    for name in QUERIES:
        print(f"{name:36}" + "".join(f"{figures(taken[name, who]):>24}" for who in range(len(tokens))))
    print(f"{'all':36}{figures([each for times in taken.values() for each in times]):>24}")


def figures(seconds: list[float]) -> str:
    ordered = sorted(seconds)
    return f"{statistics.median(ordered) * 1000:.1f} / {ordered[round(0.95 * (len(ordered) - 1))] * 1000:.1f} ms"


def written() -> str:
    """Return, as text, the cost of a message with and without its index note, and that of indexing it."""
    from conversations.models import Conversation, Unindexed
    from conversations.services import search_index

    Unindexed.objects.all().delete()
    conversation = Conversation.objects.first()
    assert conversation
    plain, noted = insert(conversation.pk, "DISABLE"), insert(conversation.pk, "ENABLE")
    began = time.perf_counter()
    while search_index.index_some():
        pass
    indexed = (time.perf_counter() - began) / WRITTEN
    return (
        f"a message of {WORDS} words: {plain * 1e6:.0f} us to store, {(noted - plain) * 1e6:.0f} us to note that it is "
        f"to be indexed, {indexed * 1e6:.0f} us to index afterwards"
    )


def insert(conversation: uuid.UUID, note: str) -> float:
    """Return the seconds for storing one message, with or without the trigger that queues it for the index."""
    from django.db import connection, transaction

    from conversations.database import prepared

    said = next(each for number, each, *_ in texts() if number % 10 > 1)
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE conversations_message {note} TRIGGER new_messages_are_to_be_indexed")
    began = time.perf_counter()
    with transaction.atomic():
        for _ in range(WRITTEN):
            prepared(
                "INSERT INTO conversations_message (id, conversation_id, role, content, text, created_at) "
                "VALUES (gen_random_uuid(), %(conversation)s, 'user', '[]', %(text)s, now()) RETURNING id",
                {"conversation": conversation, "text": said},
            )
    return (time.perf_counter() - began) / WRITTEN


if __name__ == "__main__":
    sys.exit(main())
