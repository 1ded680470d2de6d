"""Connections of API Gateway: what is sent, and what becomes of its answers."""

from collections.abc import Iterator
from unittest.mock import Mock

import boto3
import pytest
from botocore.exceptions import ConnectionClosedError, EndpointConnectionError, ReadTimeoutError
from botocore.stub import Stubber

from fingerpost.aws.connections import ApiConnections
from fingerpost.ports.connections import MAX_MESSAGE_BYTES, ConnectionGone
from fingerpost.ports.table import Unreachable

ID = "Tq3x1cJpjoECJZA="


@pytest.fixture
def gateway() -> Iterator[tuple[ApiConnections, Stubber]]:
    client = boto3.client(
        "apigatewaymanagementapi",
        endpoint_url="https://a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com/websocket",
        region_name="eu-west-1",
        aws_access_key_id="tests",
        aws_secret_access_key="secret",
    )
    with Stubber(client) as stub:
        yield ApiConnections(client), stub
        stub.assert_no_pending_responses()


def test_a_message_is_posted_and_a_connection_deleted(gateway):
    connections, stub = gateway
    stub.add_response("post_to_connection", {}, {"ConnectionId": ID, "Data": "zwölf".encode()})
    stub.add_response("delete_connection", {}, {"ConnectionId": ID})
    connections.send(ID, "zwölf")
    connections.close(ID)


@pytest.mark.parametrize("code", ["GoneException", "ForbiddenException", "BadRequestException"])
def test_nobody_is_there_any_more_which_is_what_closing_wants(gateway, code):
    connections, stub = gateway
    stub.add_client_error("post_to_connection", code)
    stub.add_client_error("delete_connection", code)
    with pytest.raises(ConnectionGone):
        connections.send(ID, "hello")
    connections.close(ID)


def test_what_may_be_tried_again_is_unreachable(gateway, monkeypatch):
    connections, stub = gateway
    for call in ("post_to_connection", "delete_connection"):
        stub.add_client_error(call, "LimitExceededException", http_status_code=429)
    with pytest.raises(Unreachable):
        connections.send(ID, "hello")
    with pytest.raises(Unreachable):
        connections.close(ID)

    for silence in (EndpointConnectionError, ConnectionClosedError, ReadTimeoutError):
        away = Mock(side_effect=silence(endpoint_url="https://x.example"))
        monkeypatch.setattr(connections._client, "post_to_connection", away)
        with pytest.raises(Unreachable):
            connections.send(ID, "hello")


def test_a_message_that_is_too_long_is_refused_before_it_is_sent(gateway):
    with pytest.raises(ValueError, match="131,072 bytes"):
        gateway[0].send(ID, "x" * (MAX_MESSAGE_BYTES + 1))
