"""`python -m fingerpost.aws.first_account`: the account that a fresh deployment begins with, and its operator's key.

Safe to repeat, for it continues what was interrupted and says the same again; a short domain that the deployment has
got since then is added to the account.
"""

import argparse
import sys

from .. import keys, wiring
from ..access import service as access
from ..access.secrets import RootSecrets
from ..access.store import ACCOUNT
from ..clock import Clock
from ..ids import new_id
from ..ports.table import Absent, ConditionFailed, Item, Tables
from ..resources import Resources
from ..shapes import stamp
from .deployed import NoStack, act_as, stack_outputs


def make_first_account(
    tables: Tables, roots: RootSecrets, *, name: str, email: str, domain: str, clock: Clock
) -> tuple[str, str]:
    """The account's id and its operator's API key. `tables` are unscoped. Name and e-mail count the first time."""
    row = _begun(tables, roots, name, email, clock())
    account, operator, at = row["account"], row["operator"], row["at"]
    access.create_account(tables, account=account, name=row["name"], domain=domain, at=at)
    domains = Resources(tables.of(account), ACCOUNT).read(account).document["shortDomains"]
    if domain not in domains:
        access.set_account(tables, account, shortDomains=[domain, *domains])
    key = roots.api_key("operator", account, operator, root=row["root"], version=1)
    access.create_operator(tables, account=account, operator=operator, key=key, email=row["email"], at=at)
    return account, key


def _begun(tables: Tables, roots: RootSecrets, name: str, email: str, at: int) -> Item:
    """The row that says which account is the first; one of several at once writes it."""
    ids = {"account": new_id(at), "operator": new_id(at), "at": at, "root": roots.current}
    row: Item = {**stamp("firstAccount"), **ids, "name": name, "email": email}
    try:
        tables.main.put(keys.first_account(), row, when=(Absent(),))
    except ConditionFailed as failure:
        assert failure.old is not None
        return failure.old
    return row


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
    account, key = make_first_account(
        wiring.tables(),
        wiring.root_secrets(),
        name=sent.name,
        email=sent.email,
        domain=outputs["ShortDomain"],
        clock=wiring.clock,
    )
    sys.stdout.write(f"account       {account}\nAPI           {outputs['ApiUrl']}\n")
    sys.stdout.write(f"short domain  {outputs['ShortDomain']}\noperator key  {key}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
