"""Django's PostgreSQL backend, whose errors name the server that can't be reached."""

from __future__ import annotations

from typing import Any

import psycopg
from django.db.backends.postgresql import base
from psycopg_pool import PoolTimeout

ATTEMPT = 2  # seconds


class DatabaseWrapper(base.DatabaseWrapper):
    """Says why there is no connection, where the pool only says that there is none."""

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """Return a connection. Raise psycopg's OperationalError with the server's name and the reason."""
        try:
            return super().get_new_connection(conn_params)
        except PoolTimeout:
            raise psycopg.OperationalError(self._reason()) from None

    def _reason(self) -> str:
        """Return why a connection can't be made, from one more attempt to make one. It never has the password."""
        try:
            psycopg.connect(**{**self.get_connection_params(), "connect_timeout": ATTEMPT}).close()
        except psycopg.Error as error:
            return str(error).partition("\n")[0]
        host = self.settings_dict["HOST"] or "this machine"
        return f"All connections of this process to PostgreSQL at {host} are in use (COLLOQUY_DATABASE_POOL)."
