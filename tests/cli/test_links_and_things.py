"""Links, codes, things, accounts and keys from the command line, against a running server."""

import json
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
import zxingcpp
from PIL import Image

from tests.cli.command_line import CommandLine

EXPORTS = "tests/cli/exports"


@pytest.fixture(autouse=True)
def _here(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)


def lamp(fingerpost, short_id, *more):
    return fingerpost(
        "redirections", "create", "https://shop.example/{shortId}", "--name", "Lamp", "--short-id", short_id, *more
    )


# ---- links ---------------------------------------------------------------------------------------------------------


def test_a_link_and_its_thing_are_made_at_once(fingerpost, server):
    said = lamp(fingerpost, "LAMP1", "--tag", "Offer")
    assert f"short url   localhost:{server.short_port}/LAMP1" in said.out
    shown = fingerpost("redirections", "show", "LAMP1", "--json").json
    thng = fingerpost("thngs", "show", shown["evrythngId"], "--json").json
    assert (shown["defaultRedirectUrl"], thng["name"], thng["tags"]) == (
        "https://shop.example/LAMP1",
        "Lamp",
        ["Offer"],
    )


def test_a_link_of_a_thing_that_is_there(fingerpost):
    thng = fingerpost("thngs", "create", "Bell", "--custom-field", "room=4", "--json").json
    link = fingerpost("redirections", "create", "https://shop.example/", "--thng", thng["id"], "--json").json
    assert (link["evrythngId"], len(link["shortId"])) == (thng["id"], 10)


def test_a_short_id_that_is_taken_leaves_no_thing_behind(fingerpost):
    lamp(fingerpost, "TAKEN")
    before = fingerpost("thngs", "list", "--json").json
    said = lamp_refused(fingerpost, "TAKEN")
    assert "The short ID TAKEN is taken" in said.err
    assert fingerpost("thngs", "list", "--json").json == before


def lamp_refused(fingerpost, short_id):
    return fingerpost("redirections", "create", "https://shop.example/", "--name", "x", "--short-id", short_id, code=3)


@pytest.mark.parametrize("things", [[], ["--name", "x", "--thng", "U"], ["--thng", "U", "--place", "U"]])
def test_a_link_stands_for_one_thing(fingerpost, things):
    said = fingerpost("redirections", "create", "https://shop.example/", *things, code=2)
    assert said.err.startswith("A link stands for one thing")


def test_a_link_is_changed_and_ended(fingerpost):
    lamp(fingerpost, "LAMP2")
    fingerpost("redirections", "update", "LAMP2", "--url", "https://shop.example/new")
    assert "https://shop.example/new" in fingerpost("redirections", "show", "LAMP2").out
    assert "Say --yes" in fingerpost("redirections", "delete", "LAMP2", code=2).err
    assert "answers 410" in fingerpost("redirections", "delete", "LAMP2", "--yes").out
    assert "was deleted" in fingerpost("redirections", "show", "LAMP2", code=3).err


def test_all_links_are_listed_newest_first(fingerpost, server):
    lamp(fingerpost, "LIST1")
    lamp(fingerpost, "LIST2")
    listed = fingerpost("redirections", "list", "--limit", "2", "--json").json
    assert [each["shortId"] for each in listed] == ["LIST2", "LIST1"]
    said = fingerpost("redirections", "list", "--limit", "2")
    assert f"localhost:{server.short_port}/LIST2" in said.out
    assert "--limit shows more" in said.err
    [only] = fingerpost("redirections", "list", "--of", listed[0]["evrythngId"], "--json").json
    assert only["shortId"] == "LIST2"


def test_a_link_with_limits_says_what_state_it_is_in(fingerpost):
    said = lamp(
        fingerpost, "SPRING", "--valid-from", "+2h", "--before-url", "https://shop.example/soon", "--max-scans", "5"
    )
    assert "state       not yet" in said.out
    assert "before      https://shop.example/soon" in said.out
    assert "not yet" in fingerpost("redirections", "list", "--limit", "1").out
    after = fingerpost("redirections", "update", "SPRING", "--no-limits", "--valid-until", "+1d", "--json").json
    assert (after["state"], sorted(after["limits"])) == ("active", ["validUntil"])
    assert "limits" not in fingerpost("redirections", "update", "SPRING", "--no-limits", "--json").json


def test_a_mistake_in_a_url_is_shown_with_what_to_write(fingerpost):
    said = fingerpost("redirections", "create", "shop.example", "--name", "x", code=3)
    assert said.err.splitlines()[0] == "defaultRedirectUrl: the scheme is missing: write https://shop.example"


def test_a_short_id_may_be_given_as_the_whole_url(fingerpost, server):
    lamp(fingerpost, "LAMP3")
    shown = fingerpost("redirections", "show", f"http://localhost:{server.short_port}/LAMP3", "--json")
    assert shown.json["shortId"] == "LAMP3"


# ---- codes ---------------------------------------------------------------------------------------------------------


def test_a_code_in_a_file_reads_as_the_short_url(fingerpost, server, tmp_path):
    lamp(fingerpost, "LAMP4")
    said = fingerpost("qr", "LAMP4", "-o", "lamp.png", "--size", "300")
    assert said.out.startswith(f"lamp.png: the code of http://localhost:{server.short_port}/LAMP4, 300 x 300")
    [code] = zxingcpp.read_barcodes(Image.open(tmp_path / "lamp.png"))
    assert code.text.lower() == f"http://localhost:{server.short_port}/lamp4"
    assert "is there already" in fingerpost("qr", "LAMP4", "-o", "lamp.png", code=2).err
    for ending in ("svg", "pdf"):
        fingerpost("qr", "LAMP4", "-o", f"lamp.{ending}")
        assert (tmp_path / f"lamp.{ending}").stat().st_size > 500
    assert "does not end in .png, .svg or .pdf" in fingerpost("qr", "LAMP4", "-o", "lamp.gif", code=2).err


def test_a_code_in_the_terminal(fingerpost, server):
    lamp(fingerpost, "LAMP5")
    said = fingerpost("qr", "LAMP5")
    assert "█" in said.out
    assert said.out.splitlines()[-1] == f"http://localhost:{server.short_port}/LAMP5"


# ---- imports -------------------------------------------------------------------------------------------------------


def test_things_from_a_table(fingerpost, tmp_path):
    (tmp_path / "lamps.csv").write_text(
        "name,product,tags,customFields.room:number,identifiers.gs1:21,shortId,redirectUrl\n"
        "Lamp A,Harbour lamp,Offer|Sea,4,A-1,ROWA,https://shop.example/{thngId}\n"
        "Lamp B,Harbour lamp,,five,A-2,,\n"
        '"Lamp ""C""",Harbour lamp,,6,A-3,,\n'
    )
    dry = fingerpost("thngs", "import", "lamps.csv", "--dry-run", code=1)
    assert "0 would be made, 3 would fail" in dry.out
    first = fingerpost("thngs", "import", "lamps.csv", "--make-products", code=1)
    assert first.out.splitlines()[0] == "3 rows of lamps.csv: 2 made, 1 failed"
    assert "lamps.csv:3: Lamp B: customFields.room:number: could not convert string to float: 'five'" in first.out
    [made] = fingerpost("thngs", "list", "--filter", "identifiers.gs1:21=A-3", "--json").json
    assert (made["name"], made["customFields"]) == ('Lamp "C"', {"room": 6})
    assert fingerpost("redirections", "show", "ROWA", "--json").json["defaultRedirectUrl"].startswith("https://shop.ex")
    mended = (tmp_path / "lamps.csv").read_text().replace("five", "5")
    (tmp_path / "lamps.csv").write_text(mended)
    again = fingerpost("thngs", "import", "lamps.csv", "--make-products")
    assert again.out.splitlines()[0] == "3 rows of lamps.csv: 1 made, 2 there already"


@pytest.mark.parametrize(
    ("header", "message", "then"),
    [
        ("name,colour", "the column 'colour' means nothing", "--rename 'colour=customFields.colour'"),
        ("name,descriptoin", "the column 'descriptoin' means nothing", "--rename 'descriptoin=description'"),
        ("title", "means nothing", "--rename"),
        ("tags", "has no column name", "--rename"),
        ("name,url,redirectUrl", "two columns are defaultRedirectUrl", "--rename"),
    ],
)
def test_columns_that_mean_nothing_are_refused(fingerpost, tmp_path, header, message, then):
    (tmp_path / "odd.csv").write_text(f"{header}\n{header}\n")
    said = fingerpost("thngs", "import", "odd.csv", code=2)
    assert message in said.err
    assert then in said.err


def test_columns_can_be_renamed(fingerpost, tmp_path):
    (tmp_path / "odd.csv").write_text("Title;Colour\nBuoy;red\n")
    fingerpost("thngs", "import", "odd.csv", "--rename", "Title=name", "--rename", "Colour=customFields.colour")
    [made] = fingerpost("thngs", "list", "--filter", "name=Buoy", "--json").json
    assert made["customFields"] == {"colour": "red"}


def test_an_import_that_is_killed_is_taken_up_where_it_was(fingerpost, server, tmp_path):
    path, journal = tmp_path / "many.csv", tmp_path / "many.csv.imported.jsonl"
    path.write_text(
        "name,tags,shortId,url\n" + "".join(f"Many {n},Many,MANY{n},https://a.example/\n" for n in range(80))
    )
    script = Path(sys.executable).with_name("fingerpost")
    with subprocess.Popen([script, "thngs", "import", path, "--workers", "2"], env=fingerpost.shell()) as importing:
        while not journal.exists() or journal.read_text().count("\n") < 10:
            assert importing.poll() is None, "it ended before it could be killed"
            time.sleep(0.01)
        importing.kill()
    said = fingerpost("thngs", "import", "many.csv", "--json").json
    assert (said["rows"], said["failed"]) == (80, 0)
    assert said["there"] >= 8
    things = fingerpost("thngs", "list", "--filter", "tags=Many", "--limit", "1000", "--json").json
    assert sorted(each["name"] for each in things) == sorted(f"Many {n}" for n in range(80))


def test_links_of_another_shortener(fingerpost, tmp_path, request):
    export = (request.config.rootpath / EXPORTS / "shlink.csv").read_bytes()
    (tmp_path / "shlink.csv").write_bytes(export)
    said = fingerpost("redirections", "import", "shlink.csv", "--tag", "old", code=1)
    assert said.out.splitlines()[0] == "4 rows of shlink.csv: 2 made, 2 failed"
    assert "shlink.csv:4: de/karte: shortId: a short ID has 1 to 64 letters" in said.out
    assert "shlink.csv:5: about: line 3 (s.example) has this short ID as well" in said.out
    link = fingerpost("redirections", "show", "abc12", "--json").json
    thng = fingerpost("thngs", "show", link["evrythngId"], "--json").json
    assert link["defaultRedirectUrl"] == "https://shop.example/a?sizes=1,2"
    assert (thng["name"], thng["tags"]) == ("Lamps", ["sea", "offer", "old"])
    assert thng["customFields"] == {"importedFrom": "s.example", "createdThere": 1_680_336_000_000, "visitsThere": 12}
    (tmp_path / "shlink.csv.imported.jsonl").unlink()
    again = fingerpost("redirections", "import", "shlink.csv", "--json", code=1).json
    assert (again["made"], again["there"], again["failed"]) == (0, 2, 2)


# ---- actions -------------------------------------------------------------------------------------------------------


def scan(server, short_id, country):
    request = urllib.request.Request(
        f"{server.short}/{short_id}", headers={"cloudfront-viewer-country": country, "accept": "*/*"}
    )
    opener = urllib.request.build_opener(_Stay)
    assert opener.open(request).status == 307


class _Stay(urllib.request.HTTPRedirectHandler):
    def http_error_307(self, _request, answer, *_rest):
        return answer


def test_scans_are_shown_as_they_arrive(fingerpost, server):
    lamp(fingerpost, "LAMP6")
    scan(server, "LAMP6", "IE")
    scan(server, "LAMP6", "FR")
    thng = fingerpost("redirections", "show", "LAMP6", "--json").json["evrythngId"]
    lines = fingerpost("actions", "tail", "--since", "1h", "--count", "2", "--filter", f"thng={thng}").out.splitlines()
    assert ["implicitScans  LAMP6  IE" in lines[0], "implicitScans  LAMP6  FR" in lines[1]] == [True, True]
    assert " -> https://" in lines[0]
    each = fingerpost("actions", "tail", "--since", "1h", "-n", "2", "-f", f"thng={thng}", "--json").out.splitlines()
    assert [json.loads(line)["context"]["countryCode"] for line in each] == ["IE", "FR"]
    listed = fingerpost("actions", "list", "--filter", f"thng={thng}", "--json").json
    assert [document["context"]["countryCode"] for document in listed] == ["FR", "IE"]
    explained = fingerpost("actions", "explain", listed[0]["id"])
    assert "rule" in explained.out.splitlines()[1]


# ---- accounts and keys ---------------------------------------------------------------------------------------------


def test_whose_key_it_is(fingerpost, server):
    said = fingerpost("keys", "whoami").out
    assert server.api in said
    assert "an operator" in said


def test_an_application_gets_keys_that_work(fingerpost, server):
    refused = fingerpost("keys", "create", "Guide", "--project", "Lighthouse", code=2)
    assert "--make-project" in refused.err
    made = fingerpost("keys", "create", "Guide", "--project", "Lighthouse", "--make-project", "--json").json
    name = f"{made['project']}/{made['id']}"
    assert name in fingerpost("keys", "list").out
    assert made["appApiKey"] not in fingerpost("keys", "list").out
    secret = fingerpost("keys", "show", name, "--secret").out.strip()
    theirs = CommandLine(FINGERPOST_API_URL=server.api, FINGERPOST_API_KEY=secret)
    assert theirs("keys", "whoami", "--json").json["actor"]["type"] == "app"
    denied = theirs("accounts", "list", code=3)
    assert "keys whoami" in denied.err
    fingerpost("keys", "delete", name, "--yes")
    theirs("keys", "whoami", code=3)


def test_settings_of_the_account(fingerpost):
    said = fingerpost("accounts", "update", "--name", "Harbour", "--allow-host", "shop.example")
    assert "application rules lead to  shop.example" in said.out
    assert "any host" in fingerpost("accounts", "update", "--allow-any-host").out
    fields = fingerpost("accounts", "update", "--set", 'customFields={"team": "web"}', "--json").json
    assert fields["customFields"] == {"team": "web"}
    assert "There is nothing to change" in fingerpost("accounts", "update", code=2).err
    assert [each["name"] for each in fingerpost("accounts", "list", "--json").json] == ["Harbour"]


# ---- the command line itself ---------------------------------------------------------------------------------------


def test_what_a_server_sends_does_not_steer_the_terminal(fingerpost):
    thng = fingerpost("thngs", "create", "\x1b[31mred [bold]not bold[/bold]", "--json").json
    said = fingerpost("thngs", "show", thng["id"])
    assert "\x1b" not in said.out
    assert "[bold]not bold[/bold]" in said.out


def test_shells_can_complete_commands(fingerpost):
    asked = {"_FINGERPOST_COMPLETE": "complete_bash", "COMP_WORDS": "fingerpost rules s", "COMP_CWORD": "2"}
    script = Path(sys.executable).with_name("fingerpost")
    done = subprocess.run([script], env=fingerpost.shell() | asked, capture_output=True, text=True, check=False)
    assert sorted(done.stdout.split()) == ["schedule", "simulate"]


def test_an_unknown_command_is_usage(fingerpost):
    assert "redirections" in fingerpost("redirection", "list", code=2).err
