"""Connections of the WebSocket API. Source: "Use @connections commands in your backend service", API Gateway."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from botocore.exceptions import ClientError, ConnectionError, HTTPClientError

from ..ports.connections import MAX_MESSAGE_BYTES, ConnectionGone
from ..ports.table import Unreachable


class ApiConnections:
    """`client` is boto3's of `apigatewaymanagementapi` at the API's own endpoint."""

    def __init__(self, client: Any):
        self._client = client

    def send(self, connection_id: str, text: str) -> None:
        content = text.encode()
        if len(content) > MAX_MESSAGE_BYTES:
            raise ValueError(f"a message has at most {MAX_MESSAGE_BYTES:,} bytes; this one has {len(content):,}")
        self._ask(connection_id, lambda: self._client.post_to_connection(ConnectionId=connection_id, Data=content))

    def close(self, connection_id: str) -> None:
        with suppress(ConnectionGone):
            self._ask(connection_id, lambda: self._client.delete_connection(ConnectionId=connection_id))

    def _ask(self, connection_id: str, ask: Callable[[], object]) -> None:
        try:
            ask()
        except ClientError as error:
            if error.response["Error"]["Code"] in ("GoneException", "ForbiddenException", "BadRequestException"):
                raise ConnectionGone(connection_id) from error
            raise Unreachable(str(error)) from error
        except (ConnectionError, HTTPClientError) as error:
            raise Unreachable(str(error)) from error
