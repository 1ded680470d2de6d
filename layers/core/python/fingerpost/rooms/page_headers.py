"""What goes out with every page that people see of rooms. Pure.

Nothing is loaded from anywhere else, no script runs but one of ours, and no other site shows the page in a frame.
"""

import base64
import hashlib


def page_headers(style: str, *more: str, referrer: str) -> dict[str, str]:
    """`style` is all that the page has; `more` are further directives of the policy."""
    policy = [
        "default-src 'none'",
        f"style-src {source_of(style)}",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
        "img-src data:",
        *more,
    ]
    return {
        "content-security-policy": "; ".join(policy),
        "cache-control": "no-store",
        "referrer-policy": referrer,
        "x-content-type-options": "nosniff",
        "x-robots-tag": "noindex",
    }


def source_of(text: str) -> str:
    """A style or a script within a page, as its policy names it."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
