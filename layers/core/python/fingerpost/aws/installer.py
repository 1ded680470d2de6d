"""The `Installer` on AWS: a Lambda function without permissions, which writes to the one address that it is given."""

import json
import secrets
from collections.abc import Mapping
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionError, HTTPClientError

from ..ports.blobs import Blobs
from ..ports.installer import MAX_FILES, MAX_UNPACKED_BYTES, TIME_LIMIT_MS, check
from ..ports.table import Unreachable
from .blobs import SIGNING

ANSWER_SECONDS = 200  # more than the function's own timeout
LINK_SECONDS = 300


class LambdaInstaller:
    """`lambda_` and `s3` are boto3's clients; `blobs` is the bucket in which the packages are left for a moment."""

    def __init__(self, lambda_: Any, function: str, s3: Any, bucket: str, blobs: Blobs):
        self._lambda, self._function, self._s3, self._bucket, self._blobs = lambda_, function, s3, bucket, blobs

    def check(self, source: str) -> None:
        check(self._answer({"source": source}))

    def install(self, dependencies: Mapping[str, str]) -> bytes:
        name = f"packages/{secrets.token_hex(16)}.zip"
        wanted = {"Bucket": self._bucket, "Key": name, "ContentType": "application/zip"}
        asked = {
            "dependencies": dict(dependencies),
            "limits": {"ms": TIME_LIMIT_MS, "bytes": MAX_UNPACKED_BYTES, "files": MAX_FILES},
            "put": self._s3.generate_presigned_url("put_object", Params=wanted, ExpiresIn=LINK_SECONDS),
        }
        check(self._answer(asked))
        try:
            blob = self._blobs.get(name)
            if blob is None:
                raise Unreachable("the packages were not kept")
            return blob.content
        finally:
            self._blobs.delete(name)

    def _answer(self, asked: Mapping[str, Any]) -> Mapping[str, Any]:
        try:
            payload = json.dumps(asked, ensure_ascii=False).encode(errors="replace")
            answer = self._lambda.invoke(FunctionName=self._function, Payload=payload)
            content = answer["Payload"].read()
        except (ConnectionError, HTTPClientError) as silence:
            raise Unreachable(f"Lambda: {silence}") from silence
        except ClientError as refusal:
            raise Unreachable(f"Lambda: {refusal.response['Error']['Code']}") from refusal
        if "FunctionError" in answer:
            raise Unreachable(f"the installer broke: {content.decode('utf-8', 'replace')[:500]}")
        said: Mapping[str, Any] = json.loads(content)
        return said


def lambda_installer(function: str, bucket: str, blobs: Blobs) -> LambdaInstaller:
    config = Config(connect_timeout=2, read_timeout=ANSWER_SECONDS, retries={"total_max_attempts": 1})
    return LambdaInstaller(
        boto3.client("lambda", config=config), function, boto3.client("s3", config=SIGNING), bucket, blobs
    )
