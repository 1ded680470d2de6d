"""A resource of our own in a CloudFormation stack: what it is asked, and how the answer gets back.

Whoever has the URL of an answer can answer in our place until it expires: it is sent to AWS alone, and stands in no log
and no error. Source: AWS CloudFormation User Guide, "Custom resource request and response reference".
"""

import json
import os
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from ..errors import FingerpostError
from ..log import error, line
from ..outgoing import Failed, Outgoing, Refused
from ..retry import attempts

MAX_REASON = 500  # an answer has at most 4,096 bytes
TRIES = 6
OF_AWS = (".amazonaws.com", ".amazonaws.com.cn")

type Request = Mapping[str, Any]
type Provide = Callable[[Request], str]  # what Create and Update ask for -> the id of what there is then


class NotAnswered(Exception):
    """CloudFormation did not take the answer; Lambda calls again."""


def fulfil(request: Request, provide: Provide) -> None:
    """Do what is asked and say how that went. Delete keeps what there is. Raises NotAnswered."""
    begun = request.get("PhysicalResourceId", request["LogicalResourceId"])
    told = {"Status": "SUCCESS", "PhysicalResourceId": begun}
    if request["RequestType"] != "Delete":
        try:
            told["PhysicalResourceId"] = provide(request)
        except Exception as failure:  # whatever it was: without an answer the stack waits for an hour
            error("a resource could not be made", resource=request["LogicalResourceId"], error=repr(failure))
            known = isinstance(failure, FingerpostError)
            told |= {"Status": "FAILED", "Reason": _reason(str(failure) if known else type(failure).__name__)}
    _answer(request, told)
    line("INFO", "answered CloudFormation", asked=request["RequestType"], status=told["Status"])


def _reason(said: str) -> str:
    return f"{said[:MAX_REASON]} (more in the log of {os.environ.get('AWS_LAMBDA_FUNCTION_NAME', 'this function')})"


def _answer(request: Request, told: Mapping[str, str]) -> None:
    echoed = {name: request[name] for name in ("StackId", "RequestId", "LogicalResourceId")}
    content = json.dumps({**told, **echoed}).encode()
    door, url = _door(request["ResponseURL"]), request["ResponseURL"]
    said = ""
    for _ in attempts(TRIES, base_ms=100, cap_ms=2_000):
        try:
            answered = door.send("PUT", url, headers={"Content-Type": ""}, content=content)
        except Failed as failure:
            said = str(failure)
            continue
        if answered.status == 200:
            return
        said = f"status {answered.status}"
        if answered.status < 500:
            break
    raise NotAnswered(f"CloudFormation did not take the answer: {said}")


def _door(url: str) -> Outgoing:
    """What leads to AWS, or to what stands in its place as botocore has it (AWS_ENDPOINT_URL). Raises Refused."""
    stands = os.environ.get("AWS_ENDPOINT_URL")
    if stands and url.startswith(f"{stands}/"):
        return Outgoing(permits=lambda _address: True)
    parts = urlsplit(url)
    if parts.scheme != "https" or not (parts.hostname or "").endswith(OF_AWS):
        raise Refused("the URL for the answer is not one of AWS")
    return Outgoing()
