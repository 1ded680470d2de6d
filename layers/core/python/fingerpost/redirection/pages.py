"""What a person sees who scanned a code that leads nowhere. Plain pages, no scripts, readable on any phone."""

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
body {{ font: 1.15rem/1.6 system-ui, sans-serif; margin: 0 auto; padding: 15vh 1.5rem 2rem; max-width: 32rem; }}
h1 {{ font-size: 1.6rem; line-height: 1.25; margin: 0 0 1rem; }}
p {{ margin: 0 0 1rem; }}
@media (prefers-color-scheme: dark) {{ body {{ background: #16181c; color: #eceef1; }} }}
</style>
</head>
<body>
<main>
<h1>{title}</h1>
<p>{text}</p>
<p>{advice}</p>
</main>
</body>
</html>
"""

UNKNOWN = _PAGE.format(
    title="This code leads nowhere",
    text="There is no page behind the address you opened.",
    advice="If you typed it, check capital and small letters: they matter. If you scanned it, try once more, closer.",
)
DELETED = _PAGE.format(
    title="This code is no longer in use",
    text="Its owner has taken the page behind it away.",
    advice="Whoever gave you the code, or put it where you found it, can tell you what replaced it.",
)
NOT_YET = _PAGE.format(
    title="This code does not lead anywhere yet",
    text="Its owner has not opened the page behind it so far.",
    advice="Try again later. Whoever gave you the code, or put it where you found it, can tell you when.",
)
ENDED = _PAGE.format(
    title="This code has ended",
    text="The page behind it was there for some time only, and that time is over.",
    advice="Whoever gave you the code, or put it where you found it, can tell you what comes next.",
)
EXHAUSTED = _PAGE.format(
    title="This code has been used up",
    text="It was good for so many visits, and they have been made.",
    advice="Whoever gave you the code, or put it where you found it, can tell you what comes next.",
)
LATER = _PAGE.format(
    title="Please try again in a moment",
    text="We could not open the page behind this code just now.",
    advice="Nothing is wrong with the code. Scan it again, or reload this page.",
)
