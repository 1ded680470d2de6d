"""The AWS adapters, by the names that the stack's environment gives."""

import os
from typing import TYPE_CHECKING

from ..ports.table import Tables
from .table import DynamoTable
from .transport import DEADLINE_MS, open_transport

if TYPE_CHECKING:
    from .blobs import S3Blobs
    from .connections import ApiConnections
    from .installer import LambdaInstaller
    from .queue import SqsQueue
    from .runner import LambdaRunner
    from .scheduler import EventBridgeScheduler


def dynamo_tables(deadline_ms: int = DEADLINE_MS) -> Tables:
    """Both tables over one set of kept connections; each call is given up after `deadline_ms`."""
    transport = open_transport("dynamodb", os.environ)
    main, log = os.environ["FINGERPOST_MAIN_TABLE"], os.environ["FINGERPOST_LOG_TABLE"]
    return Tables(
        DynamoTable(main, transport, deadline_ms=deadline_ms), DynamoTable(log, transport, deadline_ms=deadline_ms)
    )


def sqs_queue(name: str) -> "SqsQueue":
    """The queue whose URL stands in FINGERPOST_<NAME>_QUEUE_URL."""
    from .queue import SqsQueue  # noqa: PLC0415 - a scan needs it only when it spills

    return SqsQueue(os.environ[f"FINGERPOST_{name.upper()}_QUEUE_URL"], open_transport("sqs", os.environ))


def drawings_bucket() -> "S3Blobs":
    from .blobs import s3_blobs  # noqa: PLC0415 - loads boto3

    return s3_blobs(os.environ["FINGERPOST_DRAWINGS_BUCKET"])


def api_connections() -> "ApiConnections":
    """Those of the WebSocket API whose address stands in FINGERPOST_LIVE_ENDPOINT."""
    return _connections("FINGERPOST_LIVE_ENDPOINT")


def panel_connections() -> "ApiConnections":
    """Those of the panels' WebSocket API."""
    return _connections("FINGERPOST_PANELS_ENDPOINT")


def _connections(variable: str) -> "ApiConnections":
    import boto3  # noqa: PLC0415

    from .connections import ApiConnections  # noqa: PLC0415

    endpoint = os.environ[variable]
    return ApiConnections(boto3.client("apigatewaymanagementapi", endpoint_url=endpoint))


def bundles_bucket() -> "S3Blobs":
    from .blobs import s3_blobs  # noqa: PLC0415 - loads boto3

    return s3_blobs(os.environ["FINGERPOST_BUNDLES_BUCKET"])


def scripts_runner() -> "LambdaRunner":
    from .runner import lambda_runner  # noqa: PLC0415 - loads boto3

    return lambda_runner(os.environ["FINGERPOST_RUNNER_FUNCTION"], os.environ["FINGERPOST_BUNDLES_BUCKET"])


def packages_installer() -> "LambdaInstaller":
    from .installer import lambda_installer  # noqa: PLC0415 - loads boto3

    bucket = os.environ["FINGERPOST_BUNDLES_BUCKET"]
    return lambda_installer(os.environ["FINGERPOST_INSTALLER_FUNCTION"], bucket, bundles_bucket())


def work_scheduler() -> "EventBridgeScheduler":
    from .scheduler import eventbridge_scheduler  # noqa: PLC0415 - loads boto3

    return eventbridge_scheduler(
        group=os.environ["FINGERPOST_SCHEDULE_GROUP"],
        queue=os.environ["FINGERPOST_WORK_QUEUE_ARN"],
        role=os.environ["FINGERPOST_SCHEDULER_ROLE"],
    )


def secret_text() -> str:
    """The root secrets, from Secrets Manager. boto3 is loaded here: no scan needs a root secret."""
    import boto3  # noqa: PLC0415

    client = boto3.client("secretsmanager")
    text: str = client.get_secret_value(SecretId=os.environ["FINGERPOST_SECRET_ID"])["SecretString"]
    return text


def keep_first_key(key: str, request: str) -> None:
    import boto3  # noqa: PLC0415

    client = boto3.client("secretsmanager")
    name = os.environ["FINGERPOST_KEY_SECRET_ID"]
    client.put_secret_value(SecretId=name, SecretString=key, ClientRequestToken=request)
