"""Django's PostgreSQL backend: its pool costs no statement, and errors name the server that can't be reached."""

from __future__ import annotations

import select
from typing import Any

import psycopg
from django.db.backends.postgresql import base
from psycopg.rows import TupleRow
from psycopg_pool import PoolTimeout

ATTEMPT = 2  # seconds


class DatabaseWrapper(base.DatabaseWrapper):
    """Takes no dropped connection from the pool, and says why there is none, where the pool only says that."""

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """Return a connection. Raise psycopg's OperationalError with the server's name and the reason."""
        connection = self._connection(conn_params)
        while self.pool and _is_dropped(connection):
            connection.close()
            self.pool.putconn(connection)  # which makes another one in its place
            connection = self._connection(conn_params)
        return connection

    def _connection(self, conn_params: dict[str, Any]) -> Any:
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


def _is_dropped(connection: psycopg.Connection[TupleRow]) -> bool:
    """Return whether an idle connection has been closed by the server, as all are after its restart.

    Its end can be read from the socket then, as can a notice; nothing is sent to look, but where there is something.
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
