"""The Celery application; `celery -A chatsite worker` finds it here. Its settings stand in settings.py."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chatsite.settings")

from celery import Celery
from celery.signals import worker_init

app = Celery("chatsite", amqp="chatsite.broker:AMQP")
app.config_from_object("django.conf:settings", namespace="CELERY")


@worker_init.connect  # type: ignore[untyped-decorator]
def tell_figures(**_: object) -> None:
    from chatsite import figures  # once the applications are there

    figures.serve()
