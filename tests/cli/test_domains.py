"""Short domains from the command line, against a running server."""

import json
import urllib.request


def test_a_domain_is_added_its_links_lead_somewhere_and_it_goes(fingerpost, server):
    assert "go.example is a short domain" in fingerpost("domains", "add", "Go.example").out
    assert [each["domain"] for each in fingerpost("domains", "list", "--json").json][1:] == ["go.example"]
    assert "go.example" in fingerpost("domains", "list").out
    named = ("--name", "Lamp", "--short-domain", "go.example", "--short-id", "LAMP")
    fingerpost("redirections", "create", "https://x.example/", *named)
    headers = {"Host": "go.example", "Accept": "application/json"}
    with urllib.request.urlopen(urllib.request.Request(f"{server.short}/LAMP", headers=headers)) as answer:
        assert json.load(answer)["shortDomain"] == "go.example"
    assert "go.example/LAMP" in fingerpost("domains", "rm", "go.example", "--yes", code=3).err
    fingerpost("redirections", "delete", "go.example/LAMP", "--yes")
    assert "no short domain" in fingerpost("domains", "rm", "go.example", "--yes").out
    assert len(fingerpost("domains", "list", "--json").json) == 1


def test_no_domain_goes_without_being_asked_for(fingerpost):
    fingerpost("domains", "add", "stays.example")
    fingerpost("domains", "rm", "stays.example", code=2)
    assert "stays.example" in fingerpost("domains", "list").out


def test_a_domain_that_is_none_or_the_installations_own_is_refused(fingerpost):
    assert "is no short domain" in fingerpost("domains", "add", "https://go.example", code=3).err
    own = fingerpost("domains", "list", "--json").json[0]["domain"]
    assert "every account keeps" in fingerpost("domains", "rm", own, "--yes", code=3).err
