"""The settings that limit the resources of users and their files."""

from __future__ import annotations

from config.environment import env_number

# --- Limits of the processes that check extractions; a process beyond them is killed ----------------------------------

COLLOQUY_CHECK_TIMEOUT = env_number("COLLOQUY_CHECK_TIMEOUT", 5)  # seconds of CPU time that one check may take
COLLOQUY_CHECK_MEMORY = int(env_number("COLLOQUY_CHECK_MEMORY", 512))  # MB of address space of each
COLLOQUY_CHECK_PROCESSES = int(env_number("COLLOQUY_CHECK_PROCESSES", 4))  # at once, in each process of the platform
# The same for reading a file and for searching quotes in its text.
COLLOQUY_DOCUMENT_TIMEOUT = env_number("COLLOQUY_DOCUMENT_TIMEOUT", 30)
COLLOQUY_DOCUMENT_MEMORY = int(env_number("COLLOQUY_DOCUMENT_MEMORY", 1024))
COLLOQUY_DOCUMENT_PROCESSES = int(env_number("COLLOQUY_DOCUMENT_PROCESSES", 2))
COLLOQUY_BATCH_POLL = env_number("COLLOQUY_BATCH_POLL", 20)  # seconds between looks at a Message Batch

# --- Clients that neither send nor read -------------------------------------------------------------------------------

COLLOQUY_RECEIVE_TIMEOUT = env_number("COLLOQUY_RECEIVE_TIMEOUT", 60)  # seconds until the rest of a request has come
COLLOQUY_SEND_TIMEOUT = env_number("COLLOQUY_SEND_TIMEOUT", 10)  # seconds until a reader that does not read is left

# --- Limits of each user, over all processes; 0 for none ------------------------------------------------------------

COLLOQUY_TURNS_PER_MINUTE = int(env_number("COLLOQUY_TURNS_PER_MINUTE", 600))
COLLOQUY_CONCURRENT_TURNS = int(env_number("COLLOQUY_CONCURRENT_TURNS", 200))
COLLOQUY_TOKENS_PER_MINUTE = int(env_number("COLLOQUY_TOKENS_PER_MINUTE", 4_000_000))
COLLOQUY_REQUESTS_PER_MINUTE = env_number("COLLOQUY_REQUESTS_PER_MINUTE", 6000)  # to each process
COLLOQUY_FAILED_LOGINS = int(env_number("COLLOQUY_FAILED_LOGINS", 10))  # per name and address in five minutes

# --- Limits on WebSockets, in each process ----------------------------------------------------------------------------

COLLOQUY_SOCKETS_PER_USER = int(env_number("COLLOQUY_SOCKETS_PER_USER", 50))
COLLOQUY_FRAMES_PER_MINUTE = env_number("COLLOQUY_FRAMES_PER_MINUTE", 600)  # on each socket
