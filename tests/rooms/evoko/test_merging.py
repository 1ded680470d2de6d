"""What a connection is told brings it from what it has to what it should have, however subscriptions overlap."""

from hypothesis import given
from hypothesis import strategies as st

from fingerpost.rooms.evoko.merging import Document, difference, packed, sent_of, unpacked

FIELDS = st.dictionaries(
    st.sampled_from("abc"), st.integers(0, 2) | st.lists(st.integers(0, 1), max_size=1), max_size=3
)
DOCUMENTS = st.dictionaries(st.sampled_from("vwxyz"), st.builds(Document, st.sampled_from(["r", "s"]), FIELDS))


def merged(client, messages):
    """As a client applies them; it fails as a strict one does."""
    for each in messages:
        match each["msg"]:
            case "added":
                assert each["id"] not in client
                client[each["id"]] = dict(each["fields"])
            case "changed":
                assert each.get("fields") or each.get("cleared")
                client[each["id"]] |= each.get("fields", {})
                for name in each.get("cleared", ()):
                    del client[each["id"]][name]
            case "removed":
                del client[each["id"]]
    return client


@given(DOCUMENTS, DOCUMENTS)
def test_a_client_comes_to_have_what_is_wanted(before, wanted):
    has = {each: sent_of(document) for each, document in before.items()}
    messages, after = difference("c", has, wanted, before.keys() | wanted.keys())
    client = merged({each: dict(document.fields) for each, document in before.items()}, messages)
    assert client == {each: document.fields for each, document in wanted.items()}
    assert after == {each: sent_of(document) for each, document in wanted.items()}
    assert difference("c", after, wanted, after.keys()) == ([], after)


@given(DOCUMENTS, DOCUMENTS)
def test_what_is_out_of_scope_stays_as_it_is(before, wanted):
    has = {each: sent_of(document) for each, document in before.items()}
    messages, after = difference("c", has, wanted, {"v", "w"})
    assert {each["id"] for each in messages} <= {"v", "w"}
    assert {each: sent for each, sent in after.items() if each not in "vw"} == {
        each: sent for each, sent in has.items() if each not in "vw"
    }


def test_only_fields_that_differ_are_told():
    has = {"x": sent_of(Document("r", {"a": 1, "b": 2, "c": 3}))}
    messages, _ = difference("c", has, {"x": Document("r", {"a": 1, "b": 5})}, {"x"})
    assert messages == [{"msg": "changed", "collection": "c", "id": "x", "fields": {"b": 5}, "cleared": ["c"]}]


@given(DOCUMENTS)
def test_what_was_sent_is_kept(documents):
    has = {each: sent_of(document) for each, document in documents.items()}
    assert unpacked(packed(has)) == has
