"""Application users, how they sign in and out, the roles they give each other; and the keys of devices."""

from fingerpost import wiring
from fingerpost.access import devices, facebook, grants, sessions, users
from fingerpost.access.store import USER
from fingerpost.access.user_documents import (
    NewUser,
    SentActivation,
    SentDevice,
    SentGrant,
    SentLogin,
    SentSocialLogin,
    SentUser,
)
from fingerpost.edge import Answer, Edge, Request, created, no_content
from fingerpost.openapi import LIST
from fingerpost.paging import ask_of, listed, lister, loads, narrowed, sight_of

edge = Edge("users")
handler = edge.handler

SIGNED_IN = 201  # what the platform answers whenever a key is given out


@edge.route(
    "POST",
    "/auth/evrythng/users",
    verb="create",
    of="signIn",
    keeps=False,
    body=NewUser,
    status=201,
    query=("anonymous",),
)
def create_user(request: Request) -> Answer:
    """With `?anonymous=true` one without a name, who needs no activation and has a key at once."""
    if request.flag("anonymous"):
        document = users.create_anonymous(request.caller, wiring.root_secrets())
    else:
        document = users.create(request.caller, request.read(NewUser), wiring.root_secrets())
    return created(document, f"{wiring.settings().api_url}/users/{document['evrythngUser']}")


@edge.route(
    "POST",
    "/auth/evrythng/users/{userId}/validate",
    verb="create",
    of="signIn",
    keeps=False,
    body=SentActivation,
    status=201,
)
def validate_user(request: Request) -> Answer:
    """Activate a user by the code that its creation answered; the user has a key then."""
    sent = request.read(SentActivation)
    document = users.activate(request.caller, request.parameters["userId"], sent, wiring.root_secrets())
    return Answer(status=SIGNED_IN, document=document)


@edge.route("POST", "/auth/evrythng", verb="create", of="signIn", keeps=False, body=SentLogin, status=201)
def log_in(request: Request) -> Answer:
    """A new key; those of earlier logins stay valid until they are logged out."""
    stored, key = users.log_in(request.caller, request.read(SentLogin))
    return Answer(status=SIGNED_IN, document=users.login_document(stored, key))


@edge.route("POST", "/users/login", verb="create", of="signIn", keeps=False, body=SentLogin, status=201)
def log_in_with_access(request: Request) -> Answer:
    """The same, answering the user with the access that the key has."""
    stored, key = users.log_in(request.caller, request.read(SentLogin))
    return Answer(status=SIGNED_IN, document=users.with_access(request.caller, stored, key))


@edge.route("POST", "/auth/facebook", verb="create", of="signIn", keeps=False, body=SentSocialLogin, status=201)
def sign_in_with_facebook(request: Request) -> Answer:
    """The user of a Facebook account, made at the first time, by a token of the application's own Facebook app."""
    sent = request.read(SentSocialLogin)
    document = facebook.sign_in(request.caller, sent, wiring.graph(), wiring.root_secrets())
    return Answer(status=SIGNED_IN, document=document)


@edge.route("POST", "/auth/all/logout", verb="create", of="logout", status=201)
def log_out(request: Request) -> Answer:
    """End the key that sends this; others of the same user stay."""
    sessions.end_session(request.caller)
    return Answer(status=201, document={"logout": "ok"})


@edge.route("GET", "/users", verb="read", of="users", query=LIST)
@edge.route("GET", "/auth/evrythng/users", verb="read", of="users", query=LIST)
def list_users(request: Request) -> Answer:
    """The users that the key sees; an application's key sees the application's own."""
    application = request.principal.app
    sight = sight_of(request)
    ask = ask_of(request, "user")
    ask = narrowed(ask, "app", application) if application else ask
    list_of = lister(request, USER, loads(request.caller, USER, sight.sees), sight=sight)
    page = list_of.page(ask)
    scopes = request.flag("withScopes")
    documents = [users.shown(each, with_scopes=scopes) for each in page.items]
    return listed(request, page, documents, count=list_of.count(ask))


@edge.route("GET", "/users/{userId}", verb="read", of="users", query=("withScopes",))
def read_user(request: Request) -> Answer:
    stored = users.read(request.caller, request.parameters["userId"])
    return Answer(document=users.shown(stored, with_scopes=request.flag("withScopes")))


@edge.route("PUT", "/users/{userId}", verb="update", of="users", body=SentUser)
def update_user(request: Request) -> Answer:
    """A user who sends a new `password` sends the old one as `oldPassword`."""
    return Answer(document=users.update(request.caller, request.parameters["userId"], request.read(SentUser)))


@edge.route("DELETE", "/users/{userId}", verb="delete", of="users")
def delete_user(request: Request) -> Answer:
    users.delete(request.caller, request.parameters["userId"])
    return no_content()


@edge.route("GET", "/users/{userId}/status", verb="read", of="userStatus")
def read_user_status(request: Request) -> Answer:
    """Whether a user is activated; until then with the code."""
    return Answer(document=users.status(request.caller, request.parameters["userId"], wiring.root_secrets()))


@edge.route("POST", "/accesses", verb="create", of="userAccesses", body=SentGrant, status=201)
def give_role(request: Request) -> Answer:
    """Give another user of the application a role that one's own role sees."""
    document = grants.give(request.caller, request.read(SentGrant))
    return created(document, f"{wiring.settings().api_url}/accesses/{document['id']}")


@edge.route("GET", "/accesses", verb="read", of="userAccesses")
def list_accesses(request: Request) -> Answer:
    """One's own, and the roles that were given to one and by one."""
    return Answer(document=grants.accesses(request.caller))


@edge.route("DELETE", "/accesses/{accessId}", verb="delete", of="userAccesses", status=204)
def take_role_back(request: Request) -> Answer:
    grants.take_back(request.caller, request.parameters["accessId"])
    return Answer(status=204)


@edge.route(
    "POST",
    "/auth/evrythng/thngs",
    verb="create",
    of="deviceKeys",
    keeps=False,
    body=SentDevice,
    status=201,
    query=("project",),
)
def create_device_key(request: Request) -> Answer:
    """The same key when there is one already."""
    thng_id, project = request.read(SentDevice).thngId, request.query.get("project")
    document = devices.create(request.caller, thng_id, project, wiring.root_secrets())
    return created(document, f"{wiring.settings().api_url}/auth/evrythng/thngs/{thng_id}")


@edge.route("GET", "/auth/evrythng/thngs/{thngId}", verb="read", of="deviceKeys", query=("project",))
def read_device_key(request: Request) -> Answer:
    thng_id, project = request.parameters["thngId"], request.query.get("project")
    return Answer(document=devices.read(request.caller, thng_id, project, wiring.root_secrets()))


@edge.route("DELETE", "/auth/evrythng/thngs/{thngId}", verb="delete", of="deviceKeys", query=("project",))
def delete_device_key(request: Request) -> Answer:
    devices.delete(request.caller, request.parameters["thngId"], request.query.get("project"))
    return no_content()
