"""What the models say is what the migrations make."""

from django.apps import apps
from django.db.migrations.autodetector import MigrationAutodetector
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.state import ProjectState


def test_no_model_has_changed_without_a_migration() -> None:
    made = MigrationLoader(None, ignore_no_migrations=True)
    detector = MigrationAutodetector(made.project_state(), ProjectState.from_apps(apps))
    assert detector.changes(graph=made.graph) == {}
