"""`fingerpost rooms tokens`, `people`, `hubs`: what opens the room APIs, and for whom."""

from typing import Annotated, Any, Literal

import typer

from .command import Session, command, group
from .failure import Usage
from .reading import MOMENT_HELP, moment_of
from .rooms import find_room, quoted, rooms

tokens = group("What opens the room APIs: Joan clients, RoomVox tokens, Evoko groups.")
people = group("Who uses rooms, by PIN, RFID or password.")
hubs = group("Meeting hubs and their members.")
rooms.add_typer(tokens, name="tokens")
rooms.add_typer(people, name="people")
rooms.add_typer(hubs, name="hubs")

type Api = Literal["joan", "roomvox", "evoko"]
APIS: tuple[Api, ...] = ("joan", "roomvox", "evoko")
SECRETS = ("clientSecret", "token", "groupToken", "key")

WhichApi = Annotated[str, typer.Argument(metavar="API", help="joan, roomvox or evoko.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
Secret = Annotated[str | None, typer.Option(help="Nobody is shown it again.")]


@command(tokens, "list")
def list_tokens(session: Session) -> None:
    """Everything that opens a room API, and none of what is secret of it."""
    rows = [{"api": api, **each} for api in APIS for each in session.client.get(f"/rooms/credentials/{api}")]
    session.terminal.answer(
        rows,
        lambda: session.terminal.table(
            ("api", "name", "scope", "begins with", "id"),
            [
                (row["api"], row["name"], row.get("scope"), row.get("prefix") or row.get("clientId"), row["id"])
                for row in rows
            ],
        ),
    )


@command(tokens, "add")
def add_token(
    session: Session,
    api: WhichApi,
    name: Annotated[str, typer.Argument(help="What it is for.")],
    scope: Annotated[str, typer.Option(help="Of a RoomVox token: read, book or admin.")] = "read",
    room: Annotated[list[str] | None, typer.Option(help="A RoomVox token reaches these rooms alone.")] = None,
    expires: Annotated[str | None, typer.Option(help=f"When a RoomVox token ends: {MOMENT_HELP}")] = None,
) -> None:
    """Make one and print it, this once."""
    body: dict[str, Any] = {"name": name}
    if _api(api) == "roomvox":
        body |= {"scope": scope, "rooms": [find_room(session, each)["id"] for each in room or ()]}
        if expires is not None:
            body["expiresAt"] = moment_of(expires, "--expires")
    told(session, session.client.post(f"/rooms/credentials/{api}", body))


@command(tokens, "revoke")
def revoke_token(
    session: Session,
    api: WhichApi,
    token: Annotated[str, typer.Argument(metavar="ID", help="Its id, as `list` shows it.")],
    yes: Yes = False,
) -> None:
    """It opens nothing from now on."""
    if not yes and not session.terminal.confirm(f"End {token}?"):
        raise Usage("Nothing was changed", then="Say --yes to do it without being asked")
    session.client.delete(f"/rooms/credentials/{_api(api)}/{token}")
    session.terminal.answer({"revoked": token}, lambda: session.terminal.say(f"{token} opens nothing any more"))


@command(people, "list")
def list_people(session: Session) -> None:
    """Everybody, newest first."""
    rows = session.client.items("/rooms/people")
    has = (("hasPin", "PIN"), ("hasRfid", "RFID"), ("hasPassword", "password"))
    session.terminal.answer(
        rows,
        lambda: session.terminal.table(
            ("name", "e-mail", "username", "has", "id"),
            [
                (
                    row["name"],
                    row.get("email"),
                    row.get("username"),
                    ", ".join(word for name, word in has if row[name]),
                    row["id"],
                )
                for row in rows
            ],
        ),
    )


@command(people, "add")
def add_person(
    session: Session,
    name: Annotated[str, typer.Argument(help="Of the person.")],
    email: Annotated[str | None, typer.Option()] = None,
    pin: Secret = None,
    rfid: Secret = None,
    username: Annotated[str | None, typer.Option(help="To log in with.")] = None,
    password: Secret = None,
    admin: Annotated[bool, typer.Option("--admin", help="May log in to the panels' server.")] = False,
) -> None:
    """Add somebody."""
    sent = {"name": name, "email": email, "pin": pin, "rfid": rfid, "username": username, "password": password}
    body = {field: value for field, value in sent.items() if value is not None} | ({"admin": True} if admin else {})
    told(session, session.client.post("/rooms/people", body))


@command(people, "set")
def set_person(
    session: Session,
    person: Annotated[str, typer.Argument(metavar="PERSON", help="By id or e-mail address.")],
    pin: Annotated[str | None, typer.Option(help="Empty takes it away.")] = None,
    rfid: Annotated[str | None, typer.Option(help="Empty takes it away.")] = None,
    password: Annotated[str | None, typer.Option(help="Empty takes it away.")] = None,
) -> None:
    """Give somebody another PIN, RFID or password; it counts at once."""
    given = {"pin": pin, "rfid": rfid, "password": password}
    body = {field: value or None for field, value in given.items() if value is not None}
    told(session, session.client.put(f"/rooms/people/{_person(session, person)['id']}", body))


@command(people, "remove")
def remove_person(
    session: Session,
    person: Annotated[str, typer.Argument(metavar="PERSON", help="By id or e-mail address.")],
    yes: Yes = False,
) -> None:
    """Remove somebody: nothing of theirs opens anything any more."""
    found = _person(session, person)
    if not yes and not session.terminal.confirm(f"Remove {found['name']}?"):
        raise Usage("Nothing was changed", then="Say --yes to do it without being asked")
    session.client.delete(f"/rooms/people/{found['id']}")
    session.terminal.answer({"removed": found["id"]}, lambda: session.terminal.say(f"{found['name']} is removed"))


@command(hubs, "list")
def list_hubs(session: Session) -> None:
    """Every hub with its members."""
    rows = [
        {**hub, "members": session.client.get(f"/rooms/hubs/{hub['id']}/members")}
        for hub in session.client.items("/rooms/hubs")
    ]
    session.terminal.answer(
        rows,
        lambda: session.terminal.table(
            ("hub", "area", "member", "privilege", "id"),
            [
                (hub["name"], hub["area"], member.get("email"), member.get("privilege"), member.get("id", hub["id"]))
                for hub in rows
                for member in (hub["members"] or [{}])
            ],
        ),
    )


@command(hubs, "add")
def add_hub(
    session: Session,
    name: Annotated[str, typer.Argument(help="What it is called.")],
    room: Annotated[str | None, typer.Option(help="What is booked in the hub reserves this room.")] = None,
    area: Annotated[str, typer.Option(help="private, share or public.")] = "private",
) -> None:
    """Make a hub."""
    tied = {"room": find_room(session, room)["id"]} if room else {}
    told(session, session.client.post("/rooms/hubs", {"name": name, "area": area, **tied}))


@command(hubs, "let-in")
def let_in(
    session: Session,
    hub: Annotated[str, typer.Argument(metavar="HUB", help="By id or name.")],
    name: Annotated[str, typer.Argument(help="Of the member.")],
    email: Annotated[str, typer.Argument(help="Of the member.")],
    privilege: Annotated[str, typer.Option(help="read, write, admin or owner.")] = "read",
) -> None:
    """Let somebody into a hub, and print their key, this once."""
    body = {"name": name, "email": email, "privilege": privilege}
    told(session, session.client.post(f"/rooms/hubs/{_hub(session, hub)}/members", body))


@command(hubs, "show-out")
def show_out(
    session: Session,
    hub: Annotated[str, typer.Argument(metavar="HUB", help="By id or name.")],
    member: Annotated[str, typer.Argument(metavar="ID", help="The member's id, as `list` shows it.")],
) -> None:
    """Their key opens nothing from now on."""
    session.client.delete(f"/rooms/hubs/{_hub(session, hub)}/members/{member}")
    session.terminal.answer({"removed": member}, lambda: session.terminal.say("Their key opens nothing any more"))


def told(session: Session, made: dict[str, Any]) -> None:
    """A document; what of it is shown this once stands last."""
    shown = {name: value for name, value in made.items() if name not in ("createdAt", "updatedAt", *SECRETS)}
    secret = {name: made[name] for name in SECRETS if name in made}

    def for_people() -> None:
        session.terminal.facts(
            [(name, ", ".join(each) if isinstance(each, list) else each) for name, each in (shown | secret).items()]
        )
        if secret:
            session.terminal.note("Nobody is shown this again; keep it now.")

    session.terminal.answer(made, for_people)


def _api(given: str) -> str:
    if given not in APIS:
        raise Usage(f"There is no API {given}", then=f"Say one of {', '.join(APIS)}")
    return given


def _person(session: Session, given: str) -> dict[str, Any]:
    return named(session, "/rooms/people", given, "email", "Nobody is called", "fingerpost rooms people list")


def _hub(session: Session, given: str) -> str:
    return str(named(session, "/rooms/hubs", given, "name", "There is no hub", "fingerpost rooms hubs list")["id"])


def named(session: Session, path: str, given: str, field: str, missing: str, see: str) -> dict[str, Any]:
    """By id, or by the field. Raises Usage."""
    found = session.client.items(path, {"filter": f"{field}={quoted(given)}"}, limit=2)
    if len(found) == 1:
        return dict(found[0])
    if not found and (document := session.client.find(f"{path}/{given}")) is not None:
        return dict(document)
    raise Usage(f"{missing} {given}" if not found else f"Several are called {given}", then=f"See {see}")
