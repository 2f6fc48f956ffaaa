"""Triggers by which every process hears that somebody's access has ended or their account has changed.

They hold for every writer: the services, the admin, a shell and psql. A process may remember users and tokens for a
moment (conversations/services/accounts/remembered_tokens.py), and forgets them then.
"""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations

from conversations.migrations._operations import triggers

SHOWN = ("username", "email", "first_name", "last_name", "is_staff", "is_superuser", "is_active")
"""The columns that a request or an answer may rest on. The time of the last login is not among them."""

# Whoever ends somebody's access, or changes what is shown of them.
TOLD_OF_ACCESS = f"""
CREATE FUNCTION tell_of_access() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('colloquy', 'access ' || (to_jsonb(OLD) ->> TG_ARGV[0]));
    RETURN NULL;
END $$;
CREATE TRIGGER token_is_revoked AFTER DELETE OR UPDATE OF expiry ON knox_authtoken
    FOR EACH ROW EXECUTE FUNCTION tell_of_access('user_id');
CREATE TRIGGER user_is_gone AFTER DELETE ON conversations_user
    FOR EACH ROW EXECUTE FUNCTION tell_of_access('id');
CREATE TRIGGER user_is_changed AFTER UPDATE ON conversations_user
    FOR EACH ROW WHEN (
        ({", ".join(f"OLD.{name}" for name in SHOWN)}) IS DISTINCT FROM ({", ".join(f"NEW.{name}" for name in SHOWN)})
    ) EXECUTE FUNCTION tell_of_access('id');
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


class Migration(migrations.Migration):
    replaces: ClassVar = [("conversations", "0004_users_are_told_of")]
    dependencies: ClassVar = [
        ("conversations", "0003_ledger_triggers"),
        ("knox", "0009_extend_authtoken_field"),
        ("sessions", "0001_initial"),
    ]

    operations: ClassVar = [
        triggers(TOLD_OF_ACCESS, "tell_of_access"),
        triggers(TOLD_OF_SESSIONS, "tell_of_session"),
        triggers(PASSWORD_REVOKES, "revoke_access"),
    ]
