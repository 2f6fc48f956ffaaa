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
            self._check_server()
        # The server is there: a pool whose connections it has dropped meanwhile is mended, and asked once more.
        self.pool.check()
        try:
            return super().get_new_connection(conn_params)
        except PoolTimeout:
            host = self.settings_dict["HOST"] or "this machine"
            in_use = f"All connections of this process to PostgreSQL at {host} are in use (COLLOQUY_DATABASE_POOL)."
            raise psycopg.OperationalError(in_use) from None

    def _check_server(self) -> None:
        """Raise psycopg's OperationalError, which never has the password, where no connection can be made at all."""
        try:
            psycopg.connect(**{**self.get_connection_params(), "connect_timeout": ATTEMPT}).close()
        except psycopg.Error as error:
            raise psycopg.OperationalError(str(error).partition("\n")[0]) from None
