"""Every process of a set-up past one machine, by the commands that an administrator uses."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import redis
from botocore.exceptions import EndpointConnectionError

from tests.postgres import Postgres
from tests.serving import ROOT, START_DEADLINE, Server, free_port, until

PROGRAMS = Path(sys.executable).parent
METRICS_TOKEN = "a token for the figures"
SECRET_KEY = "a-secret-key-for-the-tests-of-a-cluster-1234567890"


@dataclass
class Process:
    """A command in a process group of its own; what it prints is in `log`."""

    name: str
    command: list[str]
    folder: Path
    environment: Mapping[str, str]
    process: subprocess.Popen[bytes] | None = None
    _started_at: int = 0  # bytes of the log

    def start(self) -> None:
        with self._log.open("ab") as log:
            self._started_at = log.tell()
            self.process = subprocess.Popen(
                self.command, cwd=ROOT, env=self.environment, stdout=log, stderr=log, start_new_session=True
            )

    @property
    def _log(self) -> Path:
        return self.folder / f"{self.name}.log"

    @property
    def log(self) -> str:
        return self._log.read_text(errors="replace")

    @property
    def log_since_start(self) -> str:
        return self._log.read_bytes()[self._started_at :].decode(errors="replace")

    def kill(self) -> None:
        if self.process and self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(10)

    def terminate(self) -> int:
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(40)


class Worker(Process):
    """One of Celery."""

    @property
    def data(self) -> Path:
        return Path(self.environment["CHATSITE_DATA"])

    def is_ready(self) -> bool:
        return " ready." in self.log_since_start


@dataclass
class Redis:
    """A throw-away Redis that keeps nothing on disk."""

    folder: Path
    port: int = field(default_factory=free_port)

    def __post_init__(self) -> None:
        program = shutil.which("redis-server")
        assert program, "these tests need Redis; see tests/system-packages.sh"
        options = ["--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--dir", str(self.folder)]
        self.process = Process("redis", [program, *options], self.folder, {"PATH": os.defpath})

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    @property
    def pid(self) -> int:
        assert self.process.process is not None
        return self.process.process.pid

    def start(self) -> None:
        self.process.start()
        until(self._answers, "Redis' first answer")

    def kill(self) -> None:
        self.process.kill()

    def _answers(self) -> bool:
        try:
            return bool(redis.Redis.from_url(self.url).ping())
        except redis.RedisError:
            return False


@dataclass
class Bucket:
    """An S3-compatible store in a process of its own, with one private bucket."""

    folder: Path
    port: int = field(default_factory=free_port)

    def __post_init__(self) -> None:
        command = [str(PROGRAMS / "moto_server"), "--host", "127.0.0.1", "--port", str(self.port)]
        self._process = Process("store", command, self.folder, {"PATH": os.defpath, "HOME": str(self.folder)})

    @property
    def settings(self) -> dict[str, str]:
        keys = {"S3_ACCESS_KEY_ID": "key", "S3_SECRET_ACCESS_KEY": "secret", "S3_REGION": "us-east-1"}
        return keys | {"S3_BUCKET": "pictures", "S3_ENDPOINT_URL": f"http://127.0.0.1:{self.port}"}

    def start(self) -> None:
        self._process.start()
        until(self._answers, "the store's first answer", START_DEADLINE)
        self._client.create_bucket(Bucket="pictures")

    def kill(self) -> None:
        self._process.kill()

    def names(self) -> set[str]:
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket="pictures")
        return {item["Key"] for page in pages for item in page.get("Contents", [])}

    @property
    def _client(self) -> Any:
        named = {"aws_access_key_id": "key", "aws_secret_access_key": "secret", "region_name": "us-east-1"}
        return boto3.client("s3", endpoint_url=f"http://127.0.0.1:{self.port}", **named)

    def _answers(self) -> bool:
        try:
            self._client.list_buckets()
        except EndpointConnectionError:
            return False
        return True


class Cluster:
    """PostgreSQL, Redis, a store for pictures, two webs, two workers, beat.

    `settings` are environment variables for all of ours.
    """

    def __init__(self, folder: Path, postgres: Postgres, settings: Mapping[str, str]) -> None:
        self.folder, self.postgres = folder, postgres
        self.redis, self.bucket = Redis(folder), Bucket(folder)
        shared = {
            "DATABASE_URL": postgres.url,
            "REDIS_URL": self.redis.url,
            "CHATSITE_ENGINE": "celery",
            "SECRET_KEY": SECRET_KEY,
            "CHATSITE_GRACE": "2",
            "CHATSITE_METRICS_TOKEN": METRICS_TOKEN,
        }
        self.settings = dict(settings) | self.bucket.settings | shared
        # The second web is two processes behind one port.
        self.webs = [
            Server(self._data(f"web{number}"), self.settings | {"WEB_CONCURRENCY": str(number)}) for number in (1, 2)
        ]
        self.workers = [self.celery(f"worker{number}") for number in (1, 2)]
        self.beat = self.celery("beat", "--beat", "--queues", "housekeeping", "--concurrency", "1")

    def _data(self, name: str) -> Path:
        folder = self.folder / name
        folder.mkdir()
        return folder

    def celery(self, name: str, *options: str) -> "Worker":
        own = {"CHATSITE_METRICS_PORT": str(free_port())}
        environment = Server(self._data(name), self.settings | own).environment
        # Each worker has a name of its own, as on machines of their own.
        command = [str(PROGRAMS / "celery"), "-A", "chatsite", "worker", "--hostname", f"{name}@%h", *options]
        return Worker(name, command, self.folder, environment)

    def __enter__(self) -> "Cluster":
        try:
            self._start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def _start(self) -> None:
        self.bucket.start()
        self.redis.start()
        for process in (*self.workers, self.beat):
            process.start()
        for web in self.webs:
            web.start()
        for process in (*self.workers, self.beat):
            until(process.is_ready, f"the start of {process.name}", START_DEADLINE)

    def __exit__(self, *_exc: object) -> None:
        for process in (*self.workers, self.beat):
            process.kill()
        for web in self.webs:
            web.__exit__()
        self.redis.kill()
        self.bucket.kill()
