"""The settings of the test suite: the project's own, with a quick password hash and no built static files."""

import os
import tempfile
from pathlib import Path

os.environ.setdefault("CHATSITE_DATA", tempfile.mkdtemp(prefix="chatsite-test-"))

from chatsite.settings import *  # noqa: F403
from chatsite.settings import DATABASES, STORAGES

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES = STORAGES | {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
if DATABASES["default"]["ENGINE"] == "chatsite.sqlite":
    DATABASES["default"]["TEST"] = {"NAME": os.environ["CHATSITE_DATA"] + "/test.sqlite3"}
OFFERS_LIFE = 3600.0  # tests count statements; each begins with nothing remembered
STATIC_ROOT = Path(os.environ["CHATSITE_DATA"])
