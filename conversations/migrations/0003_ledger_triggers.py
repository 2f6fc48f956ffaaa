"""Triggers by which the ledger and the log of openings stay as they are, and the daily sums are those of the ledger.

They hold for every writer: the services, the admin, a shell and psql. Each constant below is one promise.
"""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations

from conversations.migrations._operations import triggers

# A ledger that nothing can change, but for one thing: that a pseudonym stands where a name was, once nobody of that id
# bears the name any more. (Rows of type json can't be compared; as jsonb they can.)
APPEND_ONLY_LEDGER = """
CREATE FUNCTION refuse_to_change_the_ledger() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_LEVEL = 'ROW' AND TG_OP = 'UPDATE' THEN
        IF NEW.username ~ '^[0-9a-f]{32}$' AND to_jsonb(NEW) - 'username' = to_jsonb(OLD) - 'username'
            AND NOT EXISTS (SELECT FROM conversations_user WHERE id = OLD.user_id AND username <> NEW.username)
        THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION 'The ledger is append-only: % is refused.', TG_OP USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER ledger_is_append_only BEFORE DELETE OR TRUNCATE ON conversations_usage
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_to_change_the_ledger();
CREATE TRIGGER ledger_is_not_changed BEFORE UPDATE ON conversations_usage
    FOR EACH ROW EXECUTE FUNCTION refuse_to_change_the_ledger();
"""

# What staff looked at is not changed afterwards, but for such a pseudonym. It may be deleted: it goes with the user
# whom it tells.
UNCHANGED_OPENINGS = """
CREATE FUNCTION refuse_to_change_openings() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_LEVEL = 'ROW' AND TG_OP = 'UPDATE' THEN
        IF NEW.staff ~ '^[0-9a-f]{32}$' AND to_jsonb(NEW) - 'staff' = to_jsonb(OLD) - 'staff'
            AND NOT EXISTS (SELECT FROM conversations_user WHERE username = OLD.staff)
        THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION 'What was opened is not to be changed.' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER openings_are_not_changed BEFORE TRUNCATE ON conversations_opening
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_to_change_openings();
CREATE TRIGGER an_opening_is_not_changed BEFORE UPDATE ON conversations_opening
    FOR EACH ROW EXECUTE FUNCTION refuse_to_change_openings();
"""

# The sums by the day are those of the ledger's rows, in the transaction that adds them. The lock is for each user: of
# two transactions that book several requests in different orders, each would else wait for the other's sums.
DAILY_SUMS = """
CREATE FUNCTION add_up_usage() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('daily usage'), hash)
        FROM (SELECT DISTINCT hashtext(coalesce(user_id::text, '')) AS hash FROM added ORDER BY 1) AS users;

    INSERT INTO conversations_dailyusage AS daily (
        day, user_id, model, source, purpose, error_type, username, requests, input_tokens, output_tokens,
        cache_read_tokens, cache_write_5m_tokens, cache_write_1h_tokens, cost, unpriced, slowest
    )
    SELECT (created_at AT TIME ZONE 'UTC')::date AS day, user_id, model, source, purpose, error_type, max(username),
        sum(requests), sum(input_tokens), sum(output_tokens),
        sum(cache_read_tokens), sum(cache_write_5m_tokens), sum(cache_write_1h_tokens),
        coalesce(sum(cost), 0), coalesce(sum(requests) FILTER (WHERE cost IS NULL), 0),
        max(duration) FILTER (WHERE corrects_id IS NULL)
    FROM added
    GROUP BY day, user_id, model, source, purpose, error_type
    ORDER BY day, user_id, model, source, purpose, error_type
    ON CONFLICT (day, user_id, model, source, purpose, error_type) DO UPDATE SET
        username = excluded.username,
        requests = daily.requests + excluded.requests,
        input_tokens = daily.input_tokens + excluded.input_tokens,
        output_tokens = daily.output_tokens + excluded.output_tokens,
        cache_read_tokens = daily.cache_read_tokens + excluded.cache_read_tokens,
        cache_write_5m_tokens = daily.cache_write_5m_tokens + excluded.cache_write_5m_tokens,
        cache_write_1h_tokens = daily.cache_write_1h_tokens + excluded.cache_write_1h_tokens,
        cost = daily.cost + excluded.cost,
        unpriced = daily.unpriced + excluded.unpriced,
        slowest = greatest(daily.slowest, excluded.slowest);

    INSERT INTO conversations_dailyconversation AS daily (
        day, conversation_id, user_id, model, source, purpose, username, requests, input_tokens, output_tokens,
        cache_read_tokens, cache_write_5m_tokens, cache_write_1h_tokens, cost, unpriced
    )
    SELECT (created_at AT TIME ZONE 'UTC')::date AS day, conversation_id, user_id, model, source, purpose,
        max(username), sum(requests), sum(input_tokens), sum(output_tokens),
        sum(cache_read_tokens), sum(cache_write_5m_tokens), sum(cache_write_1h_tokens),
        coalesce(sum(cost), 0), coalesce(sum(requests) FILTER (WHERE cost IS NULL), 0)
    FROM added
    GROUP BY day, conversation_id, user_id, model, source, purpose
    ORDER BY day, conversation_id, user_id, model, source, purpose
    ON CONFLICT (day, conversation_id, user_id, model, source, purpose) DO UPDATE SET
        username = excluded.username,
        requests = daily.requests + excluded.requests,
        input_tokens = daily.input_tokens + excluded.input_tokens,
        output_tokens = daily.output_tokens + excluded.output_tokens,
        cache_read_tokens = daily.cache_read_tokens + excluded.cache_read_tokens,
        cache_write_5m_tokens = daily.cache_write_5m_tokens + excluded.cache_write_5m_tokens,
        cache_write_1h_tokens = daily.cache_write_1h_tokens + excluded.cache_write_1h_tokens,
        cost = daily.cost + excluded.cost,
        unpriced = daily.unpriced + excluded.unpriced;

    RETURN NULL;
END $$;
CREATE TRIGGER usage_is_added_up AFTER INSERT ON conversations_usage
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION add_up_usage();
"""


class Migration(migrations.Migration):
    replaces: ClassVar = [("conversations", "0009_deletions_and_retention")]
    dependencies: ClassVar = [("conversations", "0002_keys_and_storage")]

    operations: ClassVar = [
        triggers(APPEND_ONLY_LEDGER, "refuse_to_change_the_ledger"),
        triggers(UNCHANGED_OPENINGS, "refuse_to_change_openings"),
        triggers(DAILY_SUMS, "add_up_usage"),
    ]
