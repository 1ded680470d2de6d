"""Setting the limits of a redirection: what an operator sends, held against what is there."""

from ..errors import Finding, Invalid
from ..rules.template import InvalidTemplate, Template, parse_default_url
from .documents import SentLimits
from .limits import Limits

# Each fallback URL: at which limit it takes over, and what has to be set for there to be one.
URLS = {
    "beforeUrl": ("before", "validFrom"),
    "afterUrl": ("after", "validUntil"),
    "exhaustedUrl": ("exhausted", "maxScans"),
}


def limits_after(before: Limits | None, sent: SentLimits | None) -> Limits | None:
    """The limits after an update: what was sent replaces, null removes, the rest stays. `sent` as null removes all.

    Raises Invalid with a finding for each thing that is wrong.
    """
    if sent is None:
        return None
    asked = {**(before.document() if before else {}), **sent.sent()}
    asked = {name: value for name, value in asked.items() if value is not None}
    findings: list[Finding] = []
    urls: dict[str, tuple[str, Template]] = {}
    for name, (limit, needed) in URLS.items():
        field = f"limits.{name}"
        if name not in asked:
            continue
        if needed not in asked:
            message = f"takes over when {needed} is reached, which is not set; send null to remove it"
            findings.append(Finding(field=field, message=message, expected=(needed,)))
        try:
            urls[limit] = (asked[name], parse_default_url(asked[name], document_field=field))
        except InvalidTemplate as error:
            findings += error.details
    valid_from, valid_until = asked.get("validFrom"), asked.get("validUntil")
    if valid_from is not None and valid_until is not None and valid_until <= valid_from:
        message = f"is {valid_until}, not after validFrom, which is {valid_from}"
        findings.append(Finding(field="limits.validUntil", message=message))
    if findings:
        raise Invalid(f"{findings[0].field}: {findings[0].message}", details=findings)
    if not asked:
        return None
    return Limits(valid_from=valid_from, valid_until=valid_until, max_scans=asked.get("maxScans"), urls=urls)
