"""Application users, how they sign in and out, the roles they give each other; roles; and the keys of devices."""

from dataclasses import replace
from functools import partial

from fingerpost import wiring
from fingerpost.access import devices, facebook, grants, permissions, roles, sessions, users
from fingerpost.access.answers import (
    DeviceKey,
    Login,
    Logout,
    OperatorPermission,
    Permission,
    Role,
    SignedIn,
    SocialLogin,
    User,
    UserAccess,
    UserStatus,
)
from fingerpost.access.role_documents import NewRole, SentOperatorPermission, SentPermission, SentRole
from fingerpost.access.store import ROLE, USER
from fingerpost.access.user_documents import (
    NewUser,
    SentActivation,
    SentDevice,
    SentGrant,
    SentLogin,
    SentSocialLogin,
    SentUser,
)
from fingerpost.edge import Answer, Edge, Request, created, no_content, shown
from fingerpost.openapi import LIST
from fingerpost.paging import ask_of, listed, lister, loads, narrowed, sight_of
from fingerpost.resources import Stored
from fingerpost.rules.nodes import matches
from fingerpost.sight import WHOLE_ACCOUNT

type Permissions = list[Permission] | list[OperatorPermission]
type SentPermissions = list[SentPermission] | list[SentOperatorPermission]

edge = Edge("users")
handler = edge.handler

SIGNED_IN = 201  # what the platform answers whenever a key is given out


@edge.route(
    "POST",
    "/auth/evrythng/users",
    verb="create",
    of="signIn",
    keeps=False,
    status=201,
    query=("anonymous",),
    body=NewUser | None,
    answers=Login,
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
    answers=Login,
)
def validate_user(request: Request) -> Answer:
    """Activate a user by the code that its creation answered; the user has a key then."""
    sent = request.read(SentActivation)
    document = users.activate(request.caller, request.parameters["userId"], sent, wiring.root_secrets())
    return Answer(status=SIGNED_IN, document=document)


@edge.route(
    "POST", "/auth/evrythng", verb="create", of="signIn", keeps=False, body=SentLogin, status=201, answers=Login
)
def log_in(request: Request) -> Answer:
    """A new key; those of earlier logins stay valid until they are logged out."""
    stored, key = users.log_in(request.caller, request.read(SentLogin))
    return Answer(status=SIGNED_IN, document=users.login_document(stored, key))


@edge.route(
    "POST", "/users/login", verb="create", of="signIn", keeps=False, body=SentLogin, status=201, answers=SignedIn
)
def log_in_with_access(request: Request) -> Answer:
    """The same, answering the user with the access that the key has."""
    stored, key = users.log_in(request.caller, request.read(SentLogin))
    return Answer(status=SIGNED_IN, document=users.with_access(request.caller, stored, key))


@edge.route(
    "POST",
    "/auth/facebook",
    verb="create",
    of="signIn",
    keeps=False,
    body=SentSocialLogin,
    status=201,
    answers=SocialLogin,
)
def sign_in_with_facebook(request: Request) -> Answer:
    """The user of a Facebook account, made at the first time, by a token of the application's own Facebook app."""
    sent = request.read(SentSocialLogin)
    document = facebook.sign_in(request.caller, sent, wiring.graph(), wiring.root_secrets())
    return Answer(status=SIGNED_IN, document=document)


@edge.route("POST", "/auth/all/logout", verb="create", of="logout", status=201, body=None, answers=Logout)
def log_out(request: Request) -> Answer:
    """End the key that sends this; others of the same user stay."""
    sessions.end_session(request.caller)
    return Answer(status=201, document={"logout": "ok"})


@edge.route("GET", "/users", verb="read", of="users", answers=list[User], counted=True, query=(*LIST, "withScopes"))
@edge.route(
    "GET",
    "/auth/evrythng/users",
    verb="read",
    of="users",
    answers=list[User],
    counted=True,
    query=(*LIST, "withScopes"),
)
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


@edge.route("GET", "/users/{userId}", verb="read", of="users", query=("withScopes",), answers=User, versioned=True)
def read_user(request: Request) -> Answer:
    stored = users.read(request.caller, request.parameters["userId"])
    return shown(stored, partial(users.shown, with_scopes=request.flag("withScopes")))


@edge.route("PUT", "/users/{userId}", verb="update", of="users", body=SentUser, answers=User, versioned=True)
def update_user(request: Request) -> Answer:
    """A user who sends a new `password` sends the old one as `oldPassword`."""
    return shown(users.update(request.caller, request.parameters["userId"], request.read(SentUser)), users.shown)


@edge.route("DELETE", "/users/{userId}", verb="delete", of="users", answers=None, versioned=True)
def delete_user(request: Request) -> Answer:
    users.delete(request.caller, request.parameters["userId"])
    return no_content()


@edge.route("GET", "/users/{userId}/status", verb="read", of="userStatus", answers=UserStatus)
def read_user_status(request: Request) -> Answer:
    """Whether a user is activated; until then with the code."""
    return Answer(document=users.status(request.caller, request.parameters["userId"], wiring.root_secrets()))


@edge.route("POST", "/accesses", verb="create", of="userAccesses", body=SentGrant, status=201, answers=UserAccess)
def give_role(request: Request) -> Answer:
    """Give another user of the application a role that one's own role sees."""
    document = grants.give(request.caller, request.read(SentGrant))
    return created(document, f"{wiring.settings().api_url}/accesses/{document['id']}")


@edge.route("GET", "/accesses", verb="read", of="userAccesses", answers=list[UserAccess])
def list_accesses(request: Request) -> Answer:
    """One's own, and the roles that were given to one and by one."""
    return Answer(document=grants.accesses(request.caller))


@edge.route("DELETE", "/accesses/{accessId}", verb="delete", of="userAccesses", status=204, answers=None)
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
    answers=DeviceKey,
)
def create_device_key(request: Request) -> Answer:
    """The same key when there is one already."""
    thng_id, project = request.read(SentDevice).thngId, request.query.get("project")
    document = devices.create(request.caller, thng_id, project, wiring.root_secrets())
    return created(document, f"{wiring.settings().api_url}/auth/evrythng/thngs/{thng_id}")


@edge.route("GET", "/auth/evrythng/thngs/{thngId}", verb="read", of="deviceKeys", query=("project",), answers=DeviceKey)
def read_device_key(request: Request) -> Answer:
    thng_id, project = request.parameters["thngId"], request.query.get("project")
    return Answer(document=devices.read(request.caller, thng_id, project, wiring.root_secrets()))


@edge.route("DELETE", "/auth/evrythng/thngs/{thngId}", verb="delete", of="deviceKeys", query=("project",), answers=None)
def delete_device_key(request: Request) -> Answer:
    devices.delete(request.caller, request.parameters["thngId"], request.query.get("project"))
    return no_content()


@edge.route("POST", "/roles", verb="create", of="roles", body=NewRole, status=201, answers=Role, versioned=True)
def create_role(request: Request) -> Answer:
    """Of operators, or with `"type": "userInApp"` of application users; without any permission but the immutable."""
    stored = roles.create(request.caller, request.read(NewRole))
    return created(roles.shown(stored), f"{wiring.settings().api_url}/roles/{stored.id}", version=stored.tag)


@edge.route("GET", "/roles", verb="read", of="roles", query=(*LIST[:-1], "withScopes"), answers=list[Role])
def list_roles(request: Request) -> Answer:
    """The built-in roles first, then the account's own, newest first. A user gets those that the own role sees."""
    caller, role = request.caller, request.principal.role
    mine = request.principal.actor == "user"
    ask = ask_of(request, "role")
    ask = narrowed(ask, "seenBy", role) if mine else ask
    built_in: list[Stored] = []
    if ask.token is None and not mine:
        found = (roles.read(caller, each) for each in roles.BUILT_IN_DOCUMENTS)
        built_in = [each for each in found if ask.node is None or matches(ask.node, each.document)]
    load = loads(caller, ROLE, lambda document: roles.sees(caller, document))
    list_of = lister(request, ROLE, load, sight=WHOLE_ACCOUNT, times=())
    page = list_of.page(replace(ask, per_page=max(1, ask.per_page - len(built_in))))
    scopes = request.flag("withScopes")
    return listed(request, page, [roles.shown(each, with_scopes=scopes) for each in (*built_in, *page.items)])


@edge.route("GET", "/roles/{roleId}", verb="read", of="roles", query=("withScopes",), answers=Role, versioned=True)
def read_role(request: Request) -> Answer:
    stored = roles.read(request.caller, request.parameters["roleId"])
    return shown(stored, partial(roles.shown, with_scopes=request.flag("withScopes")))


@edge.route(
    "PUT",
    "/roles/{roleId}",
    verb="update",
    of="roles",
    body=SentRole,
    query=("withScopes",),
    answers=Role,
    versioned=True,
)
def update_role(request: Request) -> Answer:
    stored = roles.update(request.caller, request.parameters["roleId"], request.read(SentRole))
    return shown(stored, partial(roles.shown, with_scopes=request.flag("withScopes")))


@edge.route("DELETE", "/roles/{roleId}", verb="delete", of="roles", answers=None, versioned=True)
def delete_role(request: Request) -> Answer:
    """Operators who had it have the role `none`; a role that application users have is refused."""
    roles.delete(request.caller, request.parameters["roleId"])
    return no_content()


@edge.route("GET", "/roles/{roleId}/permissions", verb="read", of="roles", answers=Permissions, versioned=True)
def list_permissions(request: Request) -> Answer:
    """Of a role of application users their paths; of an operator's role the tree."""
    stored = roles.read(request.caller, request.parameters["roleId"])
    return shown(stored, permissions.shown_permissions)


@edge.route(
    "PUT",
    "/roles/{roleId}/permissions",
    verb="update",
    of="roles",
    body=SentPermissions,
    answers=Permissions,
    versioned=True,
)
def replace_permissions(request: Request) -> Answer:
    """The whole list of a role of application users; of an operator's role the tree, or some of it."""
    stored, document = permissions.replace(request.caller, request.parameters["roleId"], request.json())
    return Answer(document=document, version=stored.tag)


@edge.route(
    "GET",
    "/roles/{roleId}/permissions/{permissionName}",
    verb="read",
    of="roles",
    answers=OperatorPermission,
    versioned=True,
)
def read_permission(request: Request) -> Answer:
    stored = roles.read(request.caller, request.parameters["roleId"])
    return Answer(
        document=permissions.shown_permission(stored, request.parameters["permissionName"]), version=stored.tag
    )


@edge.route(
    "PUT",
    "/roles/{roleId}/permissions/{permissionName}",
    verb="update",
    of="roles",
    body=SentOperatorPermission,
    answers=OperatorPermission,
    versioned=True,
)
def set_permission(request: Request) -> Answer:
    """Enable or disable one permission of an operator's role."""
    sent = request.read(SentOperatorPermission)
    role_id, name = request.parameters["roleId"], request.parameters["permissionName"]
    stored = permissions.set_one(request.caller, role_id, name, sent)
    return Answer(document=permissions.shown_permission(stored, name), version=stored.tag)
