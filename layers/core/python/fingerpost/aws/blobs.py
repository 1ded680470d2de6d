"""The `Blobs` port over one S3 bucket, by boto3: no scan comes here.

Beside what it does to objects, a role needs s3:ListBucket: without it S3 answers 403, not 404, for a name that nothing
has.
"""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionError, HTTPClientError, IncompleteReadError

from ..ports.blobs import Blob, BlobFacts, check_blob, check_name
from ..ports.table import Throttled, Unreachable
from ..retry import attempts

if TYPE_CHECKING:
    from types_boto3_s3.client import S3Client

# Buckets of today take no older signature, and a young one is known in its own region alone; boto3 makes addresses of
# neither kind unless it is told to.
SIGNING = Config(signature_version="s3v4", s3={"addressing_style": "virtual"})
_CONFLICTS = 4  # how often a put is begun again that met another of the same name


class S3Blobs:
    """A put carries a write token in its metadata: when a repeated attempt finds that the name is taken, and by its own
    token, then an earlier attempt, whose answer was lost, has written the blob."""

    def __init__(self, client: "S3Client", bucket: str):
        self._client, self._bucket = client, bucket

    def put_if_absent(self, name: str, content: bytes, *, content_type: str) -> bool:
        check_blob(name, content, content_type)
        token = secrets.token_hex(8)
        with _translated():
            for _ in attempts(_CONFLICTS, base_ms=50, cap_ms=500):
                try:
                    self._client.put_object(
                        Bucket=self._bucket,
                        Key=name,
                        Body=content,
                        ContentType=content_type,
                        Metadata={"w": token},
                        IfNoneMatch="*",
                    )
                except ClientError as refusal:
                    match _status(refusal):
                        case 409:  # another put of this name is under way, and may yet fail
                            continue
                        case 412:
                            return self._repeated(refusal) and self._has_token(name, token)
                    raise
                return True
        raise Throttled(f"S3 is busy with other writes of {name}")

    def get(self, name: str) -> Blob | None:
        check_name(name)
        with _translated():
            try:
                found = self._client.get_object(Bucket=self._bucket, Key=name)
            except self._client.exceptions.NoSuchKey:
                return None
            with found["Body"] as body:
                return Blob(body.read(), found["ContentType"])

    def head(self, name: str) -> BlobFacts | None:
        check_name(name)
        with _translated():
            try:
                found = self._client.head_object(Bucket=self._bucket, Key=name)
            except ClientError as refusal:
                if _status(refusal) == 404:  # a HEAD has no body that could name the error
                    return None
                raise
            return BlobFacts(found["ContentLength"], found["ContentType"])

    def upload_address(self, name: str, *, content_type: str, seconds: int) -> str | None:
        check_name(name)
        wanted = {"Bucket": self._bucket, "Key": name, "ContentType": content_type}
        return self._client.generate_presigned_url("put_object", Params=wanted, ExpiresIn=seconds)

    def delete(self, name: str) -> None:
        check_name(name)
        with _translated():
            self._client.delete_object(Bucket=self._bucket, Key=name)

    @staticmethod
    def _repeated(refusal: ClientError) -> bool:
        return refusal.response["ResponseMetadata"].get("RetryAttempts", 0) > 0

    def _has_token(self, name: str, token: str) -> bool:
        try:
            return self._client.head_object(Bucket=self._bucket, Key=name)["Metadata"].get("w") == token
        except ClientError as refusal:
            if _status(refusal) == 404:  # deleted since
                return False
            raise


def s3_blobs(bucket: str) -> S3Blobs:
    """Calls are given up after two attempts of at most 4 seconds each."""
    config = Config(connect_timeout=1, read_timeout=3, retries={"mode": "standard", "total_max_attempts": 2})
    return S3Blobs(boto3.client("s3", config=config.merge(SIGNING)), bucket)


@contextmanager
def _translated() -> Iterator[None]:
    """What every port says in place of botocore's errors; others are bugs, or permissions that lack."""
    try:
        yield
    except (ConnectionError, HTTPClientError, IncompleteReadError) as silence:
        raise Unreachable(f"S3: {silence}") from silence
    except ClientError as refusal:
        status, code = _status(refusal), refusal.response["Error"]["Code"]
        if status in (429, 503) or code == "SlowDown":
            raise Throttled(f"S3: {code}") from refusal
        if status >= 500 or code == "RequestTimeout":
            raise Unreachable(f"S3: {code}") from refusal
        raise


def _status(refusal: ClientError) -> int:
    return refusal.response["ResponseMetadata"]["HTTPStatusCode"]
