import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fingerpost.aws.stream import batch_item_failures, changes, stream_event
from fingerpost.ports.table import Change, Key

AT = 1_750_000_000_000


def record(name: str, *, old=None, new=None, at=AT / 1000, identity=None) -> dict[str, object]:
    stream = {
        "ApproximateCreationDateTime": at,
        "Keys": {"pk": {"S": "t#A"}, "sk": {"S": "doc"}},
        "SequenceNumber": "111",
        "SizeBytes": 26,
        "StreamViewType": "NEW_AND_OLD_IMAGES",
    }
    for image, typed in (("OldImage", old), ("NewImage", new)):
        if typed is not None:
            stream[image] = {"pk": {"S": "t#A"}, "sk": {"S": "doc"}, **typed}
    return {"eventName": name, "eventSource": "aws:dynamodb", "dynamodb": stream} | (
        {"userIdentity": identity} if identity else {}
    )


def change(**parts) -> Change:
    [found] = changes({"Records": [record(**parts)]})
    return found


def test_a_new_row_has_no_old_image():
    assert change(name="INSERT", new={"a": {"N": "1"}}) == Change(
        sequence="111", key=Key("t#A", "doc"), old=None, new={"a": 1}, at=AT
    )


def test_the_adapters_own_fields_are_not_shown():
    own = {"w": {"S": "token"}, "expires": {"N": str(AT)}}
    found = change(name="MODIFY", old={"a": {"N": "1"}} | own, new={"a": {"N": "2"}} | own)
    assert (found.old, found.new) == ({"a": 1}, {"a": 2})


def test_a_removal_has_no_new_image():
    found = change(name="REMOVE", old={"a": {"N": "1"}})
    assert (found.old, found.new, found.expired) == ({"a": 1}, None, False)


@pytest.mark.parametrize(
    ("identity", "expired"),
    [
        ({"type": "Service", "principalId": "dynamodb.amazonaws.com"}, True),
        ({"type": "Service", "principalId": "other.amazonaws.com"}, False),
        ({"type": "AssumedRole", "principalId": "dynamodb.amazonaws.com"}, False),
        (None, False),
    ],
)
def test_what_the_service_removed_has_expired(identity, expired):
    assert change(name="REMOVE", old={"a": {"N": "1"}}, identity=identity).expired is expired


def test_what_is_removed_after_its_time_has_expired():
    found = change(name="REMOVE", old={"a": {"N": "1"}, "expires": {"N": str(AT // 1000)}})
    assert found.expired
    assert found.old == {"a": 1}


def test_a_row_written_over_after_its_time_was_absent():
    late = {"a": {"N": "1"}, "expires": {"N": str(AT // 1000)}}
    early = {"a": {"N": "1"}, "expires": {"N": str(AT // 1000 + 1)}}
    assert change(name="MODIFY", old=late, new={"a": {"N": "2"}}).old is None
    assert change(name="MODIFY", old=early, new={"a": {"N": "2"}}).old == {"a": 1}


names = st.text("abcd", min_size=1, max_size=3)
items = st.dictionaries(
    names, st.none() | st.booleans() | st.integers(1 - 10**38, 10**38 - 1) | st.text() | st.binary(), max_size=3
)
keys = st.builds(Key, names, names)
ats = st.integers(0, 4_102_444_800_000)
made = st.builds(Change, sequence=names, key=keys, old=st.none() | items, new=items, at=ats)
removed = st.builds(
    Change, sequence=names, key=keys, old=st.none() | items, new=st.none(), at=ats, expired=st.booleans()
)


@settings(max_examples=60, deadline=None)
@given(st.lists(made | removed, max_size=4))
def test_the_local_pumps_event_reads_as_the_changes_it_was_made_of(feed):
    assert changes(stream_event(feed)) == feed


def test_failures_are_reported_by_sequence():
    assert batch_item_failures(["7", "9"]) == {"batchItemFailures": [{"itemIdentifier": "7"}, {"itemIdentifier": "9"}]}
    assert batch_item_failures([]) == {"batchItemFailures": []}
