"""Whether what rules lead to answers. Every request goes through the one door to the internet."""

import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor

from ...outgoing import Failed, Limits, Outgoing, Refused
from .findings import Checked, Level, about
from .leads import Lead

MAX_TARGETS = 50  # different URLs, asked in one check
AT_ONCE = 8
SECONDS = 4.0  # for one of them, its redirects included
SECONDS_IN_ALL = 12.0
NO_HEAD = (405, 501)  # of servers that know GET alone
GONE = (404, 410)

type Verdict = tuple[Level, str] | None  # None: it answers


def unanswered(
    leads: list[Lead],
    seen: Mapping[tuple[int, str], str],
    outgoing: Outgoing,
    *,
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[Checked]:
    """Findings about URLs that do not answer. `seen` has a filled URL for (rule, part) that values go into."""
    ends = clock() + SECONDS_IN_ALL
    urls = {lead: lead.url if lead.is_whole else seen.get((lead.rule, lead.part)) for lead in leads}
    wanted = list(dict.fromkeys(url for url in urls.values() if url is not None))

    def asked(url: str) -> Verdict:
        left = ends - clock()
        return _ask(outgoing, url, min(SECONDS, left)) if left > 0 else ("note", "was not asked: no time was left")

    with ThreadPoolExecutor(AT_ONCE) as pool:
        verdicts = dict(zip(wanted, pool.map(asked, wanted[:MAX_TARGETS]), strict=False))
    for lead, url in urls.items():
        if url is None:
            verdict: Verdict = ("note", "was not asked: values go into this URL, and no recorded scan shows which")
        else:
            verdict = verdicts.get(url, ("note", f"was not asked: one check asks {MAX_TARGETS} different URLs"))
        if verdict is not None:
            level, message = verdict
            yield Checked(level, "noAnswer", about(lead.rule, lead.name, lead.part, message, near=url or lead.url))


def _ask(outgoing: Outgoing, url: str, seconds: float) -> Verdict:
    """HEAD, which changes nothing; GET of a server that does not know it."""
    limits = Limits(seconds=seconds, content_bytes=0)
    try:
        answer = outgoing.send("HEAD", url, limits=limits)
        if answer.status in NO_HEAD:
            answer = outgoing.send("GET", url, limits=limits)
    except Refused as refused:
        return "warning", f"was not asked: {refused}"
    except Failed as failed:
        return "warning", f"does not answer: {failed}"
    if answer.status in GONE or answer.status >= 500:
        where = f" at {answer.url}" if answer.redirects else ""
        return "warning", f"answers {answer.status}{where}"
    return None
