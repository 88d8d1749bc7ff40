"""`manage.py check_providers [MODEL…]`: one small real prompt to every configured model, and what came back."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from conversations.services import catalog, probing
from conversations.services.catalog import Offer
from conversations.services.probing import Proof


class Command(BaseCommand):
    help = (
        "Send one small real prompt to every configured model (or those named) and print how it went. This costs money."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("models", nargs="*", help="model ids, such as segmind/gemini-1.5-pro")

    def handle(self, *args: Any, **options: Any) -> None:
        failures = [offer.model.id for offer in self._chosen(options["models"]) if not self._check(offer)]
        if failures:
            raise CommandError(f"{len(failures)} of the models did not answer: {', '.join(failures)}")

    def _chosen(self, wanted: list[str]) -> list[Offer]:
        offers = {offer.model.id: offer for offer in catalog.offers()}
        if not offers:
            raise CommandError("No model is configured: set SEGMIND_API_KEY or AIMLAPI_API_KEY, or add a connection.")
        if unknown := [model for model in wanted if model not in offers]:
            raise CommandError(f"Not configured: {', '.join(unknown)}. Configured: {', '.join(offers)}")
        return [offers[model] for model in wanted or offers]

    def _check(self, offer: Offer) -> bool:
        """One prompt; prints status, latency, reply shape, usage and credit, and says whether it was answered."""
        proof = probing.probe(offer)
        self._report(proof)
        return proof.failure is None

    def _report(self, proof: Proof) -> None:
        attempt, failure = proof.attempt, proof.failure
        mark = self.style.ERROR("failed") if failure else self.style.SUCCESS("ok")
        self.stdout.write(f"{proof.offer.model.id}: {mark}")
        if attempt:
            self.stdout.write(
                f"  status {attempt.status_code}, {attempt.total or 0:.2f} s, shape {attempt.reply_shape}"
            )
            usage = attempt.usage
            tokens = f"{usage.prompt} in, {usage.output} out" if usage else "not reported"
            self.stdout.write(f"  tokens {tokens}; remaining credit {attempt.credits or 'not reported'}")
        self.stdout.write(f"  {failure.code}: {failure.detail}" if failure else f"  said: {proof.said[:120]!r}")
