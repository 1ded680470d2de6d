"""What somebody sees who has opened the link of an invitation. Pure."""

from collections.abc import Mapping
from html import escape


def told(invitation: Mapping[str, str]) -> str:
    """`invitation` is Joan's document of it."""
    said = "You have accepted" if invitation["status"] == "accepted" else "You have declined"
    title, room = escape(invitation["event_name"] or "this event"), escape(invitation["room_name"])
    return f"""<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>{said}</title>
<style>
body {{ font: 1.125rem/1.5 system-ui, sans-serif; margin: 2rem auto; padding: 0 1rem; max-width: 34rem; }}
</style>
</head>
<body>
<main>
<h1>{said}</h1>
<p>{title}, {room}, <time>{escape(invitation["start"])}</time> to <time>{escape(invitation["end"])}</time></p>
</main>
</body>
</html>
"""
