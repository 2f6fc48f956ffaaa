"""Keys of two columns, triggers and storage parameters: what the models promise and Django has no words for.

Triggers hold for every writer: the services, the admin, a shell and psql. Each constant below is one promise.
"""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations

# A message's parent is in the same conversation. Checked at the end of the transaction, so that a tree can be inserted
# and deleted in any order.
PARENT_IN_CONVERSATION = """
ALTER TABLE conversations_message ADD CONSTRAINT message_parent_in_conversation
    FOREIGN KEY (conversation_id, parent_id) REFERENCES conversations_message (conversation_id, id)
    DEFERRABLE INITIALLY DEFERRED;
"""

# A turn's pieces leave no gap: each begins at 0 (where `previous` is null) or where another one ends.
PIECES_WITHOUT_GAPS = """
ALTER TABLE conversations_journal ADD CONSTRAINT piece_begins_where_one_ends
    FOREIGN KEY (turn_id, previous) REFERENCES conversations_journal (turn_id, "end");
"""

# A running turn is updated with every flush of the journal. Room on its page keeps these updates out of the indexes.
ROOM_FOR_UPDATES = "ALTER TABLE conversations_turn SET (fillfactor = 70);"

# Every message has its depth, and a jump to an ancestor: with jumps and parents any ancestor is found in a number of
# steps that grows with the logarithm of the depth. Jumps are those of a skew-binary list: where the parent's jump and
# the next one are of the same length, the new one is as long as both and one more; else it goes to the parent.
PLACED_MESSAGES = """
CREATE FUNCTION place_message() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    above record;
BEGIN
    SELECT parent.depth, parent.jump, first.depth AS first_depth, first.jump AS second, second.depth AS second_depth
        INTO above
        FROM conversations_message AS parent
        JOIN conversations_message AS first ON first.id = parent.jump
        JOIN conversations_message AS second ON second.id = first.jump
        WHERE parent.id = NEW.parent_id;
    IF NEW.parent_id IS NULL OR NOT FOUND THEN
        NEW.depth := 0;
        NEW.jump := NEW.id;
    ELSE
        NEW.depth := above.depth + 1;
        NEW.jump := CASE WHEN above.depth - above.first_depth = above.first_depth - above.second_depth
            THEN above.second ELSE NEW.parent_id END;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER message_is_placed BEFORE INSERT ON conversations_message
    FOR EACH ROW EXECUTE FUNCTION place_message();
"""

# The ledger is append-only.
APPEND_ONLY_LEDGER = """
CREATE FUNCTION refuse_to_change_the_ledger() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'The ledger is append-only: % is refused.', TG_OP USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER ledger_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON conversations_usage
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_to_change_the_ledger();
"""

# What staff looked at is not changed afterwards. It may be deleted: it goes with the user whom it tells.
UNCHANGED_OPENINGS = """
CREATE FUNCTION refuse_to_change_openings() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'What was opened is not to be changed.' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER openings_are_not_changed BEFORE UPDATE OR TRUNCATE ON conversations_opening
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_to_change_openings();
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
    SELECT (created_at AT TIME ZONE 'UTC')::date AS day, conversation_id, user_id, model, source, purpose, max(username),
        sum(requests), sum(input_tokens), sum(output_tokens),
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

# Every process hears that somebody's access has ended, whoever ends it, and forgets what it has cached of it.
TOLD_OF_ACCESS = """
CREATE FUNCTION tell_of_access() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('colloquy', 'access ' || (to_jsonb(OLD) ->> TG_ARGV[0]));
    RETURN NULL;
END $$;
CREATE TRIGGER token_is_revoked AFTER DELETE OR UPDATE OF expiry ON knox_authtoken
    FOR EACH ROW EXECUTE FUNCTION tell_of_access('user_id');
CREATE TRIGGER user_is_gone AFTER DELETE ON conversations_user
    FOR EACH ROW EXECUTE FUNCTION tell_of_access('id');
CREATE TRIGGER user_is_deactivated AFTER UPDATE OF is_active ON conversations_user
    FOR EACH ROW WHEN (OLD.is_active AND NOT NEW.is_active) EXECUTE FUNCTION tell_of_access('id');
"""

# The same for a session, whose row does not tell whose it is.
TOLD_OF_SESSIONS = """
CREATE FUNCTION tell_of_session() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NOTIFY colloquy, 'access';
    RETURN NULL;
END $$;
CREATE TRIGGER session_is_ended AFTER DELETE ON django_session
    FOR EACH STATEMENT EXECUTE FUNCTION tell_of_session();
"""

# A new password ends what was given out under the old one. `colloquy.same_password` is set where only its hash is
# another one (User.check_password).
PASSWORD_REVOKES = """
CREATE FUNCTION revoke_access() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('colloquy.same_password', true) IS DISTINCT FROM 'on' THEN
        DELETE FROM knox_authtoken WHERE user_id = NEW.id;
        DELETE FROM conversations_ticket WHERE user_id = NEW.id;
    END IF;
    PERFORM pg_notify('colloquy', 'access ' || NEW.id);
    RETURN NULL;
END $$;
CREATE TRIGGER password_is_changed AFTER UPDATE OF password ON conversations_user
    FOR EACH ROW WHEN (OLD.password <> NEW.password) EXECUTE FUNCTION revoke_access();
"""


def key(sql: str, table: str, name: str) -> migrations.RunSQL:
    """Return the operation that adds a constraint to a table."""
    return migrations.RunSQL(sql, f"ALTER TABLE {table} DROP CONSTRAINT {name};")


def triggers(sql: str, function: str) -> migrations.RunSQL:
    """Return the operation that makes a function and its triggers; they go with it."""
    return migrations.RunSQL(sql, f"DROP FUNCTION {function}() CASCADE;")


class Migration(migrations.Migration):

    dependencies: ClassVar = [
        ("conversations", "0002_ledger"),
        ("knox", "0009_extend_authtoken_field"),
        ("sessions", "0001_initial"),
    ]

    operations: ClassVar = [
        key(PARENT_IN_CONVERSATION, "conversations_message", "message_parent_in_conversation"),
        key(PIECES_WITHOUT_GAPS, "conversations_journal", "piece_begins_where_one_ends"),
        migrations.RunSQL(ROOM_FOR_UPDATES, "ALTER TABLE conversations_turn RESET (fillfactor);"),
        triggers(PLACED_MESSAGES, "place_message"),
        triggers(APPEND_ONLY_LEDGER, "refuse_to_change_the_ledger"),
        triggers(UNCHANGED_OPENINGS, "refuse_to_change_openings"),
        triggers(DAILY_SUMS, "add_up_usage"),
        triggers(TOLD_OF_ACCESS, "tell_of_access"),
        triggers(TOLD_OF_SESSIONS, "tell_of_session"),
        triggers(PASSWORD_REVOKES, "revoke_access"),
    ]
