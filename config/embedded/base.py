"""The PostgreSQL backend on the embedded server, which is started by the first connection that is opened."""

from __future__ import annotations

from config import local
from config.postgres import base


class DatabaseWrapper(base.DatabaseWrapper):
    """Connects to the server in the data folder, whatever HOST says."""

    def get_connection_params(self) -> dict[str, object]:
        """Return the settings' parameters with the embedded server's address."""
        address = local.postgres_params()
        address.pop("dbname", None)
        return {**super().get_connection_params(), **address}
