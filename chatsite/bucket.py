"""Pictures in an S3-compatible store. Nobody else gets at them: they are served by views/attachments.py as ever."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from boto3.exceptions import Boto3Error
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from storages.backends.s3 import S3Storage

from chatsite import env


class ImageBucket(S3Storage):  # type: ignore[misc]
    """A name that exists always holds all of its bytes, and the same ones: it is made from their digest.

    While the store is away, or does not do what it is asked, everything here raises OSError with EHOSTUNREACH.
    """

    def _open(self, name: str, mode: str = "rb") -> Any:
        with _told():
            opened = super()._open(name, mode)
            opened.file  # noqa: B018 - fetched now, where the loss of the store can still be answered for
            return opened

    def _save(self, name: str, content: Any) -> Any:
        with _told():
            return super()._save(name, content)

    def exists(self, name: str) -> Any:
        with _told():
            return super().exists(name)

    def delete(self, name: str) -> None:
        with _told():
            super().delete(name)

    def remove_parts(self) -> None:
        """A store keeps nothing that was not sent to its end."""

    def listed(self, after: str, most: int) -> list[tuple[str, float]]:
        """The next objects behind this name, in the order of their names, each with the time of its last change."""
        with _told():
            client = self.connection.meta.client
            page = client.list_objects_v2(Bucket=self.bucket_name, StartAfter=after, MaxKeys=most)
        return [(item["Key"], item["LastModified"].timestamp()) for item in page.get("Contents", ())]

    def url(self, *_arguments: Any, **_options: Any) -> str:
        raise ValueError("Pictures have no address of their own; they are served by views/attachments.py.")


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except (BotoCoreError, ClientError, Boto3Error) as error:
        raise OSError(errno.EHOSTUNREACH, f"the store of pictures: {error.__class__.__name__}") from error


def configured(bucket: str) -> dict[str, Any]:
    """Django's entry for the storage of pictures. Without keys in the environment the machine's own role counts."""
    return {
        "BACKEND": "chatsite.bucket.ImageBucket",
        "OPTIONS": {
            "bucket_name": bucket,
            "endpoint_url": env.text("S3_ENDPOINT_URL") or None,
            "region_name": env.text("S3_REGION") or None,
            "access_key": env.text("S3_ACCESS_KEY_ID") or None,
            "secret_key": env.text("S3_SECRET_ACCESS_KEY") or None,
            "file_overwrite": True,
            "default_acl": None,
            "client_config": Config(
                connect_timeout=3,  # seconds
                read_timeout=20,
                retries={"max_attempts": 2, "mode": "standard"},
                # What every compatible store understands: the bucket in the path, no checksums of Amazon's own.
                s3={"addressing_style": "path"} if env.text("S3_ENDPOINT_URL") else {},
                signature_version="s3v4",
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
            ),
        },
    }
