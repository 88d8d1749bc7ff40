"""All settings, one section per topic. Everything that differs between installations comes from the environment."""

from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import environ

from chatsite import database, env, logs

ROOT = Path(__file__).resolve().parent.parent

# --- Where things are -------------------------------------------------------------------------------------------------
DATA = Path(env.text("CHATSITE_DATA", str(ROOT / "data"))).resolve()
try:
    DATA.mkdir(mode=0o700, parents=True, exist_ok=True)
except OSError as exc:
    raise env.Misconfigured(f"CHATSITE_DATA names a folder that cannot be made: {exc.__class__.__name__}.") from exc

HOST = env.text("HOST", "127.0.0.1")
PORT = env.number("PORT", 8000)
# Where people reach the site: for links in letters and of commands, which no request leads to.
CHATSITE_URL = env.text("CHATSITE_URL", f"http://{HOST}:{PORT}").rstrip("/")
if urlsplit(CHATSITE_URL).scheme not in {"http", "https"}:
    raise env.Misconfigured("CHATSITE_URL must begin with https:// (or http:// on your own machine).")

# --- Safety -----------------------------------------------------------------------------------------------------------
DEBUG = env.flag("DEBUG", default=False)
SECRET_KEY = env.text("SECRET_KEY") or env.secret_kept_in(DATA / "secret-key")
if len(SECRET_KEY) < 32:
    raise env.Misconfigured("SECRET_KEY must have at least 32 characters.")
if env.is_guessable(SECRET_KEY):
    raise env.Misconfigured("SECRET_KEY must be random: it looks like one that stands in some documentation.")
CHATSITE_ENCRYPTION_KEYS = env.words("CHATSITE_ENCRYPTION_KEYS")  # the first one seals; SECRET_KEY stands behind them
if any(len(secret) < 32 for secret in CHATSITE_ENCRYPTION_KEYS):
    raise env.Misconfigured("Each of CHATSITE_ENCRYPTION_KEYS must have at least 32 characters.")
if any(env.is_guessable(secret) for secret in CHATSITE_ENCRYPTION_KEYS):
    raise env.Misconfigured("Each of CHATSITE_ENCRYPTION_KEYS must be random.")
ALLOWED_HOSTS = env.words("ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]")
LOOPBACK = set(ALLOWED_HOSTS) <= {"localhost", "127.0.0.1", "[::1]", "testserver"}
if any(host in ("*", ".") for host in ALLOWED_HOSTS):
    raise env.Misconfigured(
        "ALLOWED_HOSTS must name the hosts; * would let anybody choose where links in letters lead."
    )
if DEBUG and not LOOPBACK:
    raise env.Misconfigured("DEBUG shows secrets to everybody: it is for localhost alone. Leave it out.")
CSRF_TRUSTED_ORIGINS = env.words("CSRF_TRUSTED_ORIGINS")
# Plain http is for the own machine; anything else is reached through https, and its cookies say so.
SECURE = env.flag("CHATSITE_HTTPS", default=not LOOPBACK)
CHATSITE_BEHIND_PROXY = env.flag("CHATSITE_BEHIND_PROXY", default=False)
if CHATSITE_BEHIND_PROXY:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    ALLAUTH_TRUSTED_PROXY_COUNT = 1  # the last address in X-Forwarded-For is what the proxy saw

SESSION_ENGINE = "chatsite.sessions"
SESSION_COOKIE_NAME = "__Host-session" if SECURE else "session"
CSRF_COOKIE_NAME = "__Host-csrf" if SECURE else "csrf"
LANGUAGE_COOKIE_NAME = "__Host-language" if SECURE else "language"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = SECURE
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
LANGUAGE_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = LANGUAGE_COOKIE_SAMESITE = "Lax"
LANGUAGE_COOKIE_AGE = 31_536_000  # seconds: a year
SECURE_SSL_REDIRECT = SECURE
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$", r"^metrics$"]
SECURE_HSTS_SECONDS = 31_536_000 if SECURE else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = SECURE
# Not "no-referrer": browsers then send "Origin: null" with form posts, which the CSRF check refuses.
SECURE_REFERRER_POLICY = "same-origin"
CSRF_FAILURE_VIEW = "conversations.views.again.outdated"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "blob:"],
        "connect-src": ["'self'"],
        "font-src": ["'self'"],
        "manifest-src": ["'self'"],
        "form-action": ["'self'"],
        "base-uri": ["'none'"],
        "frame-ancestors": ["'none'"],
        "object-src": ["'none'"],
    }
}

# --- Django -----------------------------------------------------------------------------------------------------------
INSTALLED_APPS = [
    "conversations",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_htmx",
    "lucide",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "chatsite.apps.SessionsConfig",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "conversations.views.http.PageCompressionMiddleware",
    "conversations.views.http.PrivateMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "conversations.views.people.LanguageMiddleware",
    "conversations.views.factors.SecondFactorMiddleware",
    "conversations.views.sessions.SessionsMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]
ROOT_URLCONF = "chatsite.urls"
ASGI_APPLICATION = "chatsite.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [ROOT / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
            "builtins": ["django.templatetags.i18n", "conversations.templatetags.icons"],
        },
    }
]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("de", "Deutsch"), ("es", "Español"), ("ar", "العربية")]  # each in its own words
TIME_ZONE = env.text("TIME_ZONE", "UTC")
USE_TZ = True
LOCALE_PATHS = [ROOT / "conversations" / "locale"]
DATA_UPLOAD_MAX_MEMORY_SIZE = 6_000_000  # bytes of form fields, pictures not counted: every text that fits a message
DATA_UPLOAD_MAX_NUMBER_FIELDS = 100
DATA_UPLOAD_MAX_NUMBER_FILES = 16
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"

# --- Database ---------------------------------------------------------------------------------------------------------
DATABASES = {"default": database.configured(env.text("DATABASE_URL"), DATA)}

# Limits on tries outlive a restart and hold for all processes.
CACHES: dict[str, dict[str, Any]] = {"default": {"BACKEND": "chatsite.cache.StoredCache"}}

# --- Files ------------------------------------------------------------------------------------------------------------
STATIC_URL = "/static/"
STATIC_ROOT = Path(env.text("CHATSITE_STATIC", str(ROOT / "staticfiles")))
STATICFILES_DIRS = [ROOT / "static"]
STORAGES = {
    "default": {
        "BACKEND": "conversations.storage.ImageStorage",
        "OPTIONS": {"location": DATA / "images", "file_permissions_mode": 0o600},
    },
    "staticfiles": {"BACKEND": "chatsite.statics.StaticStorage"},
}
if S3_BUCKET := env.text("S3_BUCKET"):
    env.need("storages", "S3_BUCKET")
    from chatsite import bucket  # only where it is wanted: it brings what is not installed otherwise

    STORAGES["default"] = bucket.configured(S3_BUCKET)

# --- People -----------------------------------------------------------------------------------------------------------
AUTH_USER_MODEL = "conversations.User"
AUTHENTICATION_BACKENDS = [
    "chatsite.sessions.Accounts",
    # Sessions that are older than ours name these.
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "chatsite.passwords.SiteWords"},
    {"NAME": "chatsite.passwords.Breached"},
]
CHATSITE_PASSWORD_WORDS = env.words("CHATSITE_PASSWORD_WORDS")
CHATSITE_BREACHED_PASSWORDS = env.text("CHATSITE_BREACHED_PASSWORDS")
if CHATSITE_BREACHED_PASSWORDS and not env.begins_with_hash(Path(CHATSITE_BREACHED_PASSWORDS)):
    raise env.Misconfigured("CHATSITE_BREACHED_PASSWORDS names no list of SHA-1 hashes that can be read.")
CHATSITE_SIGNUP = env.choice("CHATSITE_SIGNUP", ("invite", "closed", "approval", "open"))
# Of failures without a known device: from one network, at one account from one network, at one account from anywhere.
ACCOUNT_RATE_LIMITS = {"login": "60/m/ip", "login_failed": "30/m/ip,10/5m/key", "login_failed_anywhere": "100/h/key"}
DEVICE_COOKIE_NAME = "__Host-device" if SECURE else "device"
DEVICE_COOKIE_AGE = 31_536_000  # seconds: a year
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_ADAPTER = "chatsite.accounts.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"username", "email"}
# Only where letters can be sent are addresses needed, and verified.
HAS_MAIL = bool(env.text("EMAIL_URL"))
ACCOUNT_SIGNUP_FIELDS = ["username*", "email*" if HAS_MAIL else "email", "password1*", "password2*"]
ACCOUNT_UNIQUE_EMAIL = True
ACCOUNT_EMAIL_VERIFICATION = "mandatory" if HAS_MAIL else "none"
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_LOGOUT_REDIRECT_URL = "/accounts/login/"
ACCOUNT_SESSION_REMEMBER = True
CHATSITE_SELF_SERVICE = env.choice("CHATSITE_SELF_SERVICE", ("export", "delete", "none"))
CHATSITE_OIDC_ID = "sso"  # in addresses, and of accounts in the database
CHATSITE_OIDC_ISSUER = env.text("CHATSITE_OIDC_ISSUER").rstrip("/")
CHATSITE_OIDC_NAME = env.text("CHATSITE_OIDC_NAME", "Single sign-on")
CHATSITE_OIDC_LINK = env.choice("CHATSITE_OIDC_LINK", ("never", "verified"))
SOCIALACCOUNT_ADAPTER = "chatsite.single_sign_on.SignOnAdapter"
SOCIALACCOUNT_EMAIL_AUTHENTICATION_AUTO_CONNECT = True
SOCIALACCOUNT_OPENID_CONNECT_URL_PREFIX = "oidc"
if CHATSITE_OIDC_ISSUER:
    issuer = urlsplit(CHATSITE_OIDC_ISSUER)
    if issuer.scheme != "https" and issuer.hostname not in {"localhost", "127.0.0.1", "::1"}:
        raise env.Misconfigured("CHATSITE_OIDC_ISSUER must begin with https://.")
    if not env.text("CHATSITE_OIDC_CLIENT_ID"):
        raise env.Misconfigured("CHATSITE_OIDC_ISSUER needs CHATSITE_OIDC_CLIENT_ID.")
    SOCIALACCOUNT_PROVIDERS = {
        "openid_connect": {
            "OAUTH_PKCE_ENABLED": True,
            "APPS": [
                {
                    "provider_id": CHATSITE_OIDC_ID,
                    "name": CHATSITE_OIDC_NAME,
                    "client_id": env.text("CHATSITE_OIDC_CLIENT_ID"),
                    "secret": env.text("CHATSITE_OIDC_CLIENT_SECRET"),
                    "settings": {"server_url": CHATSITE_OIDC_ISSUER},
                }
            ],
        }
    }
CHATSITE_SECOND_FACTOR = env.choice("CHATSITE_SECOND_FACTOR", ("optional", "staff", "everyone"))
MFA_ADAPTER = "chatsite.factors.FactorAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_TOLERANCE = 1  # codes of 30 seconds before and after: clocks of phones differ
MFA_ALLOW_UNVERIFIED_EMAIL = True  # where mail is set up nobody is in without a verified address anyway
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not SECURE
ACCOUNT_DEFAULT_HTTP_PROTOCOL = "https" if SECURE else "http"

# --- Review: whether anybody may read what others wrote, and whether people see who did -------------------------------
CHATSITE_REVIEW = env.flag("CHATSITE_REVIEW", default=True)
CHATSITE_SHOW_LOOKS = env.flag("CHATSITE_SHOW_LOOKS", default=False)

# --- Mail: without EMAIL_URL letters are printed by the server, which is where the only administrator looks -----------
vars().update(environ.Env.email_url_config(env.text("EMAIL_URL", "consolemail://")))
DEFAULT_FROM_EMAIL = SERVER_EMAIL = env.text("DEFAULT_FROM_EMAIL", "chatsite@localhost")

# --- Providers --------------------------------------------------------------------------------------------------------
PROVIDER_ENDPOINTS = {
    "segmind": (env.text("SEGMIND_BASE_URL"), env.text("SEGMIND_API_KEY")),
    "aimlapi": (env.text("AIMLAPI_BASE_URL"), env.text("AIMLAPI_API_KEY")),
}
SEGMIND_AUTH = env.choice("SEGMIND_AUTH", ("x-api-key", "bearer"))
SEGMIND_FLASH_FORMAT = env.choice("SEGMIND_FLASH_FORMAT", ("openai", "gemini"))
for vendor, (address, _key) in PROVIDER_ENDPOINTS.items():
    if address and urlsplit(address).scheme not in {"http", "https"}:
        raise env.Misconfigured(f"{vendor.upper()}_BASE_URL must begin with https:// (or http:// on your own machine).")
OFFERS_LIFE = 5.0  # seconds after which a process looks again which connections and models there are
CHATSITE_LOCAL_MODEL = env.flag("CHATSITE_LOCAL_MODEL", default=True)

# --- Limits -----------------------------------------------------------------------------------------------------------
CHATSITE_REPLIES = env.number("CHATSITE_REPLIES", 1000, minimum=1)  # that run at the same time; others wait in line
CHATSITE_ONE_CORE = env.flag("CHATSITE_ONE_CORE", default=True)
CHATSITE_LONGEST_SIDE = env.number("CHATSITE_LONGEST_SIDE", 2048, minimum=64)  # pixels of an uploaded picture
CHATSITE_STORAGE_PER_PERSON = env.number("CHATSITE_STORAGE_PER_PERSON", 500) * 1024 * 1024  # given in MiB
MESSAGE_MAX_LENGTH = 200_000  # characters
MESSAGE_MAX_ATTACHED = 1_000_000  # characters, of all attached texts together
MESSAGE_MAX_IMAGES = 8
UPLOAD_MAX_BYTES = 25 * 1024 * 1024  # of a request body on an address that takes pictures
BODY_MAX_BYTES = 1024 * 1024  # of any other request body

# --- Figures for Prometheus: nobody gets them without the token -------------------------------------------------------
CHATSITE_METRICS_TOKEN = env.text("CHATSITE_METRICS_TOKEN")
if CHATSITE_METRICS_TOKEN and len(CHATSITE_METRICS_TOKEN) < 16:
    raise env.Misconfigured("CHATSITE_METRICS_TOKEN must have at least 16 characters.")
CHATSITE_METRICS_PORT = env.number("CHATSITE_METRICS_PORT", 0)  # of a worker; a server has its own
if CHATSITE_METRICS_PORT and not CHATSITE_METRICS_TOKEN:
    raise env.Misconfigured("CHATSITE_METRICS_PORT needs CHATSITE_METRICS_TOKEN.")
if CHATSITE_METRICS_TOKEN and not find_spec("prometheus_client"):
    raise env.Misconfigured("CHATSITE_METRICS_TOKEN needs the package prometheus-client; see docs/operations.md.")

# --- Past one process: the same engine in Celery workers, what they write told through Redis --------------------------
REDIS_URL = env.text("REDIS_URL")
if REDIS_URL and not REDIS_URL.startswith(("redis://", "rediss://", "unix://")):
    raise env.Misconfigured("REDIS_URL must begin with redis:// (or rediss:// for TLS).")
CHATSITE_ENGINE = env.choice("CHATSITE_ENGINE", ("embedded", "celery"))
if CHATSITE_ENGINE == "celery" and not REDIS_URL:
    raise env.Misconfigured("CHATSITE_ENGINE=celery needs REDIS_URL.")
if CHATSITE_ENGINE == "celery" and not database.is_shared(DATABASES["default"]):
    raise env.Misconfigured("CHATSITE_ENGINE=celery needs PostgreSQL: set DATABASE_URL to postgres://….")
if REDIS_URL:
    env.need("redis", "REDIS_URL")
    CACHES = {
        "default": {
            "BACKEND": "chatsite.shared_cache.SharedCache",
            "LOCATION": REDIS_URL,
            "KEY_PREFIX": "chatsite",
            "OPTIONS": {"socket_connect_timeout": 0.5, "socket_timeout": 0.5},
        }
    }
CHATSITE_GRACE = env.number("CHATSITE_GRACE", 20)  # seconds a worker that is asked to end lets its replies go on

CELERY_BROKER_URL = REDIS_URL
CELERY_BROKER_TRANSPORT = "chatsite.broker:Transport"
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "global_keyprefix": "chatsite:",
    "visibility_timeout": 30 * 60,  # seconds; twice as long as the longest reply
    "socket_connect_timeout": 2,
    "socket_timeout": 10,
    "max_retries": 1,
    "interval_start": 0,
}
CELERY_IMPORTS = ["conversations.generation.relay.tasks"]
CELERY_TASK_DEFAULT_QUEUE = "replies"
# Apart, because a worker may be full of replies.
CELERY_TASK_ROUTES = {f"chatsite.{name}": {"queue": "housekeeping"} for name in ("sweep", "purge", "tidy")}
CELERY_BEAT_SCHEDULE = {
    "sweep": {"task": "chatsite.sweep", "schedule": 3.0},  # a deactivated person's calls are closed within 5 s
    "purge": {"task": "chatsite.purge", "schedule": 300.0},
    "tidy": {"task": "chatsite.tidy", "schedule": 3600.0},
}
CELERY_BEAT_SCHEDULER = "celery.beat:Scheduler"  # keeps no file: what is due is due again soon
CELERY_WORKER_POOL = "threads"  # each waits for its reply, which the engine's own few threads write
CELERY_WORKER_CONCURRENCY = CHATSITE_REPLIES
CELERY_WORKER_PREFETCH_MULTIPLIER = 1

# --- Logs: identifiers only, never text or keys -----------------------------------------------------------------------
LOGGING = logs.configured(
    as_json=env.choice("CHATSITE_LOG", ("text", "json")) == "json",
    level=env.choice("LOG_LEVEL", ("INFO", "DEBUG", "WARNING", "ERROR")),
)
