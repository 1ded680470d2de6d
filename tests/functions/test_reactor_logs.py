"""The log of an application over HTTP: written, filtered, paged, deleted."""

import pytest

from fingerpost.ports.runner import LEVELS
from fingerpost.reactor import logs
from tests.functions.lists import walked
from tests.functions.world import DAY, SUNDAY_NOON, Client, World


@pytest.fixture
def path(world: World) -> str:
    return f"/projects/{world.project}/applications/{world.application_id}/reactor/logs"


def messages(client: Client, path: str, **query) -> list[str]:
    return [each["message"] for each in client.read(path, **query)]


def test_one_entry_is_written_and_read(world: World, operator: Client, path):
    made = world.trusted.made(path, {"message": "hello", "logLevel": "warn"})
    assert made == {
        "id": made["id"],
        "app": world.application_id,
        "logLevel": "warn",
        "createdAt": world.clock.now,
        "timestamp": world.clock.now,
        "message": "hello",
    }
    assert operator.read(path) == [made]
    assert operator.made(path, {"message": "plain"})["logLevel"] == "info"
    assert operator.made(path, {"message": "old", "timestamp": SUNDAY_NOON - DAY})["timestamp"] == SUNDAY_NOON - DAY
    assert messages(operator, path)[-1] == "old"


def test_many_entries_are_written_at_once_in_their_order(world: World, operator: Client, path):
    made = world.trusted.made(f"{path}/bulk", [{"message": str(number)} for number in range(5)])
    assert [each["message"] for each in made] == list("01234")
    assert messages(operator, path) == list("43210")
    assert world.trusted.made(f"{path}/bulk", []) == []


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"message": "x"}, "an array"),
        ([{"message": "x"}] * 1001, "1,000 entries"),
        ([{"message": "x"}, {"logLevel": "info"}], "[1].message"),
        ([{"message": "x", "logLevel": "loud"}], "[0].logLevel"),
        ([{"message": "x" * 17_000}], "16,384 bytes"),
        ([{"message": "x", "timestamp": SUNDAY_NOON + DAY + 1}], "[0].timestamp"),
        ([{"message": "x", "timestamp": 253_402_300_799_999}], "more than a day ahead"),
        (["x"], "[0]"),
    ],
)
def test_entries_that_cannot_be_are_refused_and_none_is_written(operator: Client, path, body, told):
    answer = operator.post(f"{path}/bulk", body)
    assert (answer.status, told in answer.error) == (400, True), answer.error
    assert operator.read(path) == []


def test_a_message_names_no_class_of_ours(operator: Client, path):
    assert operator.post(f"{path}/bulk", ["x"]).error == "[0]: Input should be a valid dictionary"


def test_a_repeated_request_writes_once(operator: Client, path):
    for _ in range(2):
        operator.made(path, {"message": "once"}, headers={"idempotency-key": "k"})
    assert messages(operator, path) == ["once"]


def test_the_log_is_filtered_by_level_and_time_and_read_page_by_page(world: World, operator: Client, path):
    times = enumerate(LEVELS, SUNDAY_NOON)
    operator.made(f"{path}/bulk", [{"message": each, "logLevel": each, "timestamp": at} for at, each in times])
    for levels in ("error,warn", ">=warn", ">info", ">=Warn", "w*,e*"):
        asked = f"logLevel{'' if levels.startswith('>') else '='}{levels}"
        assert messages(operator, path, filter=asked) == ["error", "warn"]
    assert messages(operator, path, filter="logLevel<debug,info") == ["debug", "trace"]
    assert messages(operator, path, filter="logLevel>error") == []
    assert messages(operator, path, filter=f"timestamp>{SUNDAY_NOON}&timestamp<{SUNDAY_NOON + 3}") == ["info", "debug"]
    assert messages(operator, path, sortOrder="ASCENDING") == list(LEVELS)
    assert [len(page) for page in walked(operator, f"{path}?perPage=2")] == [2, 2, 1]
    assert "logLevel" in operator.get(path, filter="level=error").error
    assert operator.get(path, nextPageToken="x").document["code"] == "invalidCursor"


@pytest.mark.parametrize("asked", ["=loud", ">=loud", "=warning", ">=w*", "=error,loud"])
def test_a_level_that_there_is_not_is_refused_with_those_that_there_are(operator: Client, path, asked):
    operator.made(path, {"message": "x"})
    for answer in (operator.get(path, filter=f"logLevel{asked}"), operator.delete(path, filter=f"logLevel{asked}")):
        assert answer.status == 400
        assert "logLevel is one of trace, debug, info, warn, error" in answer.error
        assert answer.document["details"][0]["expected"] == list(LEVELS)
    assert messages(operator, path) == ["x"]


def test_the_log_is_deleted_in_whole_or_in_part(world: World, operator: Client, path, monkeypatch):
    operator.made(f"{path}/bulk", [{"message": "d", "logLevel": "debug"}, {"message": "e", "logLevel": "error"}] * 20)
    world.clock.now += 1
    with monkeypatch.context() as small:
        small.setattr(logs, "READ_BUDGET", 10)
        assert operator.delete(path, filter="logLevel=debug").status == 200
        world.clock.now += 1
        operator.made(path, {"message": "later", "logLevel": "debug"})
        world.settle()
    assert operator.read(path, perPage=100)[0]["message"] == "later"
    assert messages(operator, path, perPage=100) == ["later", *["e"] * 20]
    world.clock.now += 1
    operator.delete(path)
    assert operator.read(path) == []


def test_an_application_writes_into_its_own_log_and_reads_none(world: World, operator: Client, path):
    assert world.trusted.get(path).status == 403
    assert world.trusted.delete(path).status == 403
    assert world.application.post(path, {"message": "x"}).status == 403
    other = operator.made(f"/projects/{world.project}/applications", {"name": "Other"})["id"]
    foreign = f"/projects/{world.project}/applications/{other}/reactor/logs"
    assert world.trusted.post(foreign, {"message": "x"}).status == 404
