"""The project's own checks for `manage.py check --deploy`."""

from __future__ import annotations

from django.conf import settings
from django.core import checks

NO_KEY = (
    "There is no ANTHROPIC_API_KEY, and the sandbox, which is not Claude, would answer real users. "
    "Set the key, or allow the sandbox with --sandbox or COLLOQUY_ALLOW_SANDBOX=true."
)


@checks.register("claude", deploy=True)
def check_key(**kwargs: object) -> list[checks.CheckMessage]:
    """Return an error if the sandbox would answer, and a warning if that is allowed."""
    if not settings.SANDBOX:
        return []
    if settings.COLLOQUY_ALLOW_SANDBOX:
        return [
            checks.Warning(
                "The sandbox, which is not Claude, answers users (COLLOQUY_ALLOW_SANDBOX).", id="config.W001"
            )
        ]
    return [checks.Error(NO_KEY, id="config.E001")]
