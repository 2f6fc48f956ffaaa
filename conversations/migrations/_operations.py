"""What several migrations do alike. (Django takes no module whose name begins with an underscore for a migration.)"""

from __future__ import annotations

from django.db import migrations


def triggers(sql: str, *functions: str) -> migrations.RunSQL:
    """Return the operation that makes functions and their triggers, which go with them."""
    return migrations.RunSQL(sql, "".join(f"DROP FUNCTION {function}() CASCADE;" for function in functions))
