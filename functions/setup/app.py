"""Makes the first account of a deployment, when its parameters ask for one. CloudFormation calls it."""

from fingerpost.access.deployment import account_of_deployment
from fingerpost.aws.custom_resource import Request, fulfil


def handler(event: Request, _context: object = None) -> None:
    """Create and Update see to it that the account is there; Delete deletes nothing."""
    fulfil(event, lambda asked: account_of_deployment(asked["ResourceProperties"], asked["RequestId"]))
