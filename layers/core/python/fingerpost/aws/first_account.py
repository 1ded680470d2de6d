"""`python -m fingerpost.aws.first_account`: the account that a fresh deployment begins with, and its operator's key.

Safe to repeat, for it continues what was interrupted and says the same again; a short domain that the deployment has
got since then is added to the account.
"""

import argparse
import sys

from .. import wiring
from ..access.first_account import make_first_account
from .deployed import NoStack, act_as, stack_outputs


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m fingerpost.aws.first_account", description=__doc__)
    parser.add_argument("--stack", default="fingerpost", help="its name in CloudFormation (default: fingerpost)")
    parser.add_argument("--name", default="First account", help="what to call the account")
    parser.add_argument("--email", required=True, help="the operator's address")
    sent = parser.parse_args(arguments)
    try:
        outputs = stack_outputs(sent.stack)
    except NoStack as error:
        sys.stderr.write(f"{error}\n")
        return 1
    act_as(outputs)
    first = make_first_account(
        wiring.tables(),
        wiring.root_secrets(),
        name=sent.name,
        email=sent.email,
        domain=outputs["ShortDomain"],
        clock=wiring.clock,
    )
    sys.stdout.write(f"account       {first.account}\nAPI           {outputs['ApiUrl']}\n")
    sys.stdout.write(f"short domain  {outputs['ShortDomain']}\noperator key  {first.key}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
