"""The two tables as template.yaml describes them, for tests and development. A deployment makes its own."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types_boto3_dynamodb.client import DynamoDBClient
    from types_boto3_dynamodb.type_defs import StreamSpecificationTypeDef


def create_tables(client: "DynamoDBClient", main: str, log: str) -> None:
    """Make both tables and wait until they can be written. `main` has a change stream, `log` has none.

    Raises the client's ResourceInUseException when one exists.
    """
    create_table(client, main, stream=True)
    create_table(client, log, stream=False)


def create_table(client: "DynamoDBClient", name: str, *, stream: bool) -> None:
    images: StreamSpecificationTypeDef = {"StreamEnabled": False}
    if stream:
        images = {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}
    client.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[
            {"AttributeName": "pk", "AttributeType": "S"},
            {"AttributeName": "sk", "AttributeType": "S"},
        ],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        StreamSpecification=images,
    )
    client.get_waiter("table_exists").wait(TableName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 60})
    client.update_time_to_live(TableName=name, TimeToLiveSpecification={"Enabled": True, "AttributeName": "expires"})
    _recover_to_any_point(client, name)


def _recover_to_any_point(client: "DynamoDBClient", name: str) -> None:
    """The emulators do not all know point-in-time recovery; a table there needs none."""
    from botocore.exceptions import ClientError  # noqa: PLC0415

    try:
        client.update_continuous_backups(
            TableName=name, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
        )
    except ClientError as error:
        if error.response["Error"]["Code"] not in UNSUPPORTED:
            raise


UNSUPPORTED = frozenset({"UnknownOperationException", "UnsupportedOperation", "NotImplemented"})
