"""The commands for operators of a deployment, over a local store and a CloudFormation that says what we want."""

import contextlib

import boto3
import pytest
from botocore.exceptions import ClientError

from fingerpost import keys, wiring
from fingerpost.access.authentication import authenticate
from fingerpost.access.first_account import make_first_account
from fingerpost.access.secrets import RootSecrets
from fingerpost.access.store import ACCOUNT
from fingerpost.aws import deployed, first_account
from fingerpost.aws.deployed import VARIABLES, NoStack, stack_outputs
from fingerpost.resources import Resources
from tests.stores import Crash, SettableClock, crashing, fresh_tables, hooked

ROOTS = RootSecrets(2, {1: bytes(range(32)), 2: bytes(range(1, 33))})
OUTPUTS = {name: f"the {name}" for name in VARIABLES}


def make(tables, clock, *, roots=ROOTS, name="Museum", domain="tn.example"):
    made = make_first_account(tables, roots, name=name, email="op@museum.example", domain=domain, clock=clock)
    return made.account, made.key


def test_the_key_of_the_first_account_opens_it():
    clock = SettableClock()
    with fresh_tables(clock) as tables:
        account, key = make(tables, clock)
        principal = authenticate(tables, key)
        assert (principal.actor, principal.account) == ("operator", account)
        document = Resources(tables.of(account), ACCOUNT).read(account).document
        assert (document["name"], document["shortDomains"]) == ("Museum", ["tn.example"])


def test_to_repeat_it_says_the_same_and_makes_nothing_even_after_a_new_root_secret():
    clock = SettableClock()
    with fresh_tables(clock) as tables:
        first = make(tables, clock, roots=RootSecrets(1, {1: ROOTS.roots[1]}))
        rows = list(tables.main.walk())
        clock.now += 1_000
        assert make(tables, clock, name="Another") == first
        assert list(tables.main.walk()) == rows


def test_a_domain_that_the_deployment_got_later_is_added_in_front():
    clock = SettableClock()
    with fresh_tables(clock) as tables:
        account, _ = make(tables, clock, domain="d111.cloudfront.net")
        make(tables, clock, domain="tn.example")
        document = Resources(tables.of(account), ACCOUNT).read(account).document
        assert document["shortDomains"] == ["tn.example", "d111.cloudfront.net"]


def test_the_domain_that_the_deployment_had_before_stays_that_accounts():
    clock = SettableClock()
    with fresh_tables(clock) as tables:
        account, _ = make(tables, clock, domain="d111.cloudfront.net")
        for _ in range(2):
            make(tables, clock, domain="tn.example")
        assert tables.main.get(keys.short_domain("d111.cloudfront.net")) == {
            "k": "shortDomain",
            "sv": 1,
            "account": account,
            "at": clock.now,
        }
        assert tables.main.get(keys.short_domain("tn.example")) is None


@pytest.mark.parametrize("after", range(8))
def test_what_was_interrupted_is_continued(after):
    clock = SettableClock()
    with fresh_tables(clock) as tables:
        with contextlib.suppress(Crash):
            make(hooked(tables, crashing(after)), clock)
        account, key = make(tables, clock)
        assert authenticate(tables, key).account == account
        assert make(tables, clock) == (account, key)


class CloudFormation:
    def __init__(self, **outputs: str):
        self.outputs = outputs

    def describe_stacks(self, *, StackName: str):
        if StackName != "fingerpost":
            raise ClientError({"Error": {"Code": "ValidationError", "Message": "no such stack"}}, "DescribeStacks")
        listed = [{"OutputKey": name, "OutputValue": value} for name, value in self.outputs.items()]
        return {"Stacks": [{"StackStatus": "CREATE_COMPLETE", "Outputs": listed}]}


def test_a_stack_that_is_not_there_or_not_complete_is_named(monkeypatch, capsys):
    monkeypatch.setattr(boto3, "client", lambda _service: CloudFormation(MainTable="main"))
    with pytest.raises(NoStack, match="fingerpost is CREATE_COMPLETE and lacks ApiUrl, LogTable, RootSecret"):
        stack_outputs("fingerpost")
    assert first_account.main(["--stack", "other", "--email", "a@b.example"]) == 1
    assert "no such stack" in capsys.readouterr().err


def test_the_command_prints_what_there_is_and_the_key(monkeypatch, capsys):
    clock = SettableClock()
    monkeypatch.setattr(boto3, "client", lambda _service: CloudFormation(**OUTPUTS))
    monkeypatch.setattr(deployed.os, "environ", {})
    with fresh_tables(clock) as tables:
        monkeypatch.setattr(wiring, "tables", lambda: tables)
        monkeypatch.setattr(wiring, "root_secrets", lambda: ROOTS)
        assert first_account.main(["--email", "a@b.example"]) == 0
        printed = dict(line.split(maxsplit=1) for line in capsys.readouterr().out.replace("t d", "t-d").splitlines())
        assert authenticate(tables, printed["operator"].split()[-1]).actor == "operator"
    assert deployed.os.environ["FINGERPOST_MAIN_TABLE"] == "the MainTable"
