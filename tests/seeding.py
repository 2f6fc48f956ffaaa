"""Seed data of a platform in use: users, conversations, turns and ledger rows."""

from __future__ import annotations

from typing import Any

from django.db import connection, transaction

# The random numbers have a fixed seed. Ids begin with the time, as UUIDv7 do.
SEED = """
CREATE OR REPLACE FUNCTION pg_temp.id_of(at timestamptz, what text) RETURNS uuid LANGUAGE sql AS $$
    SELECT (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || '7' || substr(md5(what), 1, 19))::uuid
$$;
SELECT setseed(0.42);

INSERT INTO conversations_user (id, password, is_superuser, username, first_name, last_name, email, is_staff, is_active,
    date_joined)
SELECT md5(%(name)s || 'user' || n)::uuid, '', false, %(name)s || '-' || n, '', '', '', false, true, now()
FROM generate_series(1, %(users)s) AS n;

CREATE TEMP TABLE seeded_conversation ON COMMIT DROP AS
SELECT n, pg_temp.id_of(at, %(name)s || n) AS id, at,
    md5(%(name)s || 'user' || (1 + floor(%(users)s * power(random(), 2))))::uuid AS owner,
    (ARRAY['claude-sonnet-4-6', 'claude-opus-5-5', 'claude-haiku-5-5', 'claude-sonnet-5-5', 'claude-fable-5-2',
        'llama-local'])[1 + floor(6 * power(random(), 2))] AS model
FROM (
    SELECT n, now() - random() * make_interval(days => %(days)s) AS at FROM generate_series(1, %(conversations)s) AS n
) AS begun;

INSERT INTO conversations_conversation (id, owner_id, title, settings, metadata, archived, created_at, updated_at)
SELECT id, owner, 'Conversation ' || n || ' of many', '{}', '{}', false, at, at FROM seeded_conversation;

CREATE TEMP TABLE seeded_turn ON COMMIT DROP AS
SELECT n, pg_temp.id_of(at, %(name)s || 'turn' || n) AS id, pg_temp.id_of(at, %(name)s || 'message' || n) AS message,
    at, conversation, owner, model
FROM (
    SELECT turn.n, conversation.id AS conversation, owner, model,
        least(now(), conversation.at + power(random(), 3) * interval '2 days') AS at
    FROM (SELECT n, 1 + floor(%(conversations)s * random()) AS of FROM generate_series(1, %(turns)s) AS n) AS turn
    JOIN seeded_conversation AS conversation ON conversation.n = turn.of
) AS asked;

INSERT INTO conversations_message (id, conversation_id, role, content, text, created_at)
SELECT message, conversation, 'user', '[{"type": "text", "text": "Hello"}]', 'Hello', at FROM seeded_turn;

INSERT INTO conversations_turn (id, conversation_id, user_id, user_message_id, model, settings, request_digest,
    position, requests_sent, tool_results, status, fence, created_at, finished_at)
SELECT id, conversation, owner, message, model, '{}', '', 12, %(requests)s, '[]', 'completed', 1, at, at
FROM seeded_turn;

CREATE TEMP TABLE seeded_usage ON COMMIT DROP AS
SELECT turn.*, number, random() AS luck, floor(40 + 4000 * power(random(), 3)) AS said,
    floor(20000 * power(random(), 2)) AS read, floor(3000 * random()) AS asked
FROM seeded_turn AS turn, generate_series(1, %(requests)s) AS number;

INSERT INTO conversations_usage (id, user_id, username, purpose, conversation_id, turn_id, model, request_id,
    input_tokens, output_tokens, cache_read_tokens, cache_write_5m_tokens, cache_write_1h_tokens, thinking_tokens,
    web_search_requests, raw, source, cost, prices, stop_reason, error_type, duration, created_at)
SELECT pg_temp.id_of(at, %(name)s || n || '-' || number), owner, seeded_user.username,
    CASE WHEN luck < 0.04 THEN 'title' WHEN luck > 0.97 THEN 'extraction' ELSE 'turn' END,
    CASE WHEN luck > 0.97 THEN NULL ELSE conversation END,
    CASE WHEN luck < 0.04 OR luck > 0.97 THEN NULL ELSE seeded_usage.id END,
    model, 'req_' || md5(n || '-' || number), asked, said, read, floor(asked / 3), 0, floor(said / 4), 0, '{}',
    CASE WHEN luck BETWEEN 0.5 AND 0.53 THEN 'estimate' ELSE 'provider' END,
    CASE WHEN model = 'llama-local' THEN NULL
        ELSE (3 * asked + 15 * said + 0.3 * read + 3.75 * floor(asked / 3))::numeric / 1000000 END,
    '{}', CASE WHEN luck BETWEEN 0.5 AND 0.53 THEN NULL ELSE 'end_turn' END,
    CASE WHEN luck BETWEEN 0.5 AND 0.51 THEN 'overloaded_error' WHEN luck BETWEEN 0.51 AND 0.52 THEN 'api_error'
        ELSE '' END,
    make_interval(secs => 0.4 + said / 60), at + number * interval '4 seconds'
FROM seeded_usage JOIN conversations_user AS seeded_user ON seeded_user.id = owner;
"""


def seed(name: str, rows: int, *, users: int, days: int, requests: int = 3) -> None:
    """Add `rows` ledger rows over the last `days`, of users whose names begin with `name`."""
    turns = rows // requests
    values: dict[str, Any] = {"name": name, "users": users, "days": days, "requests": requests, "turns": turns}
    values["conversations"] = max(1, turns // 4)
    with transaction.atomic(), connection.cursor() as cursor:
        for statement in filter(str.strip, SEED.split(";\n")):
            cursor.execute(statement, values)
