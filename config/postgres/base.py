"""Django's PostgreSQL backend, with a pool that checks connections without a statement, and better errors."""

from __future__ import annotations

import select
from typing import Any

import psycopg
from django.db.backends.postgresql import base
from psycopg.rows import TupleRow
from psycopg_pool import PoolTimeout

ATTEMPT = 2  # seconds


class DatabaseWrapper(base.DatabaseWrapper):
    """Takes only live connections from the pool, and reports why the server can't be reached."""

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """Return a connection. Raise psycopg's OperationalError with the server's name and the reason."""
        connection = self._connection(conn_params)
        while self.pool and _is_dropped(connection):
            connection.close()
            self.pool.putconn(connection)  # the pool then replaces it
            connection = self._connection(conn_params)
        return connection

    def _connection(self, conn_params: dict[str, Any]) -> Any:
        try:
            return super().get_new_connection(conn_params)
        except PoolTimeout:
            self._check_server()
        # The server is up: replace the connections that it has dropped meanwhile, and ask the pool once more.
        self.pool.check()
        try:
            return super().get_new_connection(conn_params)
        except PoolTimeout:
            host = self.settings_dict["HOST"] or "this machine"
            in_use = f"All connections of this process to PostgreSQL at {host} are in use (COLLOQUY_DATABASE_POOL)."
            raise psycopg.OperationalError(in_use) from None

    def _check_server(self) -> None:
        """Raise psycopg's OperationalError, without the password, if no connection can be made at all."""
        try:
            psycopg.connect(**{**self.get_connection_params(), "connect_timeout": ATTEMPT}).close()
        except psycopg.Error as error:
            raise psycopg.OperationalError(str(error).partition("\n")[0]) from None


def _is_dropped(connection: psycopg.Connection[TupleRow]) -> bool:
    """Return whether an idle connection has been closed by the server, as all are after its restart.

    The end of the connection, or a notice, can then be read from the socket. A query is sent only if there is something
    to read.
    """
    socket = select.poll()
    socket.register(connection.fileno(), select.POLLIN)
    if not socket.poll(0):
        return False
    try:
        connection.execute("")
    except psycopg.OperationalError:
        return True
    return False
