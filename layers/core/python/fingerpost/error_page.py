"""The page that `moreInfo` of an error document leads to: every code, its status, what it means."""

from html import escape

from .errors import FingerpostError


def kinds() -> list[type[FingerpostError]]:
    """Every kind of error, by code. Loads the modules that add kinds of their own."""
    from . import cursor  # noqa: F401, PLC0415
    from .rooms import errors  # noqa: F401, PLC0415
    from .rules import compile, template  # noqa: F401, PLC0415

    found: dict[str, type[FingerpostError]] = {}
    waiting = [FingerpostError]
    while waiting:
        kind = waiting.pop()
        waiting += kind.__subclasses__()
        found.setdefault(kind.code, kind)
    return [found[code] for code in sorted(found)]


def summary(kind: type[FingerpostError]) -> str:
    """The first paragraph of an error's docstring."""
    return " ".join((kind.__doc__ or "").partition("\n\n")[0].split()).replace("`", "")


def error_page() -> str:
    rows = "\n".join(
        f'<tr id="{kind.code}"><th scope="row"><code>{kind.code}</code></th><td>{kind.status}</td>'
        f"<td>{escape(summary(kind))}</td></tr>"
        for kind in kinds()
    )
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Errors of the Fingerpost API</title>
<style>
body {{ font: 1rem/1.5 system-ui, sans-serif; margin: 2rem auto; padding: 0 1rem; max-width: 46rem; }}
table {{ border-collapse: collapse; width: 100%; }}
th, td {{ text-align: left; vertical-align: top; padding: .5rem .75rem .5rem 0; border-top: 1px solid #ccc; }}
tr:target {{ background: #fff3bf; }}
</style>
</head>
<body>
<main>
<h1>Errors of the Fingerpost API</h1>
<p>Every error is a JSON document: <code>status</code>, <code>errors</code> (a sentence), <code>code</code> (below),
and <code>details</code> where single fields are at fault, each with its position and what would have been accepted.</p>
<table>
<thead><tr><th scope="col">code</th><th scope="col">status</th><th scope="col">meaning</th></tr></thead>
<tbody>
{rows}
</tbody>
</table>
</main>
</body>
</html>
"""
