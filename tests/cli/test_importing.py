"""Imports: rows are brought in once, whatever happens between two runs."""

import json
from contextlib import closing

import httpx
import pytest

from fingerpost.cli.client import Client
from fingerpost.cli.connection import Connection
from fingerpost.cli.failure import Refused, Unreachable, Usage
from fingerpost.cli.importing import Journal, Row, run_import

SERVER = "https://api.example"


class Platform:
    """Thngs and links in memory, with Idempotency-Keys. `breaks_after` answers of a POST are lost on the way back."""

    def __init__(self):
        self.thngs, self.links, self.answers = {}, {}, {}
        self.posts, self.breaks_after = 0, None
        self.refuses = set()

    def client(self):
        return Client(Connection(SERVER, "key"), httpx.MockTransport(self.answer))

    def answer(self, request):
        kind, _, name = request.url.path.strip("/").partition("/")
        if request.method == "GET":
            found = self.links.get(name)
            return httpx.Response(200, json=found) if found else refused(404, "no such link")
        if request.method == "DELETE":
            del self.thngs[name]
            return httpx.Response(200)
        key = request.headers["idempotency-key"]
        if key not in self.answers:
            self.answers[key] = self.made(kind, json.loads(request.content))
        self.posts += 1
        if self.breaks_after is not None and self.posts > self.breaks_after:
            raise httpx.ConnectError("the cable is out")
        return self.answers[key]

    def made(self, kind, body):
        if kind == "thngs":
            thng = f"T{len(self.thngs) + 1}"
            self.thngs[thng] = body
            return httpx.Response(201, json={"id": thng})
        short_id = body.get("shortId") or f"S{len(self.links)}"
        if short_id in self.refuses:
            return refused(409, f"{short_id} is reserved")
        self.links[short_id] = {
            "shortDomain": "s.example",
            "shortId": short_id,
            "type": "thng",
            "defaultRedirectUrl": body["defaultRedirectUrl"].replace("{thngId}", body["evrythngId"]),
            "evrythngId": body["evrythngId"],
        }
        return httpx.Response(201, json=self.links[short_id])


def refused(status, message):
    return httpx.Response(status, json={"status": status, "errors": [message], "code": "x"})


def rows(count, *, links=True):
    for number in range(1, count + 1):
        link = {"shortId": f"L{number}", "defaultRedirectUrl": "https://shop.example/{thngId}"} if links else None
        yield Row(number + 1, f"Lamp {number}", {"name": f"Lamp {number}"}, link)


def bring_in(platform, path, given, *, workers=1):
    results = []
    with closing(Journal.beside(path, SERVER)) as journal:
        run_import(platform.client(), given, journal, workers=workers, on_result=results.append)
    return sorted(results, key=lambda each: each.row.line)


@pytest.fixture
def platform():
    return Platform()


@pytest.fixture
def path(tmp_path):
    return tmp_path / "lamps.csv"


def outcomes(results):
    return [each.outcome for each in results]


@pytest.mark.parametrize("workers", [1, 8])
def test_every_row_is_made_once_and_the_second_run_makes_nothing(platform, path, workers):
    assert outcomes(bring_in(platform, path, rows(20), workers=workers)) == ["made"] * 20
    assert outcomes(bring_in(platform, path, rows(20), workers=workers)) == ["there"] * 20
    assert (len(platform.thngs), len(platform.links)) == (20, 20)


@pytest.mark.parametrize("breaks_after", range(8))
def test_a_run_that_breaks_off_anywhere_is_taken_up_where_it_was(platform, path, breaks_after):
    platform.breaks_after = breaks_after
    with pytest.raises(Unreachable):
        bring_in(platform, path, rows(4))
    platform.breaks_after = None
    bring_in(platform, path, rows(4))
    assert len(platform.thngs) == len(platform.links) == 4


def test_without_a_journal_what_the_server_knows_is_enough(platform, path):
    bring_in(platform, path, rows(3, links=False))
    path.with_name("lamps.csv.imported.jsonl").unlink()
    bring_in(platform, path, rows(3, links=False))
    assert len(platform.thngs) == 3


def test_a_row_goes_by_its_content_not_by_its_line(platform, path):
    bring_in(platform, path, rows(3))
    moved = [Row(row.line + 5, row.name, row.thng, row.link) for row in reversed(list(rows(4)))]
    assert outcomes(bring_in(platform, path, moved)) == ["there", "there", "there", "made"]
    assert len(platform.thngs) == 4


def test_equal_rows_are_as_many_things_as_there_are_rows(platform, path):
    same = [Row(line, "Lamp", {"name": "Lamp"}) for line in (2, 3, 4)]
    bring_in(platform, path, same[:2])
    assert outcomes(bring_in(platform, path, same)) == ["there", "there", "made"]
    assert len(platform.thngs) == 3


def test_a_short_id_that_leads_elsewhere_is_reported_and_nothing_is_made(platform, path):
    platform.made("redirections", {"shortId": "L1", "defaultRedirectUrl": "https://other.example/", "evrythngId": "T"})
    one, two = bring_in(platform, path, rows(2))
    assert (one.outcome, one.message) == ("failed", "s.example/L1 is taken: it leads to https://other.example/")
    assert two.outcome == "made"
    assert len(platform.thngs) == 1


def test_a_link_that_is_refused_leaves_no_thng_and_can_be_tried_again(platform, path):
    platform.refuses = {"L1"}
    [result] = bring_in(platform, path, rows(1))
    assert (result.outcome, result.message) == ("failed", "L1 is reserved")
    assert platform.thngs == {}
    platform.refuses = set()
    platform.thngs["T1"] = {"name": "somebody else's"}
    assert outcomes(bring_in(platform, path, rows(1))) == ["made"]
    assert platform.links["L1"]["evrythngId"] in platform.thngs


def test_a_row_that_cannot_be_read_fails_alone(platform, path):
    given = [Row(2, "x", {}, problem="x is no number"), *rows(1)]
    assert [(each.outcome, each.message) for each in bring_in(platform, path, given)] == [
        ("failed", "x is no number"),
        ("made", ""),
    ]


def test_a_key_that_may_not_ends_the_import(platform, path, monkeypatch):
    monkeypatch.setattr(platform, "answer", lambda _request: refused(403, "not allowed"))
    with pytest.raises(Refused, match="not allowed"):
        bring_in(platform, path, rows(3))


def test_a_last_line_that_a_crash_cut_short_is_left_out(platform, path):
    bring_in(platform, path, rows(2))
    journal = path.with_name("lamps.csv.imported.jsonl")
    journal.write_text(journal.read_text()[:-30])
    assert sorted(outcomes(bring_in(platform, path, rows(2)))) == ["there", "there"]
    assert outcomes(bring_in(platform, path, rows(2))) == ["there", "there"]
    assert len(platform.thngs) == 2


def test_a_journal_of_another_server_is_not_believed(platform, path):
    bring_in(platform, path, rows(1))
    with pytest.raises(Usage, match=r"tells of an import to https://api\.example, not to https://other\.example"):
        Journal.beside(path, "https://other.example")
