"""The hub's settings, all from the environment; docs/operations.md has the table of names.

Nothing here decides what the hub does with lists; it only says where things are and how strict the door is.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

from config import csp
from config.celery import TIMETABLE, beat_schedule
from config.environment import (
    FILE_BROKER,
    at_least_one,
    broker,
    cache,
    country,
    data_folder,
    database,
    env,
    hosts,
    mail,
    needed_with,
    networks,
    private_folder,
    public_url,
    queues,
    secret_key,
    timetable,
)
from config.object_storage import bucket_place

BASE_DIR = Path(__file__).resolve().parent.parent

# --- Where this hub keeps things, and where it is found ----------------------------------------------------------

HASHSHARE_DATA = data_folder(BASE_DIR / "var")
HASHSHARE_OBJECTS = private_folder(Path(env.str("HASHSHARE_OBJECTS", str(HASHSHARE_DATA / "objects"))), group=True)
HASHSHARE_KEYS = private_folder(Path(env.str("HASHSHARE_KEYS", str(HASHSHARE_DATA / "keys"))))
HASHSHARE_PUBLIC_URL = public_url(HASHSHARE_DATA)
HASHSHARE_NAME: str = env.str("HASHSHARE_NAME", urlsplit(HASHSHARE_PUBLIC_URL).hostname or "hashshare")
HASHSHARE_COUNTRY: str = country("HASHSHARE_COUNTRY")
"""Where this hub is, as an ISO 3166-1 code; without one it takes no list that some country is closed to."""

HASHSHARE_PEER_NETWORKS = networks("HASHSHARE_PEER_NETWORKS", "")
"""Networks beside the public ones in which other hubs and their storage may lie, such as 10.20.0.0/16."""
HASHSHARE_WITNESSES: str = env.str("HASHSHARE_WITNESSES", "")
"""Witnesses beside the peers that are asked to cosign this hub's logs: lines `witness NAME VKEY URL` (tlog-policy)."""

HASHSHARE_SENDFILE_PREFIX: str = env.str("HASHSHARE_SENDFILE_PREFIX", "")
"""Path under which nginx serves HASHSHARE_OBJECTS internally (X-Accel-Redirect); empty: the hub sends files itself."""

HASHSHARE_ONLINE_KEY_URI: str = env.str("HASHSHARE_ONLINE_KEY_URI", "")
"""Where the key that signs snapshots and timestamps lies, as securesystemslib names it; empty: in HASHSHARE_KEYS."""

HASHSHARE_ONLINE_KEY_PUBLIC: str = needed_with("HASHSHARE_ONLINE_KEY_PUBLIC", HASHSHARE_ONLINE_KEY_URI)
"""A PEM file with the public half of that key."""

HASHSHARE_ONLINE_KEY_SECRET: str = env.str("HASHSHARE_ONLINE_KEY_SECRET", "")
"""What the key service or token asks for besides, such as a PIN. Not in the address, which is no secret."""

HASHSHARE_S3 = bucket_place(sendfile_prefix=HASHSHARE_SENDFILE_PREFIX, checkouts=HASHSHARE_DATA / "checkouts")
"""The bucket that objects lie in, by HASHSHARE_S3_BUCKET and its kin; None: they lie in HASHSHARE_OBJECTS."""

HASHSHARE_RATE_LIMIT: str = env.str("HASHSHARE_RATE_LIMIT", "1200/min")
"""Requests per organisation, as "number/second|min|hour|day"; empty: no limit."""

HASHSHARE_UPLOAD_GIB: float = env.float("HASHSHARE_UPLOAD_GIB", 100.0)
"""What a publisher may have uploaded that no release names yet, in all its lists together."""

HASHSHARE_INCOMING = private_folder(HASHSHARE_DATA / "incoming")
"""Files on their way from a browser, and what a worker writes while it looks at one."""

HASHSHARE_HOSTED = private_folder(HASHSHARE_DATA / "hosted")
"""What the hub keeps on this machine of lists that it signs for their hotlines; made again from the hub when lost."""

HASHSHARE_DRAFT_MIB: int = at_least_one("HASHSHARE_DRAFT_MIB", 1024)
"""The largest file that an analyst may upload in the browser."""

HASHSHARE_DRAFT_DAYS: int = at_least_one("HASHSHARE_DRAFT_DAYS", 14)
"""Days after which an upload that was not published is thrown away."""

HASHSHARE_MIRROR_SECONDS: int = at_least_one("HASHSHARE_MIRROR_SECONDS", 60)
"""How often each peer is asked for what is new."""

HASHSHARE_MIRROR_TURN: int = at_least_one("HASHSHARE_MIRROR_TURN", 900)
"""Seconds after which a copy that is on its way gives its worker to others, and goes on later from where it is."""

HASHSHARE_JOB_LEASE: int = env.int("HASHSHARE_JOB_LEASE", 60)
"""Seconds after which a job whose worker shows no sign of life is given to another."""

HASHSHARE_DEATHS_A_MINUTE: int = at_least_one("HASHSHARE_DEATHS_A_MINUTE", 5)
"""How often in a minute one program of `manage.py hub` may end before the hub stops, or a worker rests."""

HASHSHARE_LOG_YEARS: int = at_least_one("HASHSHARE_LOG_YEARS", 3)
"""Years after which the logs' openings, and the rows of deliveries, are erased: as long as the law wants them kept."""

HASHSHARE_TRUSTED_PROXIES = networks("HASHSHARE_TRUSTED_PROXIES", "127.0.0.1,::1")
"""Whose word on where a request comes from is taken (X-Forwarded-For)."""

HASHSHARE_IDLE_MINUTES: int = at_least_one("HASHSHARE_IDLE_MINUTES", 30)
"""After which a person's session ends that does nothing."""

HASHSHARE_SESSION_HOURS: int = at_least_one("HASHSHARE_SESSION_HOURS", 12)
"""After which it ends whatever is done in it."""

SECRET_KEY = secret_key(HASHSHARE_DATA)
DEBUG = env.bool("HASHSHARE_DEBUG", False)
ALLOWED_HOSTS = hosts(HASHSHARE_PUBLIC_URL, env.list("HASHSHARE_ALLOWED_HOSTS", []))
CSRF_TRUSTED_ORIGINS = [HASHSHARE_PUBLIC_URL]

# --- Django ------------------------------------------------------------------------------------------------------

INSTALLED_APPS = [
    "hashshare",
    "federation",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "csp",
    "axes",
]
HASHSHARE_EXTENSIONS = ["federation.extension.EXTENSION"]
"""What other applications add to the hub (hashshare/extensions.py)."""

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "hashshare.api.read_only.ReadOnlyWhileRestored",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "hashshare.admin.sessions.SessionsEnd",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
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
    },
]
FILE_UPLOAD_TEMP_DIR = str(HASHSHARE_INCOMING)
AUTH_USER_MODEL = "hashshare.Person"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
AXES_HANDLER = "hashshare.services.lockout.Doorkeeper"
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_FAILURE_LIMIT = 10
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_RESET_ON_SUCCESS = True
AXES_USERNAME_FORM_FIELD = "username"
AXES_CLIENT_IP_CALLABLE = "hashshare.services.lockout.address_of"
AXES_SENSITIVE_PARAMETERS = [
    "username", "ip_address", "code", "password", "password1", "password2", "old_password", "csrfmiddlewaretoken",
]  # fmt: skip
AXES_DISABLE_ACCESS_LOG = True
AXES_ENABLE_ADMIN = False
AXES_VERBOSE = False
SILENCED_SYSTEM_CHECKS = ["axes.W002"]
"""The forms of the sign-in say themselves that it was tried too often: no middleware replaces their answer."""
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True
FORMAT_MODULE_PATH = ["hashshare.admin.formats"]
LOGIN_URL = "/admin/login/"

# --- Services ----------------------------------------------------------------------------------------------------

DATABASES = {"default": database(env.str("DATABASE_URL", ""), private=HASHSHARE_DATA)}
CACHES = {name: cache(env.str("HASHSHARE_CACHE_URL", ""), name=name) for name in ("default", "limits")}
CELERY_BROKER_URL, CELERY_BROKER_TRANSPORT_OPTIONS = broker(
    env.str("HASHSHARE_BROKER_URL", ""), folder=HASHSHARE_DATA / "broker"
)
HASHSHARE_BROKER_IN_FILES = CELERY_BROKER_URL == FILE_BROKER
CELERY_BROKER_TRANSPORT = "config.file_broker:Transport" if HASHSHARE_BROKER_IN_FILES else None
CELERY_WORKER_POOL = "solo" if HASHSHARE_BROKER_IN_FILES else "prefork"
"""Over files, the children of one worker would share a pipe, and its lock would be held for good when the child that
holds it is killed: there a worker is one process. Over a broker each child has a pipe of its own."""
CELERY_TASK_DEFAULT_QUEUE: str = env.str("HASHSHARE_QUEUE", "hashshare")
"""Name of the queue at the broker; hubs that share a broker need one each."""
HASHSHARE_TIMETABLE_QUEUE = f"{CELERY_TASK_DEFAULT_QUEUE}-timetable"
"""What beat sends goes here, so that a worker of its own may do it however long verifications take."""
CELERY_TASK_QUEUES = queues(CELERY_TASK_DEFAULT_QUEUE, HASHSHARE_TIMETABLE_QUEUE)
"""A worker that is not told which takes from both."""
CELERY_BEAT_SCHEDULE = beat_schedule(timetable("HASHSHARE_TIMETABLE", TIMETABLE))
CELERY_BEAT_SCHEDULE_FILENAME = str(HASHSHARE_DATA / "celerybeat")
"""Where beat notes when it last sent what, whichever folder it is started in."""

vars().update(mail(env.str("HASHSHARE_EMAIL_URL", "")))
DEFAULT_FROM_EMAIL: str = env.str("HASHSHARE_EMAIL_FROM", f"hashshare@{urlsplit(HASHSHARE_PUBLIC_URL).hostname}")

# --- Files that go with the pages --------------------------------------------------------------------------------

STATIC_URL = "/static/"
WHITENOISE_USE_FINDERS = True

# --- What browsers are told --------------------------------------------------------------------------------------

CONTENT_SECURITY_POLICY = csp.POLICY
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CONTENT_TYPE_NOSNIFF = True
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 2 * HASHSHARE_SESSION_HOURS * 3600
"""Twice as long as a session lives: so whoever comes late is told that it ended, and gets back what they typed."""
CSRF_FAILURE_VIEW = "hashshare.admin.stale_forms.csrf_failed"
CSRF_COOKIE_HTTPONLY = True
if HASHSHARE_PUBLIC_URL.startswith("https://"):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_HSTS_SECONDS = 31_536_000
    SECURE_HSTS_INCLUDE_SUBDOMAINS = False
    SESSION_COOKIE_SECURE = True
    CSRF_COOKIE_SECURE = True

# --- The API -----------------------------------------------------------------------------------------------------

REST_FRAMEWORK = {
    # hashshare.api.endpoint.Endpoint sets its own doors, callers and limit; whatever is not one of those stays shut.
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_SCHEMA_CLASS": "hashshare.api.description.DescribedOperations",
    "EXCEPTION_HANDLER": "hashshare.api.problems.exception_handler",
    "UNAUTHENTICATED_USER": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "hashshare",
    "DESCRIPTION": "Signed lists of hashes, from hotlines to members.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "ENUM_NAME_OVERRIDES": {
        "RelayedStateEnum": ["requested", "suspended", "closed"],
        "PropagationStateEnum": ["waiting", "applied", "purged", "overdue", "left"],
    },
}

# --- Log ---------------------------------------------------------------------------------------------------------

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "filters": {"worth_a_line": {"()": "config.log_filters.WorthALine"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["worth_a_line"]}},
    "root": {"handlers": ["console"], "level": env.str("HASHSHARE_LOG_LEVEL", "INFO")},
    # What the timetable runs every few seconds would drown the lines that jobs write of themselves.
    "loggers": {
        "celery.worker.strategy": {"level": "WARNING"},
        "celery.app.trace": {"level": "WARNING"},
        "celery.worker.request": {"level": "WARNING"},
        "kombu.connection": {"level": "ERROR"},
        "tuf.api._payload": {"level": "WARNING"},
        "axes": {"level": "WARNING"},
    },
}
