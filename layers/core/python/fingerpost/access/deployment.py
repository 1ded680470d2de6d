"""What a deployment begins with when its parameters say so: an account, its operator, and the key in a secret."""

from typing import Any

from .. import wiring
from ..body import validated
from ..fields import Email, Name, SentDocument
from .first_account import make_first_account


class FirstAccountProperties(SentDocument):
    """Of `Custom::FirstAccount` in the stack. Name and e-mail count the first time."""

    Name: Name
    Email: Email
    ShortDomain: str


def account_of_deployment(properties: Any, request: str) -> str:
    """The account's id. Its operator's key goes into the stack's secret and nowhere else. Raises Invalid.

    `request` is the same when the same is asked again.
    """
    asked = validated(FirstAccountProperties, properties)
    first = make_first_account(
        wiring.tables(),
        wiring.root_secrets(),
        name=asked.Name,
        email=asked.Email,
        domain=asked.ShortDomain,
        clock=wiring.clock,
    )
    wiring.keep_first_key(first.key, request)
    return first.account
