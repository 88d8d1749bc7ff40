"""Chain the records that there are, then let the database refuse to change or remove any."""

import datetime as dt
import hashlib
import json

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

FORBID = {
    'sqlite': [
        """CREATE TRIGGER look_{verb} BEFORE {verb} ON conversations_look
        BEGIN SELECT RAISE(ABORT, 'records of looks are kept'); END""",
    ],
    'postgresql': [
        """CREATE OR REPLACE FUNCTION conversations_keep_looks() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION 'records of looks are kept' USING ERRCODE = 'integrity_constraint_violation'; END $$""",
        """CREATE TRIGGER look_{verb} BEFORE {verb} ON conversations_look
        FOR EACH ROW EXECUTE FUNCTION conversations_keep_looks()""",
    ],
}
ALLOW = {
    'sqlite': ['DROP TRIGGER IF EXISTS look_{verb}'],
    'postgresql': ['DROP TRIGGER IF EXISTS look_{verb} ON conversations_look'],
}


def chain(apps, schema_editor):
    previous = '0' * 64
    model = apps.get_model('conversations', 'Look')
    for number, look in enumerate(model.objects.order_by('pk').iterator(chunk_size=1000), start=1):
        content = {
            'number': number,
            'at': look.created_at.astimezone(dt.timezone.utc).isoformat(timespec='microseconds'),
            'reviewer': look.reviewer_id,
            'reviewer_name': look.reviewer_name,
            'owner': look.owner_id,
            'owner_name': look.owner_name,
            'conversation': str(look.conversation or ''),
            'what': look.what,
            'detail': look.detail,
            'reason': look.reason,
            'previous': previous,
        }
        text = json.dumps(content, sort_keys=True, separators=(',', ':'), ensure_ascii=False)
        digest = hashlib.sha256(text.encode()).hexdigest()
        model.objects.filter(pk=look.pk).update(number=number, previous=previous, digest=digest)
        previous = digest


def forbid(apps, schema_editor):
    run(schema_editor, FORBID)


def allow(apps, schema_editor):
    run(schema_editor, ALLOW)


def run(schema_editor, statements):
    for verb in ('UPDATE', 'DELETE'):
        for statement in statements[schema_editor.connection.vendor]:
            schema_editor.execute(statement.replace('{verb}', verb))


class Migration(migrations.Migration):

    dependencies = [
        ('conversations', '0004_review_at_scale'),
    ]

    operations = [
        migrations.AlterModelOptions(
            name='look',
            options={'default_permissions': ('view',), 'ordering': ['-number']},
        ),
        migrations.AddField(
            model_name='look',
            name='number',
            field=models.PositiveBigIntegerField(null=True),
        ),
        migrations.AddField(
            model_name='look',
            name='detail',
            field=models.TextField(blank=True, default='', help_text='What was looked for, or which conversations were listed'),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name='look',
            name='reason',
            field=models.CharField(blank=True, default='', max_length=500),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name='look',
            name='previous',
            field=models.CharField(default='', max_length=64),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name='look',
            name='digest',
            field=models.CharField(default='', max_length=64),
            preserve_default=False,
        ),
        migrations.AlterField(
            model_name='look',
            name='conversation',
            field=models.UUIDField(db_index=True, null=True),
        ),
        migrations.AlterField(
            model_name='look',
            name='created_at',
            field=models.DateTimeField(),
        ),
        migrations.AlterField(
            model_name='look',
            name='owner',
            field=models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='looked_at', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AlterField(
            model_name='look',
            name='owner_name',
            field=models.CharField(blank=True, max_length=150),
        ),
        migrations.AlterField(
            model_name='look',
            name='reviewer',
            field=models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='looks', to=settings.AUTH_USER_MODEL),
        ),
        migrations.RunPython(chain, migrations.RunPython.noop),
        migrations.AlterField(
            model_name='look',
            name='number',
            field=models.PositiveBigIntegerField(unique=True),
        ),
        migrations.RunPython(forbid, allow),
    ]
