"""Every process hears that a user has changed: it may remember the row for a moment (conversations/services/accounts/remembered_tokens.py)."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations

SHOWN = ("username", "email", "first_name", "last_name", "is_staff", "is_superuser", "is_active")
"""The columns that a request or an answer may rest on. The time of the last login is not among them."""

TOLD_OF_USERS = f"""
DROP TRIGGER user_is_deactivated ON conversations_user;
CREATE TRIGGER user_is_changed AFTER UPDATE ON conversations_user
    FOR EACH ROW WHEN (
        ({", ".join(f"OLD.{name}" for name in SHOWN)}) IS DISTINCT FROM ({", ".join(f"NEW.{name}" for name in SHOWN)})
    ) EXECUTE FUNCTION tell_of_access('id');
"""

TOLD_OF_DEACTIVATED = """
DROP TRIGGER user_is_changed ON conversations_user;
CREATE TRIGGER user_is_deactivated AFTER UPDATE OF is_active ON conversations_user
    FOR EACH ROW WHEN (OLD.is_active AND NOT NEW.is_active) EXECUTE FUNCTION tell_of_access('id');
"""


class Migration(migrations.Migration):

    dependencies: ClassVar = [("conversations", "0003_what_django_cannot_express")]

    operations: ClassVar = [migrations.RunSQL(TOLD_OF_USERS, TOLD_OF_DEACTIVATED)]
