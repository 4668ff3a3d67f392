"""Django's settings, made from the environment (`environment.py`); an operator edits nothing here."""

import os
from pathlib import Path

from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _

from stafeta.config.database import database
from stafeta.config.environment import WrongSettings, load
from stafeta.config.logs import logging_config
from stafeta.config.secret_key import read_secret_key
from stafeta.core.errors import ConfigurationError

try:
    ENVIRONMENT = load(os.environ)
    SECRET_KEY = ENVIRONMENT.secret_key or read_secret_key(ENVIRONMENT.secret_key_file)
except WrongSettings as _wrong:
    raise ImproperlyConfigured(str(_wrong)) from None
except ConfigurationError as _wrong:
    raise ImproperlyConfigured(str(WrongSettings([_wrong]))) from None

_PACKAGE = Path(__file__).resolve().parent.parent

# The house ---------------------------------------------------------------------------------------------------------
DATA_DIR = ENVIRONMENT.data_dir
SITE_URL = ENVIRONMENT.site_url
SITE_IS_LOCAL = ENVIRONMENT.is_local
KEYS_FILE = ENVIRONMENT.keys_file
KEYS = ENVIRONMENT.keys
KMS_REGION = ENVIRONMENT.kms_region
KMS_ENDPOINT = ENVIRONMENT.kms_endpoint
KMS_INSTANCE = ENVIRONMENT.kms_instance
SECRET_KEY_FILE = ENVIRONMENT.secret_key_file
EMAIL_CHANNEL_URL = ENVIRONMENT.email_url
EMAIL_FROM = ENVIRONMENT.email_from
SMS_CHANNEL_URL = ENVIRONMENT.sms_url
MAILBOX_DIR = DATA_DIR / "mailbox"
RECEIPTS_SECRET = ENVIRONMENT.receipts_secret
OPERATOR_EMAIL = ENVIRONMENT.operator_email
CANARY = ENVIRONMENT.canary
HEARTBEAT_URL = ENVIRONMENT.heartbeat_url
METRICS_TOKEN = ENVIRONMENT.metrics_token
BREAKER_RELEASES = ENVIRONMENT.breaker_releases
BREAKER_PERCENT = ENVIRONMENT.breaker_percent
SIGNUP = ENVIRONMENT.signup
ATTACHMENT_BYTES_MAX = ENVIRONMENT.attachment_mb_max * 1024 * 1024
HANDOVER_ATTACHMENTS_BYTES_MAX = ENVIRONMENT.handover_mb_max * 1024 * 1024
TICK_EVERY_S = ENVIRONMENT.tick_every_s
CLOCK_SCALE = ENVIRONMENT.clock_scale
CLOCK_EPOCH = ENVIRONMENT.clock_epoch

# Django ------------------------------------------------------------------------------------------------------------
DEBUG = ENVIRONMENT.debug
ALLOWED_HOSTS = list(ENVIRONMENT.allowed_hosts)
ROOT_URLCONF = "stafeta.config.urls"
WSGI_APPLICATION = "stafeta.config.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
DEFAULT_FROM_EMAIL = SERVER_EMAIL = EMAIL_FROM

INSTALLED_APPS = [
    "stafeta.config.apps.ConfigConfig",
    "stafeta.web.apps.WebConfig",
    "stafeta.switches.apps.SwitchesConfig",
    "stafeta.vault.apps.VaultConfig",
    "stafeta.outbox.apps.OutboxConfig",
    "stafeta.accounts.apps.AccountsConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "django_htmx",
    "csp",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "stafeta.web.watch.WatchMiddleware",
    "csp.middleware.CSPMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "stafeta.web.sessions.SignedCookieMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "stafeta.web.middleware.PersonMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "allauth.usersessions.middleware.UserSessionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "stafeta.web.context.banner",
            ],
        },
    },
]

# Storage -----------------------------------------------------------------------------------------------------------
DATABASES = {"default": database(ENVIRONMENT.database_url)}
CACHES = {"default": {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "stafeta_cache"}}
SESSION_ENGINE = "stafeta.web.sessions"
STORAGES = {
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    # Age files and nothing else.
    "attachments": {
        "BACKEND": "stafeta.vault.storage.DurableFileStorage",
        "OPTIONS": {
            "location": DATA_DIR / "attachments",
            "file_permissions_mode": 0o600,
            "directory_permissions_mode": 0o700,
        },
    },
}
# Where plaintext lies while it is on its way in or out, in files that have no name.
PASSAGE_DIR = DATA_DIR / "passage"

# Accounts ----------------------------------------------------------------------------------------------------------
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "stafeta.accounts.passwords.LengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
ALLAUTH_TRUSTED_PROXY_COUNT = ENVIRONMENT.proxies

# Languages and time ------------------------------------------------------------------------------------------------
LANGUAGE_CODE = "cs"
LANGUAGES = [("cs", _("Czech")), ("en", _("English"))]
LOCALE_PATHS = [_PACKAGE / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"

# Static files: served by the application itself, no collecting needed ----------------------------------------------
STATIC_URL = "/static/"
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = DEBUG

# What is taken in: a handover of 1 MiB percent-encoded, and twice as much, to be refused with its text kept.
DATA_UPLOAD_MAX_MEMORY_SIZE = 8 * 1024 * 1024
# Files are taken in for one page, from who is signed in; the handler has bounds of its own, which it explains.
FILE_UPLOAD_HANDLERS = ["stafeta.web.uploads.PrivateUploadHandler"]
DATA_UPLOAD_MAX_NUMBER_FILES = 1000

# What browsers are told --------------------------------------------------------------------------------------------
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "manifest-src": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
    },
}
X_FRAME_OPTIONS = "DENY"
SECURE_CONTENT_TYPE_NOSNIFF = True
# `no-referrer` would make the CSRF check fail.
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = ENVIRONMENT.is_https
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = LANGUAGE_COOKIE_HTTPONLY = True
LANGUAGE_COOKIE_SAMESITE = "Lax"
CSRF_TRUSTED_ORIGINS = [SITE_URL]
if ENVIRONMENT.is_https:
    # The application itself speaks plain HTTP; a proxy in front ends TLS and must set this header itself.
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_HSTS_SECONDS = 365 * 24 * 3600

LOGGING = logging_config(ENVIRONMENT.log_level)

# Last, so that what it says about accounts counts.
from stafeta.config.allauth_settings import *  # noqa: E402, F403
