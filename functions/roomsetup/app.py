"""What rooms are set up with: structures, equipment, people, devices, hubs, and what opens the room APIs."""

from collections.abc import Callable
from types import GenericAlias
from typing import Any, NamedTuple

from fingerpost import wiring
from fingerpost.caller import Caller
from fingerpost.edge import Answer, Edge, Request, created, no_content, shown
from fingerpost.errors import Finding, Invalid
from fingerpost.paging import ask_of, listed, lister, loads
from fingerpost.resources import Document, Kind, Resources, Stored, tag_of
from fingerpost.rooms import credentials, devices, hubs, logins, people, plain, structures
from fingerpost.rooms.answers import (
    DeviceDocument,
    EquipmentDocument,
    EvokoGroupDocument,
    HubDocument,
    JoanClientDocument,
    MemberDocument,
    PersonDocument,
    RoomvoxTokenDocument,
    StructureDocument,
)
from fingerpost.rooms.documents import (
    NewEvokoGroup,
    NewHub,
    NewJoanClient,
    NewMember,
    NewPerson,
    NewRoomDevice,
    NewRoomvoxToken,
    NewStructure,
    SentEquipment,
    SentHub,
    SentPerson,
    SentRoomDevice,
    SentStructure,
)
from fingerpost.rooms.kinds import DEVICE, EQUIPMENT, EVOKO_GROUP, HUB, JOAN_CLIENT, PERSON, ROOMVOX_TOKEN, STRUCTURE
from fingerpost.rooms.rooms import Rooms
from fingerpost.sight import WHOLE_ACCOUNT

LIST = ("filter", "perPage", "sortOrder", "nextPageToken")
MEMBERS = "/rooms/hubs/{hubId}/members"
JOAN, ROOMVOX, EVOKO = (f"/rooms/credentials/{api}" for api in ("joan", "roomvox", "evoko"))
SETTINGS, CREDENTIALS = "roomSettings", "roomCredentials"

edge = Edge("roomsetup")
handler = edge.handler


class Belonging(NamedTuple):
    """A kind of document that rooms are set up with: what its five routes read, do and answer."""

    kind: Kind
    title: str  # of one, as in the names of its routes
    plural: str  # in its address
    new: Any
    sent: Any
    answer: Any
    create: Callable[[Caller, Document], Stored]
    update: Callable[[Caller, str, Document], Stored]
    delete: Callable[[Caller, str], None]
    show: Callable[[Stored], Document] = plain.shown


BELONGINGS = (
    Belonging(
        STRUCTURE,
        "structure",
        "structures",
        NewStructure,
        SentStructure,
        StructureDocument,
        structures.create,
        structures.update,
        structures.delete,
    ),
    Belonging(
        EQUIPMENT,
        "equipment",
        "equipment",
        SentEquipment,
        SentEquipment,
        EquipmentDocument,
        lambda caller, fields: plain.create(caller, EQUIPMENT, fields),
        lambda caller, each, fields: plain.update(caller, EQUIPMENT, each, fields, needs=("name",)),
        lambda caller, each: plain.delete(caller, EQUIPMENT, each),
    ),
    Belonging(
        PERSON,
        "person",
        "people",
        NewPerson,
        SentPerson,
        PersonDocument,
        lambda caller, fields: people.create(caller, wiring.root_secrets(), fields),
        lambda caller, each, fields: people.update(caller, wiring.root_secrets(), each, fields),
        people.delete,
        people.shown,
    ),
    Belonging(
        DEVICE,
        "device",
        "devices",
        NewRoomDevice,
        SentRoomDevice,
        DeviceDocument,
        devices.create,
        devices.update,
        devices.delete,
    ),
    Belonging(HUB, "hub", "hubs", NewHub, SentHub, HubDocument, hubs.create, hubs.update, hubs.delete),
)


def _register(each: Belonging) -> None:
    """The five routes of a kind."""
    path, parameter = f"/rooms/{each.plural}", f"{each.title}Id"
    one = f"{path}/{{{parameter}}}"

    def create(request: Request) -> Answer:
        document = each.show(each.create(request.caller, request.read(each.new).sent()))
        return created(document, _address(path, document["id"]), version=tag_of(document["id"]))

    def list_all(request: Request) -> Answer:
        """One page, newest first. These are the account's: who sees any of them sees all."""
        ask = ask_of(request, each.kind.name)
        load = loads(request.caller, each.kind, lambda _document: True)
        list_of = lister(request, each.kind, load, sight=WHOLE_ACCOUNT)
        page = list_of.page(ask)
        return listed(request, page, [each.show(stored) for stored in page.items], count=list_of.count(ask))

    def read(request: Request) -> Answer:
        return shown(Resources(request.caller.tables, each.kind).read(request.parameters[parameter]), each.show)

    def update(request: Request) -> Answer:
        fields = request.read(each.sent).sent()
        return shown(each.update(request.caller, request.parameters[parameter], fields), each.show)

    def delete(request: Request) -> Answer:
        each.delete(request.caller, request.parameters[parameter])
        return no_content()

    for handle in (create, read, update, delete):
        handle.__name__ += f"_{each.title}"
    list_all.__name__ = f"list_{each.plural}"
    list_all.__doc__ = f"All {each.plural}, newest first."
    new, sent, answer, of = each.new, each.sent, each.answer, SETTINGS
    several = GenericAlias(list, answer)
    edge.route("POST", path, verb="create", of=of, body=new, answers=answer, status=201, versioned=True)(create)
    edge.route("GET", path, verb="read", of=of, answers=several, query=LIST, counted=True)(list_all)
    edge.route("GET", one, verb="read", of=of, answers=answer, versioned=True)(read)
    edge.route("PUT", one, verb="update", of=of, body=sent, answers=answer, versioned=True)(update)
    edge.route("DELETE", one, verb="delete", of=of, answers=None, versioned=True)(delete)


for _each in BELONGINGS:
    _register(_each)


# Who is in a hub


@edge.route(
    "POST", MEMBERS, verb="create", of=CREDENTIALS, body=NewMember, answers=MemberDocument, status=201, keeps=False
)
def add_member(request: Request) -> Answer:
    """Let somebody into a hub. The answer holds their key, this once."""
    sent, hub = request.read(NewMember), request.parameters["hubId"]
    stored, key = hubs.add_member(request.caller, wiring.root_secrets(), hub, **sent.model_dump())
    return _told(f"/rooms/hubs/{hub}/members", stored, key=key)


@edge.route("GET", MEMBERS, verb="read", of=CREDENTIALS, answers=list[MemberDocument])
def list_members(request: Request) -> Answer:
    """Everybody in a hub, the first who came first."""
    hub = Resources(request.caller.tables, HUB).read(request.parameters["hubId"])
    return Answer(document=[plain.shown(each) for each in hubs.members_of(request.caller.tables, hub.id)])


@edge.route("DELETE", f"{MEMBERS}/{{memberId}}", verb="delete", of=CREDENTIALS, answers=None)
def remove_member(request: Request) -> Answer:
    """Show somebody out: their key opens nothing from now on."""
    hubs.remove_member(request.caller, request.parameters["hubId"], request.parameters["memberId"])
    return no_content()


# What opens the room APIs


@edge.route(
    "POST",
    JOAN,
    verb="create",
    of=CREDENTIALS,
    body=NewJoanClient,
    answers=JoanClientDocument,
    status=201,
    keeps=False,
)
def create_joan_client(request: Request) -> Answer:
    """A client of the Joan API. The answer holds its secret, this once."""
    name = request.read(NewJoanClient).name
    stored, secret = credentials.create_joan_client(request.caller, wiring.root_secrets(), name)
    return _told(JOAN, stored, clientSecret=secret)


@edge.route("GET", JOAN, verb="read", of=CREDENTIALS, answers=list[JoanClientDocument], counted=True)
def list_joan_clients(request: Request) -> Answer:
    return _all(request, JOAN_CLIENT)


@edge.route("DELETE", f"{JOAN}/{{clientId}}", verb="delete", of=CREDENTIALS, answers=None)
def revoke_joan_client(request: Request) -> Answer:
    """The client and its tokens open nothing from now on."""
    credentials.revoke(request.caller, JOAN_CLIENT, request.parameters["clientId"])
    return no_content()


@edge.route(
    "POST",
    ROOMVOX,
    verb="create",
    of=CREDENTIALS,
    body=NewRoomvoxToken,
    answers=RoomvoxTokenDocument,
    status=201,
    keeps=False,
)
def create_roomvox_token(request: Request) -> Answer:
    """A token of the RoomVox API. The answer holds it, this once."""
    sent, caller = request.read(NewRoomvoxToken), request.caller
    rooms = sent.rooms or []
    found = Rooms(caller.tables, request.principal.sight).get_many(rooms)
    for each in rooms:
        if each not in found:
            raise plain.unknown("rooms", each)
    if sent.expiresAt is not None and sent.expiresAt <= caller.at:
        message = "a token ends in the future"
        raise Invalid(f"expiresAt: {message}", details=[Finding(field="expiresAt", message=message)])
    stored, token = credentials.create_roomvox_token(
        caller, wiring.root_secrets(), sent.name, sent.scope, rooms=rooms, expires_at=sent.expiresAt
    )
    return _told(ROOMVOX, stored, token=token)


@edge.route("GET", ROOMVOX, verb="read", of=CREDENTIALS, answers=list[RoomvoxTokenDocument], counted=True)
def list_roomvox_tokens(request: Request) -> Answer:
    """All tokens, each with its prefix and when it was last used, to five minutes."""
    return _all(request, ROOMVOX_TOKEN)


@edge.route("DELETE", f"{ROOMVOX}/{{tokenId}}", verb="delete", of=CREDENTIALS, answers=None)
def revoke_roomvox_token(request: Request) -> Answer:
    """The token opens nothing from now on."""
    credentials.revoke(request.caller, ROOMVOX_TOKEN, request.parameters["tokenId"])
    return no_content()


@edge.route(
    "POST",
    EVOKO,
    verb="create",
    of=CREDENTIALS,
    body=NewEvokoGroup,
    answers=EvokoGroupDocument,
    status=201,
    keeps=False,
)
def create_evoko_group(request: Request) -> Answer:
    """A client group of the panels' server. The answer holds its token, this once."""
    stored, token = logins.create_group(request.caller, wiring.root_secrets(), request.read(NewEvokoGroup).name)
    return _told(EVOKO, stored, groupToken=token)


@edge.route("GET", EVOKO, verb="read", of=CREDENTIALS, answers=list[EvokoGroupDocument], counted=True)
def list_evoko_groups(request: Request) -> Answer:
    return _all(request, EVOKO_GROUP)


@edge.route("DELETE", f"{EVOKO}/{{groupId}}", verb="delete", of=CREDENTIALS, answers=None)
def revoke_evoko_group(request: Request) -> Answer:
    """The group's token lets nobody in from now on."""
    logins.delete_group(request.caller, request.parameters["groupId"])
    return no_content()


def _address(path: str, resource_id: str) -> str:
    return f"{wiring.settings().api_url}{path}/{resource_id}"


def _told(path: str, stored: Stored, **secret: str) -> Answer:
    """A credential with what is shown this once."""
    return created({**plain.shown(stored), **secret}, _address(path, stored.id))


def _all(request: Request, kind: Kind) -> Answer:
    """Every credential of a kind, oldest first."""
    stored = plain.all_of(request.caller.tables, kind)
    used = credentials.last_used(wiring.tables(), stored) if kind is ROOMVOX_TOKEN else {}
    times = {credential: {"lastUsedAt": at} for credential, at in used.items()}
    documents = [{**plain.shown(each), **times.get(each.id, {})} for each in stored]
    return Answer(document=documents, headers={"x-result-count": str(len(documents))})
