"""GET /statistics and GET /redirections/:id/statistics: hits by what they were made of, exact, as JSON and as CSV."""

import csv
import io
from urllib.parse import unquote

import pytest

from fingerpost.insight import spreadsheet, statistics, visitors
from tests.functions.world import DAY, DOMAIN, HOUR, Client, World, rule

IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 Version/17.5 Mobile Safari/604.1"
LINUX = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
CRAWLER = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
KINDS = ("day", "hour", "country", "city", "device", "os", "browser", "rule", "redirection")


def hits_by(document, kind):
    """value -> hits, of those that have some."""
    return {each["value"]: each["hits"] for each in document["by"][kind] if each["hits"]}


@pytest.fixture
def busy(world: World, operator: Client, thng):
    """Two links, five hits over two days by three visitors, a robot, and a look at the headers alone."""
    operator.publish(rule("country=IE", "https://museum.example/ie", name="Irish visitors"))
    world.clock.now += 5_000  # the redirect has the new rules
    for short_id in ("LAMP7", "LAMP8"):
        operator.link(thng["id"], shortId=short_id)
    world.scan("LAMP7", country="IE", city="Cork", user_agent=IPHONE, address="198.51.100.1:1")
    world.scan("LAMP7", country="IE", city="Cork", user_agent=IPHONE, address="198.51.100.1:1")
    world.scan("LAMP7", country="GB", city="Leeds", user_agent=LINUX, address="198.51.100.2:1")
    world.scan("LAMP8", country="IE", city="Cork", user_agent=IPHONE, address="198.51.100.1:1")
    world.scan("LAMP7", user_agent=CRAWLER)
    world.scan("LAMP7", method="HEAD")
    world.clock.now += DAY - 3 * HOUR
    world.scan("LAMP7", user_agent=IPHONE, address="198.51.100.1:1")
    world.settle()
    return operator


def test_hits_of_the_account_by_everything(busy: Client):
    document = busy.read("/statistics", by=",".join(KINDS))
    assert (document["hits"], document["robots"], document["limited"], document["visitors"]) == (5, 2, 0, 3)
    assert (document["from"], document["to"]) == ("2026-02-15", "2026-03-16")
    assert {kind: hits_by(document, kind) for kind in KINDS} == {
        "day": {"2026-03-15": 4, "2026-03-16": 1},
        "hour": {"12": 4, "09": 1},
        "country": {"IE": 3, "GB": 1, "unknown": 1},
        "city": {"Cork": 3, "Leeds": 1, "unknown": 1},
        "device": {"phone": 4, "desktop": 1},
        "os": {"ios": 4, "linux": 1},
        "browser": {"safari": 4, "firefox": 1},
        "rule": {"1.1": 3, "default": 2},
        "redirection": {f"{DOMAIN}/LAMP7": 4, f"{DOMAIN}/LAMP8": 1},
    }


def test_hits_of_one_redirection_are_its_own(busy: Client):
    document = busy.read("/redirections/LAMP7/statistics?by=country&by=day", on_short=True)
    assert (document["hits"], document["robots"], document["visitors"]) == (4, 2, 3)
    assert hits_by(document, "country") == {"IE": 2, "GB": 1, "unknown": 1}
    days = {each["value"]: (each["hits"], each["visitors"]) for each in document["by"]["day"] if each["hits"]}
    assert days == {"2026-03-15": (3, 2), "2026-03-16": (1, 1)}
    assert busy.read("/redirections/LAMP8/statistics", on_short=True)["hits"] == 1


def test_every_day_and_hour_is_there_and_the_rest_by_most_hits(busy: Client):
    document = busy.read("/statistics?by=day,hour,country&from=2026-03-13&to=2026-03-16")
    assert [each["value"] for each in document["by"]["day"]] == [f"2026-03-{day}" for day in range(13, 17)]
    assert [each["value"] for each in document["by"]["hour"]] == [f"{hour:02d}" for hour in range(24)]
    assert [each["value"] for each in document["by"]["country"]] == ["IE", "GB", "unknown"]
    assert [each["share"] for each in document["by"]["country"]] == [0.6, 0.2, 0.2]


def test_a_city_says_its_country_and_a_rule_its_name(busy: Client):
    document = busy.read("/statistics?by=city,rule")
    assert document["by"]["city"][0] == {"value": "Cork", "hits": 3, "share": 0.6, "country": "IE"}
    assert document["by"]["rule"][0] == {
        "value": "1.1",
        "hits": 3,
        "share": 0.6,
        "version": 1,
        "rule": 1,
        "name": "Irish visitors",
    }


def test_only_the_days_that_were_asked_for_count(busy: Client):
    assert busy.read("/statistics?from=2026-03-16")["hits"] == 1
    assert busy.read("/statistics?to=2026-03-15")["hits"] == 4
    assert busy.read("/statistics?from=2026-01-01&to=2026-01-31") == {
        "from": "2026-01-01",
        "to": "2026-01-31",
        "hits": 0,
        "robots": 0,
        "limited": 0,
        "visitors": 0,
        "by": {"day": [{"value": f"2026-01-{n:02d}", "hits": 0, "share": 0, "visitors": 0} for n in range(1, 32)]},
    }


def test_a_rule_of_an_application_says_whose_it_is(world: World, operator: Client, guide, thng):
    operator.publish({"delegates": [{"app": guide}]})
    world.clock.now += 5_000
    link = operator.link(thng["id"])["shortId"]
    world.scan(link)
    world.settle()
    (found,) = operator.read("/statistics?by=rule")["by"]["rule"]
    assert (found["application"], found["version"], found["rule"]) == (guide, 1, 1)


def test_visitors_are_counted_anew_each_day_and_new_ones_are_seen(world: World, busy: Client):
    assert busy.read("/statistics")["visitors"] == 3
    world.scan("LAMP7", user_agent=IPHONE, address="198.51.100.77:1")
    world.scan("LAMP8", user_agent=IPHONE, address="198.51.100.77:1")
    world.settle()
    assert busy.read("/statistics")["visitors"] == 4
    assert busy.read("/redirections/LAMP8/statistics", on_short=True)["visitors"] == 2


def test_a_day_too_much_for_one_request_is_said_to_be_unknown_and_the_next_request_goes_on(
    world: World, busy: Client, monkeypatch
):
    monkeypatch.setattr(visitors, "MAX_READ", 4)
    first = busy.read("/statistics")
    assert first["visitors"] is None
    assert [each["visitors"] for each in first["by"]["day"] if each["hits"]] == [2, None]
    assert busy.read("/statistics")["visitors"] == 3


def test_visitors_of_a_day_whose_visits_are_kept_no_more_are_unknown_unless_they_were_counted(
    world: World, busy: Client
):
    assert busy.read("/redirections/LAMP7/statistics?from=2026-03-15&to=2026-03-15", on_short=True)["visitors"] == 2
    world.clock.now += 402 * DAY
    days = "from=2026-03-15&to=2026-03-16"
    assert busy.read(f"/statistics?{days}")["visitors"] is None
    shown = busy.read(f"/redirections/LAMP7/statistics?{days}", on_short=True)
    assert [each["visitors"] for each in shown["by"]["day"]] == [2, None]
    assert shown["hits"] == 4


# CSV


def cells(answer):
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    return list(csv.DictReader(io.StringIO(answer.content.decode())))


def test_csv_has_a_line_for_each_value(busy: Client):
    for answer in (
        busy.get("/statistics?by=country,city&format=csv"),
        busy.get("/statistics?by=country,city", headers={"accept": "text/csv"}),
    ):
        lines = [(line["by"], line["value"], line["hits"], line["share"], line["country"]) for line in cells(answer)]
        assert lines == [
            ("country", "GB", "1", "0.2", ""),
            ("country", "IE", "3", "0.6", ""),
            ("country", "unknown", "1", "0.2", ""),
            ("city", "Cork", "3", "0.6", "IE"),
            ("city", "Leeds", "1", "0.2", "GB"),
            ("city", "unknown", "1", "0.2", ""),
        ]
        assert answer.headers["content-disposition"] == 'attachment; filename="statistics.csv"'


@pytest.mark.parametrize("rows", [1, 4, 100])
def test_csv_goes_on_page_by_page_and_each_value_comes_once(world: World, busy: Client, monkeypatch, rows):
    monkeypatch.setattr(spreadsheet, "MAX_ROWS", rows)
    path, lines = "/redirections/LAMP7/statistics?by=day,hour,city&format=csv&from=2026-03-10", []
    while path:
        answer = busy.get(path, on_short=True)
        assert len(cells(answer)) <= rows
        lines += [(line["by"], line["value"]) for line in cells(answer)]
        path = unquote(answer.headers.get("link", "")).partition("api.example")[2].partition(">")[0]
    assert len(lines) == len(set(lines)) == 7 + 24 + 3


@pytest.mark.parametrize("city", ["=HYPERLINK(1)", "+1", "-1", "@SUM(1)"])
def test_what_a_spreadsheet_takes_for_a_formula_is_text(world: World, operator: Client, thng, city):
    link = operator.link(thng["id"])["shortId"]
    world.scan(link, country="IE", city=city)
    world.settle()
    assert [line["value"] for line in cells(operator.get("/statistics?by=city&format=csv"))] == [f"'{city}"]
    assert operator.read("/statistics?by=city")["by"]["city"][0]["value"] == city


def test_json_shows_the_values_with_most_hits_and_csv_all(world: World, busy: Client, monkeypatch):
    monkeypatch.setattr(statistics, "MAX_VALUES", 1)
    assert len(busy.read("/statistics?by=city")["by"]["city"]) == 1
    assert len(cells(busy.get("/statistics?by=city&format=csv"))) == 3


# What is refused


@pytest.mark.parametrize(
    ("query", "says"),
    [
        (
            "by=planet",
            "by takes day, hour, country, city, device, os, browser, rule, variant, redirection, not 'planet'",
        ),
        ("from=2026-03-20", "from is later than to"),
        ("from=1773576000000", "from takes a day of UTC such as 2026-11-28, not '1773576000000'"),
        ("to=2026-02-30", "to takes a day of UTC such as 2026-11-28, not '2026-02-30'"),
        (
            "from=2025-03-15&to=2026-03-16",
            "from: a request asks about at most 366 days; 2025-03-15 to 2026-03-16 are 367",
        ),
        ("format=xml", "format takes csv or json, not 'xml'"),
        ("format=csv&nextPageToken=x", "This nextPageToken cannot be read. Start over without nextPageToken."),
        ("from=0001-01-01&to=0001-01-01", None),
        ("from=9999-12-31&to=9999-12-31", None),
    ],
)
def test_what_cannot_be_asked_is_refused_with_what_could(operator: Client, query, says):
    answer = operator.get(f"/statistics?{query}")
    if says is None:
        assert answer.document["hits"] == 0
    else:
        assert (answer.status, answer.error) == (400, says)


def test_a_redirection_is_not_asked_by_redirection(busy: Client):
    answer = busy.get("/redirections/LAMP7/statistics?by=redirection", on_short=True)
    assert answer.error == ("by takes day, hour, country, city, device, os, browser, rule, variant, not 'redirection'")


def test_who_may_see_them(world: World, busy: Client):
    assert world.trusted.get("/statistics").status == 403
    assert world.application.get("/redirections/LAMP7/statistics", on_short=True).status == 403
    assert world.nobody.get("/statistics").status == 401
    assert world.stranger.read("/statistics")["hits"] == 0
    assert world.stranger.get("/redirections/LAMP7/statistics", on_short=True).status == 404
    assert busy.get("/redirections/NONE/statistics", on_short=True).status == 404
    assert world.trusted.get("/redirections/LAMP7/statistics", on_short=True).status == 404


def test_a_trusted_application_sees_those_of_its_projects_links(world: World, operator: Client):
    thng = world.trusted.made("/thngs", {"name": "Lamp"})["id"]
    link = operator.link(thng)["shortId"]
    world.scan(link)
    world.settle()
    assert world.trusted.read(f"/redirections/{link}/statistics", on_short=True)["hits"] == 1


def test_the_stories_of_statistics(world: World, busy: Client):
    assert world.answered("insight/countries-of-a-month").document["by"]["country"][0]["value"] == "IE"
    answer = world.answered("insight/days-of-a-redirection-as-csv", SHORT_ID="LAMP7")
    assert [line["hits"] for line in cells(answer)][-2:] == ["3", "1"]
