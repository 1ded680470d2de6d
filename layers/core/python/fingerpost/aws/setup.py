"""What a deployment begins with when its parameters say so: an account, its operator, and the key in a secret."""

import os

import boto3

from .. import wiring
from ..access.first_account import make_first_account
from ..body import validated
from ..fields import Email, Name, SentDocument
from .custom_resource import Request


class FirstAccountProperties(SentDocument):
    """Of `Custom::FirstAccount`. Name and e-mail count the first time."""

    Name: Name
    Email: Email
    ShortDomain: str


def first_account(request: Request) -> str:
    """The account's id. Raises Invalid. Its operator's key goes into the stack's secret and nowhere else."""
    asked = validated(FirstAccountProperties, request["ResourceProperties"])
    first = make_first_account(
        wiring.tables(),
        wiring.root_secrets(),
        name=asked.Name,
        email=asked.Email,
        domain=asked.ShortDomain,
        clock=wiring.clock,
    )
    boto3.client("secretsmanager").put_secret_value(
        SecretId=os.environ["FINGERPOST_KEY_SECRET_ID"],
        SecretString=first.key,
        ClientRequestToken=request["RequestId"],  # the same request again makes no second version
    )
    return first.account
