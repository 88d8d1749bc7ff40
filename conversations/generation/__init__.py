"""Answering: from a PENDING reply to its end, detached from every request."""
