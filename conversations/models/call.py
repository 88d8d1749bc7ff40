"""Calls to providers: one row for each attempt, for reviewers and for the person who pays."""

import json
import zlib
from typing import Any

from django.db import models

from conversations.models.message import Message


class ProviderCall(models.Model):
    """What was sent and what came. Keys are never in it; picture bytes are replaced by their digest.

    Times in milliseconds; `cost_usd` in US dollars; `credits_used` and `remaining_credits` in the provider's own unit.
    `outcome` is "complete", another finish reason, an error code, or empty while the call runs.
    """

    message = models.ForeignKey(Message, models.CASCADE, related_name="calls")
    attempt = models.PositiveSmallIntegerField()
    model = models.CharField(max_length=200)
    request_deflated = models.BinaryField(editable=False, default=b"")
    status_code = models.PositiveSmallIntegerField(null=True)
    outcome = models.CharField(max_length=40, blank=True)
    reply_shape = models.CharField(max_length=40, blank=True)
    started_at = models.DateTimeField(auto_now_add=True)
    first_byte_ms = models.PositiveIntegerField(null=True)
    total_ms = models.PositiveIntegerField(null=True)
    prompt_tokens = models.PositiveBigIntegerField(null=True)
    output_tokens = models.PositiveBigIntegerField(null=True)
    reasoning_tokens = models.PositiveBigIntegerField(null=True)
    cached_tokens = models.PositiveBigIntegerField(null=True)
    cost_usd = models.DecimalField(max_digits=20, decimal_places=10, null=True)
    credits_used = models.DecimalField(max_digits=24, decimal_places=8, null=True)
    remaining_credits = models.DecimalField(max_digits=24, decimal_places=8, null=True)

    class Meta:
        ordering = ["id"]
        indexes = [models.Index(fields=["started_at"], condition=models.Q(outcome=""), name="call_without_end")]

    def __str__(self) -> str:
        return f"call {self.attempt} of {self.message_id}"

    @staticmethod
    def deflate(request: Any) -> bytes:
        """A request body as stored: histories repeat themselves from call to call, so they are kept compressed."""
        return zlib.compress(json.dumps(request, ensure_ascii=False).encode())

    @property
    def request(self) -> Any:
        """The JSON body as it was sent, digests in place of picture bytes."""
        return json.loads(zlib.decompress(self.request_deflated)) if self.request_deflated else None
