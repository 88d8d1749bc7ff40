"""The Celery application; `celery -A chatsite worker` finds it here. Its settings stand in settings.py."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chatsite.settings")

from celery import Celery

app = Celery("chatsite")
app.config_from_object("django.conf:settings", namespace="CELERY")
