"""The parameters of the ROOM service, each once: for the description of the API. Edge only."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema, create_model

_TEXT: Mapping[str, Any] = {"type": "string"}
_SWITCH: Mapping[str, Any] = {"type": "integer", "enum": [0, 1]}
_SECONDS: Mapping[str, Any] = {"type": "integer", "minimum": 0}
_OBJECT: Mapping[str, Any] = {"type": "object"}

PARAMETERS: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "title": ("Cut at 100 characters; made up from the caller's name when left out.", _TEXT),
    "date": ("When it begins: ISO 8601 or as people write it, by the room's clocks. Now when left out.", _TEXT),
    "message": ("The agenda.", _TEXT),
    "stime": ("The beginning, in seconds since the epoch.", _SECONDS),
    "etime": ("The end, in seconds since the epoch.", _SECONDS),
    "duration": ("Minutes, where no end is said.", {"type": "integer", "minimum": 1, "maximum": 44640, "default": 30}),
    "recur": ("With `freq` daily, weekly or monthly, and `until` in seconds since the epoch.", _OBJECT),
    "attendees": ("E-mail addresses, ids of members, or objects with `email`, `name`, `uid`.", {"type": "array"}),
    "nid": ("The id of a meeting.", _TEXT),
    "parent_id": ("The live room that a screen is shared in.", _TEXT),
    "parent_type": ("That room's type.", _TEXT),
    "socket_id": ("The caller's connection: what `socket.info` answers over it.", _TEXT),
    "device_id": ("The caller's device.", _TEXT),
    "hub_id": ("The hub; that of the key when left out.", _TEXT),
    "room_type": ("Such as `meeting`.", _TEXT),
    "id": ("The id of a live room.", _TEXT),
    "room_id": ("The id of a live room.", _TEXT),
    "name": ("How a guest is called.", _TEXT),
    "guest": ("Who is asked in: `uid`, `socket_id`, `device_id`.", _OBJECT),
    "endpointAddress": ("Kept with the attendee.", _TEXT),
    "endpointRoute": ("Kept with the attendee.", _TEXT),
    "password": ("What has to be said to open the link.", _TEXT),
    "days": ("How long the link opens.", {"type": "integer", "minimum": 0, "maximum": 3650, "default": 0}),
    "hours": ("Hours more; 0 of both is without an end.", {"type": "integer", "minimum": 0, "default": 0}),
    "permission": ("Either 2 or `read`, or 4 or `write`.", {"type": ["integer", "string"], "default": 4}),
    "flag": ("Of `update` when, title, agenda, member, all; of `unified_room` get, add, update, remove.", _TEXT),
    "uid": ("Who is meant; the caller when left out.", _TEXT),
    "is_mic_enabled": ("On when it is not said to `add`.", _SWITCH),
    "is_video_enabled": ("Off when it is not said to `add`.", _SWITCH),
    "is_share_enabled": ("Off when it is not said to `add`.", _SWITCH),
    "is_write_enabled": ("Off when it is not said to `add`.", _SWITCH),
    "metadata": ("What somebody says of themselves, kept as it is.", _OBJECT),
}
SHOWN_IN_QUERY: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    f"{name}:hub": (f"{text} As JSON." if schema.get("type") in ("object", "array") else text, schema)
    for name, (text, schema) in PARAMETERS.items()
}


def body_of(service: str, needs: tuple[str, ...], takes: tuple[str, ...]) -> type[BaseModel]:
    """The document that a service reads, as the description has it. Reading itself is asking.py's."""
    fields: dict[str, Any] = {}
    for name in (*needs, *takes):
        text, schema = PARAMETERS[name]
        shape = Annotated[Any, Field(description=text), WithJsonSchema({**schema, "description": text})]
        fields[name] = (shape, ...) if name in needs else (shape, Field(default_factory=type(None)))
    titled = "".join(word[0].upper() + word[1:] for word in service.split("_"))
    model: type[BaseModel] = create_model(f"SentHub{titled}", __config__=ConfigDict(extra="allow"), **fields)
    return model
