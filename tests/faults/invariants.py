"""What must be true of the database when nothing runs, as SQL that finds the rows of which it is not."""

from collections.abc import Collection

from tests.faults.site import Site

SUFFIX = {"image/png": "png", "image/jpeg": "jpg", "image/webp": "webp"}

UNSETTLED = "SELECT id, status FROM conversations_message WHERE status IN ('pending', 'streaming')"

RULES: dict[str, str] = {
    "a reply is neither running nor ended": UNSETTLED,
    "a reply has ended but holds pieces": (
        "SELECT DISTINCT p.message_id FROM conversations_piece p JOIN conversations_message m ON m.id = p.message_id"
        " WHERE m.status NOT IN ('pending', 'streaming')"
    ),
    "a reply has ended but is claimed": (
        "SELECT id FROM conversations_message WHERE status NOT IN ('pending', 'streaming')"
        " AND (claim <> '' OR leased_until IS NOT NULL)"
    ),
    "a reply has ended at no time": (
        "SELECT id FROM conversations_message WHERE role = 'assistant' AND ended_at IS NULL"
        " AND status NOT IN ('pending', 'streaming')"
    ),
    "an interrupted or failed reply says nothing": (
        "SELECT id FROM conversations_message WHERE status IN ('interrupted', 'failed') AND error_code = ''"
    ),
    "parts have gaps": (
        "SELECT message_id FROM conversations_part GROUP BY message_id HAVING count(*) <> max(position) + 1"
    ),
    "a message without content": (
        "SELECT id FROM conversations_message m WHERE role = 'user'"
        " AND NOT EXISTS (SELECT 1 FROM conversations_part p WHERE p.message_id = m.id)"
    ),
    "a message that nobody answers": (
        "SELECT id FROM conversations_message m WHERE role = 'user' AND status = 'complete'"
        " AND NOT EXISTS (SELECT 1 FROM conversations_message r WHERE r.parent_id = m.id)"
    ),
    "a reply to nothing": "SELECT id FROM conversations_message WHERE role = 'assistant' AND parent_id IS NULL",
    "a message in the wrong depth": (
        "SELECT m.id FROM conversations_message m JOIN conversations_message p ON p.id = m.parent_id"
        " WHERE m.depth <> p.depth + 1 OR m.conversation_id <> p.conversation_id"
    ),
    "a conversation without a message": (
        "SELECT id FROM conversations_conversation c"
        " WHERE NOT EXISTS (SELECT 1 FROM conversations_message m WHERE m.conversation_id = c.id)"
    ),
    "one key, two messages": (
        "SELECT sender_id, key FROM conversations_message WHERE key IS NOT NULL GROUP BY sender_id, key"
        " HAVING count(*) > 1"
    ),
    "two messages in one place": (
        "SELECT conversation_id, depth FROM conversations_message WHERE on_path GROUP BY conversation_id, depth"
        " HAVING count(*) > 1"
    ),
    "a reply with text was asked of nobody": (
        "SELECT m.id FROM conversations_message m JOIN conversations_part p ON p.message_id = m.id"
        " WHERE m.role = 'assistant'"
        " AND NOT EXISTS (SELECT 1 FROM conversations_providercall c WHERE c.message_id = m.id)"
    ),
}


PICTURES = "SELECT sha256, media_type, thumbnail_type FROM conversations_attachment"


def broken(site: Site, left_out: Collection[str] = ()) -> list[str]:
    """A line for each rule that does not hold, and for what the database finds wrong with itself."""
    found = [(rule, site.rows(query)) for rule, query in RULES.items() if rule not in left_out]
    return [f"{rule}: {rows[:5]}" for rule, rows in found if rows] + _lost_pictures(site) + site.damage()


def _lost_pictures(site: Site) -> list[str]:
    rows, files = site.rows(PICTURES), site.files()
    names = {f"{digest[:2]}/{digest}.{SUFFIX[kind]}" for digest, kind, _ in rows}
    names |= {f"{digest[:2]}/{digest}.thumbnail.{SUFFIX[kind]}" for digest, _, kind in rows}
    return [f"a picture without its file: {name}" for name in sorted(names - files)[:5]]
