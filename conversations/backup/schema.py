"""The tables as the migrations made them: of any state the database has had, not only of the newest.

So a backup is taken before an upgrade by the new version, and one of long ago is restored into today's.
"""

from django.apps.registry import Apps
from django.contrib.contenttypes.models import ContentType
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader
from django.db.models import Model

from conversations.backup.archive import Unusable

LEFT_OUT = {"sessions.session", "usersessions.usersession", "conversations.setuplink"}
"""Tables that a backup leaves out: rights to be let in, which are given anew."""
MADE_BY_ITSELF = {
    *("contenttypes.contenttype", "auth.permission"),
    *("conversations.connection", "conversations.offeredmodel"),
}
"""Tables that are filled before anybody has used the database."""

Migrations = dict[str, list[str]]
Tables = dict[str, type[Model]]


def applied() -> Migrations:
    """The newest migrations that the database has, by application. Raises Unusable where this program is too old."""
    loader = MigrationLoader(connection)
    graph, known = loader.graph, {app for app, _name in loader.graph.nodes}
    done = {key for key in loader.applied_migrations if key[0] in known}
    if not done <= set(graph.nodes) | set(loader.replacements):
        raise Unusable("The database was made by a newer version of Chatsite; use that.")
    newest: Migrations = {}
    for app, name in sorted(done & set(graph.nodes)):
        if not any(child.key[0] == app and child.key in done for child in graph.node_map[(app, name)].children):
            newest.setdefault(app, []).append(name)
    return newest


def tables(migrations: Migrations) -> Tables:
    """What a backup carries of a database with these migrations: models as they were then, by label."""
    return {label: model for label, model in _models(migrations).items() if label not in LEFT_OUT}


def check_known(migrations: Migrations) -> None:
    nodes = MigrationLoader(None).graph.nodes
    if not {(app, name) for app, names in migrations.items() for name in names} <= set(nodes):
        raise Unusable("The backup was made by a newer version of Chatsite; restore it with that.")


def is_in_use() -> bool:
    """Whether anybody has stored anything in the database."""
    existing = set(connection.introspection.table_names())
    return any(
        model._base_manager.exists()
        for label, model in tables(applied()).items()
        if label not in MADE_BY_ITSELF and model._meta.db_table in existing
    )


def build(migrations: Migrations) -> Tables:
    """Empty tables as they were after these migrations, in place of whatever there is. Call it inside a transaction."""
    _drop()
    executor = MigrationExecutor(connection)
    executor.migrate([(app, name) for app, names in migrations.items() for name in names])
    found = _models(migrations)
    for model in found.values():
        model._base_manager.all().delete()  # what a migration wrote is in the backup, too
    return {label: model for label, model in found.items() if label not in LEFT_OUT}


def bring_up_to_date() -> None:
    ContentType.objects.clear_cache()
    call_command("migrate", verbosity=0, interactive=False)


def _models(migrations: Migrations) -> Tables:
    nodes = [(app, name) for app, names in migrations.items() for name in names]
    state: Apps = MigrationLoader(connection).project_state(nodes).apps
    models = state.get_models(include_auto_created=True)
    return {model._meta.label_lower: model for model in models if model._meta.managed and not model._meta.proxy}


def _drop() -> None:
    known = {model._meta.db_table for model in _models(applied()).values()} | {"django_migrations"}
    cascade = " CASCADE" if connection.vendor == "postgresql" else ""
    with connection.cursor() as cursor:
        for table in sorted(known & set(connection.introspection.table_names(cursor))):
            cursor.execute(f"DROP TABLE {connection.ops.quote_name(table)}{cascade}")
