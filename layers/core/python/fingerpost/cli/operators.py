"""`fingerpost operators`: who operates the account, with which role, and their keys."""

from typing import Annotated, Any

import typer

from .accounts import own_account
from .command import Session, command, group
from .failure import Usage
from .keys import hidden

operators = group("Who operates the account, with which role and key.")

Named = Annotated[str, typer.Argument(metavar="OPERATOR", help="By email, by id, or by the id of the access.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


@command(operators, "list")
def list_operators(session: Session) -> None:
    """Every operator of the account, newest first."""
    rows = _all(session)
    session.terminal.answer(
        rows,
        lambda: session.terminal.table(
            ("email", "role", "operator", "key"),
            [(row.get("email"), row["role"], row["operator"], hidden(row.get("apiKey"))) for row in rows],
        ),
    )


@command(operators, "add")
def add_operator(
    session: Session,
    email: Annotated[str, typer.Argument(help="By which they are known.")],
    role: Annotated[str, typer.Option(help="admin, none, or the id of an operator role.")] = "none",
) -> None:
    """Add an operator, and print the key that is theirs."""
    made = session.client.post(_address(session), {"email": email, "role": role})
    _print_key(session, made, f"{email} operates the account with the role {made['role']}")


@command(operators, "role")
def set_role(
    session: Session,
    operator: Named,
    role: Annotated[str, typer.Argument(help="admin, none, or the id of an operator role.")],
) -> None:
    """Give an operator another role; it counts from the next request on."""
    access = _one(session, operator)
    changed = session.client.put(f"{_address(session)}/{access['id']}", {"role": role})
    session.terminal.answer(
        changed,
        lambda: session.terminal.say(f"{_name(access)} has the role {changed['role']} now, not {access['role']}"),
    )


@command(operators, "rotate")
def rotate_key(session: Session, operator: Named, yes: Yes = False) -> None:
    """A new key for an operator; the one so far stops working at once."""
    access = _one(session, operator)
    if not yes and not session.terminal.confirm(f"End the key of {_name(access)}?"):
        raise Usage("Nothing was changed", then="Say --yes to do it without being asked")
    made = session.client.post(f"{_address(session)}/{access['id']}/keys", {})
    _print_key(session, made, f"The key of {_name(access)} so far is no longer valid")


@command(operators, "remove")
def remove_operator(session: Session, operator: Named, yes: Yes = False) -> None:
    """Remove an operator: the key ends at once."""
    access = _one(session, operator)
    if not yes and not session.terminal.confirm(f"Remove {_name(access)} from the account?"):
        raise Usage("Nobody was removed", then="Say --yes to do it without being asked")
    session.client.delete(f"{_address(session)}/{access['id']}")
    session.terminal.answer(
        {"removed": access["operator"]}, lambda: session.terminal.say(f"{_name(access)} is removed from the account")
    )


def _address(session: Session) -> str:
    return f"/accounts/{own_account(session)}/accesses"


def _all(session: Session) -> list[dict[str, Any]]:
    """Every access, with the email of its operator."""
    found: list[dict[str, Any]] = []
    for access in session.client.items(_address(session)):
        operator = session.client.get(f"/operators/{access['operator']}")
        found.append({**access, "email": operator.get("email")})
    return found


def _one(session: Session, named: str) -> dict[str, Any]:
    """Raises Usage unless exactly one operator is meant."""
    everybody = _all(session)
    match [each for each in everybody if named in (each["id"], each["operator"], each["email"])]:
        case [only]:
            return only
        case []:
            known = ", ".join(map(_name, everybody[:10]))
            raise Usage(f"Nobody called {named} operates the account", then=f"Name one of {known}")
        case several:
            ids = ", ".join(each["operator"] for each in several)
            raise Usage(f"{len(several)} operators are called {named}", then=f"Name one by its id: {ids}")


def _name(access: dict[str, Any]) -> str:
    return str(access.get("email") or access["operator"])


def _print_key(session: Session, access: dict[str, Any], says: str) -> None:
    def for_people() -> None:
        session.terminal.say(says)
        session.terminal.facts([("operator", access["operator"]), ("key", access["apiKey"])])
        session.terminal.note("Who has this key is this operator; hand it over on a safe way.")

    session.terminal.answer(access, for_people)
