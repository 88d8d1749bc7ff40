"""The settings of the test suite: the project's own, with a quick password hash and no built static files."""

import os
import tempfile

os.environ.setdefault("CHATSITE_DATA", tempfile.mkdtemp(prefix="chatsite-test-"))

from chatsite.settings import *  # noqa: E402, F403
from chatsite.settings import DATABASES, STORAGES  # noqa: E402

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES = STORAGES | {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
DATABASES = {"default": DATABASES["default"] | {"TEST": {"NAME": os.environ["CHATSITE_DATA"] + "/test.sqlite3"}}}
STATIC_ROOT = os.environ["CHATSITE_DATA"]
