"""The roles that every account has, and what devices may do. Source: the platform's "Role Permissions"."""

from .model import EVERYTHING, NO_RIGHTS, Permission, Rights

ADMIN, NONE, BASE_APP_USER = "admin", "none", "base_app_user"
BUILT_IN = (ADMIN, NONE, BASE_APP_USER)
RIGHTS: dict[str, Rights] = {ADMIN: EVERYTHING, NONE: NO_RIGHTS}

DEFAULTS = (  # of every role of application users; nobody can take them away
    Permission("/access$", "r"),
    Permission("/auth/all/logout", "c"),
    Permission("/rateLimits$", "r"),
    Permission("/roles", "r"),
)
OF_BASE_APP_USER = (  # the most that any role of application users can have
    Permission("/access$", "r"),
    Permission("/accesses", "crd"),
    Permission("/auth/all/logout", "c"),
    Permission("/rateLimits$", "r"),
    Permission("/roles", "r"),
    Permission("/thngs", "cru"),
    Permission("/products", "cru"),
    Permission("/collections", "cru"),
    Permission("/collections/*/thngs/*", "d"),
    Permission("/actions/*", "cr"),
    Permission("/actions", "r"),
    Permission("/auth/evrythng/thngs", "crd"),
    Permission("/users/{user}", "ru"),
    Permission("/places", "r"),
    Permission("/connectors/*/auth", "rd"),
    Permission("/connectors/*/auth/token", "c"),
    Permission("/connectors", "r"),
)
OF_DEVICE = (  # its own thng: read, update; its properties, location, actions: create, read
    Permission("/access$", "r"),
    Permission("/rateLimits$", "r"),
    Permission("/thngs/{thng}$", "ru"),
    Permission("/thngs/{thng}/properties", "cru"),
    Permission("/thngs/{thng}/location", "cru"),
    Permission("/thngs/{thng}/actions", "cr"),
    Permission("/actions/*", "cr"),
)
