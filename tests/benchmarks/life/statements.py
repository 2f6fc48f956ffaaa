"""A proxy of PostgreSQL's wire protocol that counts the statements of a process."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit, urlunsplit

TRANSACTION = re.compile(rb"\s*(BEGIN|COMMIT|ROLLBACK|SAVEPOINT|RELEASE)", re.IGNORECASE)


@dataclass
class Counts:
    """The number of statements, without those that begin and end transactions, and of ended transactions."""

    statements: int = 0
    transactions: int = 0

    def less(self, others: Counts) -> Counts:
        """Return the difference to earlier counts."""
        return Counts(self.statements - others.statements, self.transactions - others.transactions)


@asynccontextmanager
async def counted(database: str, counts: Counts) -> AsyncIterator[str]:
    """Relay connections to a database's Unix socket, and count; yield the URL to connect to instead."""
    parts = urlsplit(database)
    query = {name: values[0] for name, values in parse_qs(parts.query).items()}
    socket = f"{query['host']}/.s.PGSQL.{query.get('port') or 5432}"

    connections: set[asyncio.Task[None] | None] = set()
    ways: set[asyncio.Task[None]] = set()

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.add(asyncio.current_task())
        to_read, to_write = await asyncio.open_unix_connection(socket)
        to_write.write(await _startup(reader))
        both = {
            asyncio.create_task(_pass_on(reader, to_write, lambda kind, body: _asked(counts, kind, body))),
            asyncio.create_task(_pass_on(to_read, writer, lambda kind, body: _answered(counts, kind, body))),
        }
        ways.update(both)
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        for each in both:
            each.cancel()
        to_write.close()
        writer.close()
        await asyncio.gather(*both, return_exceptions=True)

    server = await asyncio.start_server(relay, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    user = f"{parts.username}@" if parts.username else ""
    try:
        yield urlunsplit(
            ("postgresql", f"{user}127.0.0.1:{port}", parts.path, "sslmode=disable&gssencmode=disable", "")
        )
    finally:
        server.close()
        for way in ways:
            way.cancel()
        await asyncio.gather(*(each for each in connections if each), return_exceptions=True)


async def _startup(reader: asyncio.StreamReader) -> bytes:
    """Read a connection's first message, the only one that has no type."""
    length = await reader.readexactly(4)
    return length + await reader.readexactly(int.from_bytes(length, "big") - 4)


async def _pass_on(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, note: Callable[[bytes, bytes], None]
) -> None:
    while True:
        kind, length = await reader.readexactly(1), await reader.readexactly(4)
        body = await reader.readexactly(int.from_bytes(length, "big") - 4)
        note(kind, body)
        writer.write(kind + length + body)
        await writer.drain()


def _asked(counts: Counts, kind: bytes, body: bytes) -> None:
    """Count a simple query (Q) or the execution of a parsed one (E), unless it begins or ends a transaction."""
    if kind == b"P" and TRANSACTION.match(body.split(b"\0", 2)[1]):
        counts.statements -= 1  # its execution comes next, and is counted
    if kind == b"E" or (kind == b"Q" and not TRANSACTION.match(body)):
        counts.statements += 1


def _answered(counts: Counts, kind: bytes, body: bytes) -> None:
    """Count a message by which the server says that it is ready (Z) and in no transaction (I)."""
    if kind == b"Z" and body == b"I":
        counts.transactions += 1
