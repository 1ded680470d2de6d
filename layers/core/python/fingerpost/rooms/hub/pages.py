"""What somebody sees who has opened the public link of a meeting. Pure."""

from html import escape

from ...resources import Document

STYLE = """
body { font: 1.125rem/1.5 system-ui, sans-serif; margin: 2rem auto; padding: 0 1rem; max-width: 34rem; }
label { display: block; margin-top: 1rem; }
input, button { font: inherit; padding: .5rem; width: 100%; box-sizing: border-box; margin-top: .25rem; }
button { margin-top: 1.5rem; }
[role=alert] { border-left: .25rem solid #b00020; padding-left: .75rem; }
"""


def locked(*, wrong: bool) -> str:
    """A link with a password."""
    alert = '<p role="alert">This is not the password of the link.</p>' if wrong else ""
    return _page(
        "This meeting has a password",
        f"""{alert}<form method="post">
<label>Password <input type="password" name="password" required autofocus autocomplete="off"></label>
<label>Your name <input name="name" maxlength="200" autocomplete="name"></label>
<button>Open</button>
</form>""",
    )


def welcome(node: Document, when: str, *, name: str) -> str:
    """The meeting, and who the guest is; without a name a form to say it."""
    said = node["metadata"]["content"]
    status = node["metadata"]["room_status"]
    about = f"<p>{escape(when)}</p>"
    if status != "booked":
        about += f'<p role="status">This meeting is {escape(status)}.</p>'
    if said["message"]:
        about += f"<p>{escape(said['message'])}</p>"
    if name:
        return _page(said["title"], f"{about}<p>You are let in as {escape(name)}.</p>")
    form = """<form method="post">
<label>Your name <input name="name" required maxlength="200" autocomplete="name"></label>
<button>Come in</button>
</form>"""
    return _page(said["title"], about + form)


def closed() -> str:
    return _page("This link opens nothing", "<p>It is over, or its meeting was removed.</p>")


def _page(title: str, main: str) -> str:
    return f"""<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)}</title>
<style>{STYLE}</style>
</head>
<body>
<main>
<h1>{escape(title)}</h1>
{main}
</main>
</body>
</html>
"""
