"""A deployed stack as its operators' commands see it: what it put out, made known to the adapters of this process."""

import os

import boto3
from botocore.exceptions import BotoCoreError, ClientError

VARIABLES = {
    "MainTable": "FINGERPOST_MAIN_TABLE",
    "LogTable": "FINGERPOST_LOG_TABLE",
    "RootSecret": "FINGERPOST_SECRET_ID",
    "ShortDomain": "FINGERPOST_SHORT_DOMAIN",
    "ApiUrl": "FINGERPOST_API_URL",
}


class NoStack(Exception):
    """There is no such stack, it is not complete, or AWS does not let us see it; the message says which."""


def stack_outputs(name: str) -> dict[str, str]:
    """What `sam deploy` listed as outputs, by name. Region and credentials are those of the AWS CLI. Raises NoStack."""
    try:
        found = boto3.client("cloudformation").describe_stacks(StackName=name)["Stacks"][0]
    except (BotoCoreError, ClientError) as error:
        raise NoStack(f"cannot see a stack {name}: {error}") from error
    outputs = {each["OutputKey"]: each["OutputValue"] for each in found.get("Outputs", ())}
    if missing := sorted(VARIABLES.keys() - outputs.keys()):
        raise NoStack(f"the stack {name} is {found['StackStatus']} and lacks {', '.join(missing)}")
    return outputs


def act_as(outputs: dict[str, str]) -> None:
    """Let this process's `wiring` use the stack's tables and secret, in the region of the AWS CLI's configuration."""
    os.environ.update({variable: outputs[output] for output, variable in VARIABLES.items()})
    if region := boto3.session.Session().region_name:
        os.environ.setdefault("AWS_REGION", region)
