"""What everybody in a live room has switched on: microphone, video, share, write; and what they say of themselves.

Anybody may ask, as in the product; who has no session only of a live room that is open. What one session has said, no
other changes, unless it is an administrator's.
"""

from ...errors import Forbidden, Invalid, NotFound
from ...resources import Document
from .calls import Call
from .presence import Media
from .sessions import Session
from .words import Mandatory

FLAGS = ("get", "add", "update", "remove")
SWITCHES = {"is_mic_enabled": True, "is_video_enabled": False, "is_share_enabled": False, "is_write_enabled": False}
MAX_METADATA = 8_000
MAX_PEOPLE = 200


def unified_room(call: Call) -> list[Document]:
    """Everybody's state, after what the flag asks for."""
    flag, room = call.asked.name("flag"), call.asked.name("id")
    if flag not in FLAGS:
        raise Invalid(f"flag is one of {', '.join(FLAGS)}, not {flag[:40]!r}")
    session = call.known if call.known is not None and call.known.hub else None
    gathering = call.presence.gathered(call.hub, room)
    if session is None and gathering.room is None:
        raise NotFound(f"There is no live room {room[:80]}")
    if session is not None and session.is_guest and not session.enters(room):
        raise Forbidden("You may not enter this room")
    if flag == "get":
        wanted = call.asked.text("uid", most=200)
        return [shown(room, each) for each in gathering.media if wanted in ("", each.uid)]
    uid = call.asked.text("uid", most=200) or (session.id if session else "")
    if not uid:
        raise Mandatory("uid")
    before = next((each for each in gathering.media if each.uid == uid), None)
    _check_own(session, before)
    if flag == "remove":
        call.presence.clear_media(call.hub, room, uid)
    elif flag == "update" and before is None:
        raise NotFound(f"{uid[:80]} is not in this room; add them first")
    elif before is None and len(gathering.media) >= MAX_PEOPLE:
        raise Invalid(f"A room has the state of at most {MAX_PEOPLE} people")
    else:
        call.presence.set_media(call.hub, room, _said(call, session, uid, before, all_of_it=flag == "update"))
    return [shown(room, each) for each in call.presence.gathered(call.hub, room).media]


def shown(room: str, media: Media) -> Document:
    return {
        "id": room,
        "uid": media.uid,
        "is_mic_enabled": int(media.mic),
        "is_video_enabled": int(media.video),
        "is_share_enabled": int(media.share),
        "is_write_enabled": int(media.write),
        "metadata": media.metadata,
        "username": media.name,
    }


def _said(call: Call, session: Session | None, uid: str, before: Media | None, *, all_of_it: bool) -> Media:
    switches = []
    for name, default in SWITCHES.items():
        if all_of_it:
            call.asked.need(name)
        switches.append(call.asked.flag(name, default))
    metadata = call.asked.object("metadata") if call.asked.has("metadata") else (before.metadata if before else {})
    if len(str(metadata)) > MAX_METADATA:
        raise Invalid(f"metadata has at most {MAX_METADATA:,} characters")
    own = session is not None and uid == session.id
    name = session.name if session is not None and own else (before.name if before else "")
    mic, video, share, write = switches
    return Media(
        uid=uid,
        name=name,
        mic=mic,
        video=video,
        share=share,
        write=write,
        metadata=metadata,
        by=before.by if before else (session.id if session else ""),
    )


def _check_own(session: Session | None, before: Media | None) -> None:
    if before is None or not before.by or (session is not None and (session.id == before.by or session.may("admin"))):
        return
    raise Forbidden("Somebody else has said this of themselves")
