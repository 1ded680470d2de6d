"""Makes the first account of a deployment, when its parameters ask for one. CloudFormation calls it."""

from fingerpost.aws.custom_resource import Request, fulfil
from fingerpost.aws.setup import first_account


def handler(event: Request, _context: object = None) -> None:
    """Create and Update see to it that the account is there; Delete deletes nothing."""
    fulfil(event, first_account)
