"""What a cluster used between two moments: processor time by role, what PostgreSQL and Redis counted, memory."""

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import redis

from tests.bench import processes
from tests.cluster.processes import Cluster

MEGABYTE = 1_000_000
PIECES = "pieces"
PATIENCE = 120.0  # seconds
SAMPLES = 0.5  # seconds between two looks at memory and connections
OPTIONS = (
    "-c fsync=on -c full_page_writes=on -c shared_preload_libraries=pg_stat_statements -c pg_stat_statements.track=top"
)
# Without its own checks of foreign keys, which nobody sends.
COUNTED = """
SELECT coalesce(sum(calls), 0), coalesce(sum(rows) FILTER (WHERE query ~* '^(WITH|INSERT|UPDATE|DELETE)'), 0),
       coalesce(sum(total_exec_time), 0) / 1000,
       coalesce(sum(rows) FILTER (WHERE query ~* '^INSERT INTO conversations_piece'), 0)
FROM pg_stat_statements WHERE query NOT LIKE '%pg_stat%' AND query !~ '^SELECT \\S+ FROM ONLY'
"""
# Named so that it is not among what it is to measure.
RUNNING = "SELECT count(*) AS pg_stat_running FROM conversations_message WHERE status IN ('pending', 'streaming')"
FREQUENT = """
SELECT query, sum(calls)::float, sum(total_exec_time)::float, sum(rows)::float FROM pg_stat_statements
WHERE query NOT LIKE '%pg_stat%' GROUP BY query ORDER BY 3 DESC LIMIT 25
"""
CONNECTIONS = """
SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()
"""


class Meter:
    def __init__(self, cluster: Cluster) -> None:
        self._redis = redis.Redis.from_url(cluster.redis.url, client_name="meter")
        self._database = psycopg.connect(cluster.postgres.url, autocommit=True)
        self._database.execute("CREATE EXTENSION IF NOT EXISTS pg_stat_statements")
        leader = int((cluster.postgres.folder / "data" / "postmaster.pid").read_text().split()[0])
        webs = [web.process for web in cluster.webs]
        self.roles: dict[str, list[int]] = {
            "web": [process.pid for process in webs if process],
            "worker": [one.process.pid for one in cluster.workers if one.process],
            "beat": [cluster.beat.process.pid] if cluster.beat.process else [],
            "redis": [cluster.redis.pid],
            "postgres": [leader],
        }

    def close(self) -> None:
        self._redis.close()
        self._database.close()

    def read(self) -> dict[str, float]:
        """All counters; each only grows."""
        counters = {f"{role} cpu": self._cpu(pids) for role, pids in self.roles.items()}
        return counters | self._of_redis() | self._of_postgres()

    @staticmethod
    def _cpu(pids: list[int]) -> float:
        return sum(processes.spent(pid).cpu for pid in pids)

    def _of_redis(self) -> dict[str, float]:
        stats: dict[str, Any] = self._redis.info("stats")
        commands: dict[str, Any] = self._redis.info("commandstats")
        return {
            "redis commands": float(stats["total_commands_processed"]),
            "redis in commands, s": sum(each["usec"] for each in commands.values()) / 1_000_000,
            "redis xadd": float(commands.get("cmdstat_xadd", {}).get("calls", 0)),
            "redis kB in": stats["total_net_input_bytes"] / 1000,
            "redis kB out": stats["total_net_output_bytes"] / 1000,
        }

    def _of_postgres(self) -> dict[str, float]:
        (statements, rows, seconds, pieces) = self._one(COUNTED)
        ((position, writers),) = self._database.execute(
            "SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0'), txid_snapshot_xmax(txid_current_snapshot())"
        ).fetchall()
        return {
            PIECES: float(pieces),
            "postgres statements": float(statements),
            "postgres rows written": float(rows),
            "postgres writing transactions": float(writers),
            "postgres WAL kB": float(position) / 1000,
            "postgres in statements, s": float(seconds),
        }

    def _one(self, query: str) -> tuple[Any, ...]:
        row = self._database.execute(query).fetchone()
        assert row is not None
        return tuple(row)

    def frequent(self) -> list[tuple[str, float, float, float]]:
        """The statements that took longest: text, calls, milliseconds, rows."""
        return [tuple(row) for row in self._database.execute(FREQUENT).fetchall()]

    def commands(self) -> dict[str, float]:
        """Of Redis, by name: calls, and milliseconds."""
        found: dict[str, Any] = self._redis.info("commandstats")
        named = {name.removeprefix("cmdstat_"): each for name, each in found.items()}
        calls = {name: float(each["calls"]) for name, each in named.items()}
        return calls | {f"{name} ms": each["usec"] / 1000 for name, each in named.items()}

    def forget_statements(self) -> None:
        self._database.execute("SELECT pg_stat_statements_reset()")

    def wait_for_ends(self) -> None:
        """Until no reply runs; raises TimeoutError."""
        end = time.monotonic() + PATIENCE
        while self._one(RUNNING)[0]:
            if time.monotonic() > end:
                raise TimeoutError(f"replies still ran after {PATIENCE:g} s")
            time.sleep(SAMPLES / 2)

    def sizes(self) -> dict[str, float]:
        """What there is just now: MB by role, connections."""
        sizes = {
            f"{role} MB": sum(processes.spent(pid).resident for pid in pids) / MEGABYTE
            for role, pids in self.roles.items()
            if role not in ("postgres", "redis")
        }
        memory: dict[str, Any] = self._redis.info("memory")
        clients: dict[str, Any] = self._redis.info("clients")
        return sizes | {
            "redis MB": memory["used_memory"] / MEGABYTE,
            "redis connections": float(clients["connected_clients"]) - 1,
            "postgres connections": float(self._one(CONNECTIONS)[0]),
            "worker threads": float(sum(threads(pid) for pid in self.roles["worker"])),
        }

    @contextmanager
    def watching(self) -> Iterator[dict[str, float]]:
        """The highest sizes, while it lasts."""
        highest: dict[str, float] = {}
        is_over = threading.Event()

        def look() -> None:
            while not is_over.wait(SAMPLES):
                for name, value in self.sizes().items():
                    highest[name] = max(value, highest.get(name, 0.0))

        thread = threading.Thread(target=look)
        thread.start()
        try:
            yield highest
        finally:
            is_over.set()
            thread.join()


def threads(pid: int) -> int:
    return sum(len(list(Path(f"/proc/{member}/task").iterdir())) for member in processes.descendants(pid))


def used(before: Mapping[str, float], after: Mapping[str, float]) -> dict[str, float]:
    return {name: after[name] - before[name] for name in after}
