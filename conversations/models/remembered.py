"""What is remembered for a time and nobody's: tries to log in, above all. See chatsite/cache.py."""

from django.db import models


class Remembered(models.Model):
    """`key` is a digest, so that no address of anybody stands here."""

    key = models.CharField(max_length=64, unique=True)
    value = models.JSONField()
    until = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return self.key
