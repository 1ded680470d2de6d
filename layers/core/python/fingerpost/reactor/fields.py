"""Which fields of filters have a value in which event."""

OF_ACTIONS = frozenset(
    ["action", "user", "location", "country", "place", "language", "device", "os", "browser", "query"]
)
OF_PROPERTIES = frozenset({"propertyChangeOld", "propertyChangeNew"})
OF_BOTH = frozenset({"user.id"})
OF_CHANGES = ("thngPropertiesChanged", "productPropertiesChanged")


def foreign(name: str, event: str | None) -> str | None:
    """Why a field has no value in any event of this kind, named as rules name it; None when it may have one."""
    group = name.partition(".")[0]
    if event == "actionCreated" and group in OF_PROPERTIES:
        return f"{name} is of changed properties; an action has none"
    if event in OF_CHANGES and group in OF_ACTIONS and name not in OF_BOTH:
        return f"{name} is of actions; when properties change there is none"
    if event == "productPropertiesChanged" and group == "thng":
        return f"{name} is of a thng; when a product's properties change there is none"
    return None
