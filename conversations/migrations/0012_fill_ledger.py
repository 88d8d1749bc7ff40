"""Give every call that has ended its row of the ledger, in batches. Nobody knows any more what its prices were."""

from django.conf import settings
from django.db import migrations, transaction

BATCH = 20_000
# Costs were stored with 10 digits behind the point, which is why rounding them at the tenth brings them back exactly.
DAY = {
    'sqlite': "django_datetime_cast_date(c.started_at, %(zone)s, 'UTC')",
    'postgresql': 'CAST(c.started_at AT TIME ZONE %(zone)s AS date)',
}
SLUG = {
    'sqlite': "CASE WHEN instr(c.model, '/') > 0 THEN substr(c.model, 1, instr(c.model, '/') - 1) ELSE c.model END",
    'postgresql': "split_part(c.model, '/', 1)",
}
FILL = """
    INSERT INTO conversations_ledgerentry (
        call, reply, run, attempt, at, day, person, person_name, model, connection, is_own_key, outcome, status_code,
        prompt_tokens, output_tokens, reasoning_tokens, cached_tokens, pictures, credits, remaining, prices, stated, currency, amount,
        basis
    )
    SELECT c.id, m.id, 1, c.attempt, c.started_at, {day}, v.owner_id, u.username, c.model, SUBSTR({slug}, 1, 40), NULL,
           c.outcome, c.status_code, c.prompt_tokens, c.output_tokens, c.reasoning_tokens, c.cached_tokens, NULL,
           CASE WHEN c.credits_used BETWEEN 0 AND 9e10 THEN CAST(ROUND(c.credits_used * 100000000) AS BIGINT) END,
           CASE WHEN c.remaining_credits BETWEEN 0 AND 9e10
                THEN CAST(ROUND(c.remaining_credits * 100000000) AS BIGINT) END,
           {nothing}, '', CASE WHEN c.cost_usd BETWEEN 0 AND 9e6 THEN 'USD' ELSE '' END,
           CASE WHEN c.cost_usd BETWEEN 0 AND 9e6 THEN CAST(ROUND(c.cost_usd * 10000000000) AS BIGINT) * 100 END,
           CASE WHEN c.cost_usd BETWEEN 0 AND 9e6 THEN 'stated' ELSE '' END
    FROM conversations_providercall c
    JOIN conversations_message m ON m.id = c.message_id
    JOIN conversations_conversation v ON v.id = m.conversation_id
    JOIN conversations_user u ON u.id = v.owner_id
    WHERE c.id > %(after)s AND c.id <= %(last)s AND c.outcome <> ''
    ON CONFLICT (call) DO NOTHING
"""


def fill(apps, schema_editor):
    vendor = schema_editor.connection.vendor
    nothing = "'{}'" if vendor == 'sqlite' else "'{}'::jsonb"
    statement = FILL.format(day=DAY[vendor], slug=SLUG[vendor], nothing=nothing)
    newest = apps.get_model('conversations', 'ProviderCall').objects.order_by('-pk').values_list('pk', flat=True).first()
    for after in range(0, newest or 0, BATCH):
        values = {'after': after, 'last': after + BATCH, 'zone': settings.TIME_ZONE}
        with transaction.atomic(using=schema_editor.connection.alias), schema_editor.connection.cursor() as cursor:
            cursor.execute(statement, values)


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ('conversations', '0011_ledger'),
    ]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
