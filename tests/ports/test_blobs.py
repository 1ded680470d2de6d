"""The contract of `Blobs`, on a folder and on S3 as moto plays it; then what only one of them can meet."""

import errno
import itertools
import os
import stat
import threading
import time
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import boto3
import pytest
import requests
from botocore.awsrequest import AWSResponse
from botocore.exceptions import EndpointConnectionError
from hypothesis import given
from hypothesis import strategies as st
from moto import mock_aws

from fingerpost.aws.blobs import S3Blobs, s3_blobs
from fingerpost.clock import DAY_MS
from fingerpost.local.blobs import FolderBlobs
from fingerpost.ports.blobs import MAX_BLOB_BYTES, MAX_NAME_LENGTH, Blob, BlobFacts, Blobs, check_name
from fingerpost.ports.table import Throttled, Unreachable

BUCKET = "blobs-under-contract"
REGION = "eu-west-1"
BINARY = bytes(range(256)) + b"\r\n\n"


@pytest.fixture(scope="module")
def bucket() -> Iterator[Any]:
    patch = pytest.MonkeyPatch()
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        patch.setenv(name, "testing")
    patch.setenv("AWS_DEFAULT_REGION", REGION)
    with mock_aws():
        client = boto3.client("s3")
        client.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
        yield client
    patch.undo()


@pytest.fixture
def s3(bucket: Any) -> S3Blobs:
    for found in bucket.list_objects_v2(Bucket=BUCKET).get("Contents", ()):
        bucket.delete_object(Bucket=BUCKET, Key=found["Key"])
    return s3_blobs(BUCKET)


@pytest.fixture(params=["folder", "s3"])
def blobs(request: pytest.FixtureRequest, tmp_path: Path) -> Blobs:
    return FolderBlobs(tmp_path) if request.param == "folder" else request.getfixturevalue("s3")


# ---- the contract --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("content", [b"", b"x", b"\n", BINARY, b"x" * 300_000], ids=len)
def test_what_was_put_is_read_back_with_its_type_and_size(blobs, content):
    assert blobs.put_if_absent("a/b.bin", content, content_type="application/octet-stream") is True
    assert blobs.get("a/b.bin") == Blob(content, "application/octet-stream")
    assert blobs.head("a/b.bin") == BlobFacts(len(content), "application/octet-stream")


def test_a_name_that_nothing_has_is_none(blobs):
    assert blobs.get("absent") is None
    assert blobs.head("absent") is None


def test_a_second_put_of_a_name_leaves_the_first_as_it_was(blobs):
    assert blobs.put_if_absent("once", b"first", content_type="text/plain") is True
    assert blobs.put_if_absent("once", b"second", content_type="image/png") is False
    assert blobs.get("once") == Blob(b"first", "text/plain")


def test_a_deleted_name_is_free_again(blobs):
    blobs.delete("gone")
    blobs.put_if_absent("gone", b"1", content_type="text/plain")
    blobs.delete("gone")
    blobs.delete("gone")
    assert blobs.get("gone") is None
    assert blobs.put_if_absent("gone", b"2", content_type="text/plain") is True
    assert blobs.get("gone") == Blob(b"2", "text/plain")


@pytest.mark.parametrize("name", ["a" * (MAX_NAME_LENGTH + 1), "a/" * 10 + "a"])
def test_a_name_that_is_too_long_or_too_deep_is_refused(blobs, name):
    with pytest.raises(ValueError, match="name of a blob"):
        blobs.put_if_absent(name, b"", content_type="a/b")


def test_names_are_told_apart_to_the_last_character(blobs):
    names = ["a", "a/b", "a/b/c", "a.b", "a-b", "a_b", "-", "a" * MAX_NAME_LENGTH, "a/" * 9 + "a"]
    for name in names:
        assert blobs.put_if_absent(name, name.encode(), content_type="text/plain"), name
    assert [blobs.get(name).content.decode() for name in names] == names


@pytest.mark.parametrize(
    "name",
    [
        "",
        "/",
        "/a",
        "a/",
        "a//b",
        ".",
        "..",
        "a/../b",
        "../a",
        "a/.b",
        ".new/a",
        "A",
        "a b",
        "a\\b",
        "a!b",
        "é",
        "a\n",
        "a\0",
    ],
)
def test_what_is_no_name_is_refused_by_every_call(blobs, name):
    for call in (blobs.get, blobs.head, blobs.delete, lambda name: blobs.put_if_absent(name, b"", content_type="a/b")):
        with pytest.raises(ValueError, match="name of a blob"):
            call(name)


@pytest.mark.parametrize(
    "kind", ["", "png", "image/", "a/b\r\nx-amz-acl: public-read", "a/b; c", "a/" + "b" * 61, "é/b"]
)
def test_what_is_no_content_type_is_refused(blobs, kind):
    with pytest.raises(ValueError, match="content type"):
        blobs.put_if_absent("a", b"", content_type=kind)
    assert blobs.head("a") is None


def test_a_content_type_may_name_its_encoding(blobs):
    blobs.put_if_absent("a", b"a,b", content_type="text/csv; charset=utf-8")
    assert blobs.get("a").content_type == blobs.head("a").content_type == "text/csv; charset=utf-8"


def test_a_blob_of_10_mib_is_kept_and_a_byte_more_is_refused(blobs):
    assert blobs.put_if_absent("most", b"x" * MAX_BLOB_BYTES, content_type="a/b")
    assert blobs.head("most") == BlobFacts(MAX_BLOB_BYTES, "a/b")
    with pytest.raises(ValueError, match="at most 10485760 bytes"):
        blobs.put_if_absent("more", b"x" * (MAX_BLOB_BYTES + 1), content_type="a/b")
    assert blobs.head("more") is None


def test_of_several_who_put_at_once_one_writes(blobs):
    start, answers = threading.Barrier(4), {}

    def put(number: int) -> None:
        start.wait()
        answers[number] = blobs.put_if_absent("race", str(number).encode() * 1_000, content_type="a/b")

    threads = [threading.Thread(target=put, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    [winner] = [number for number, wrote in answers.items() if wrote]
    assert len(answers) == 4
    assert blobs.get("race").content == str(winner).encode() * 1_000


@given(st.text())
def test_no_name_can_climb_out_of_a_folder(name):
    try:
        check_name(name)
    except ValueError:
        return
    assert all(part and not part.startswith(".") for part in name.split("/"))


# ---- a folder ------------------------------------------------------------------------------------------------------


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_a_folder_holds_one_private_file_for_a_blob_and_nothing_else(tmp_path):
    blobs = FolderBlobs(tmp_path / "blobs")
    blobs.put_if_absent("a/b.txt", b"1", content_type="text/plain")
    blobs.put_if_absent("a/b.txt", b"2", content_type="text/plain")
    [path] = files(tmp_path)
    assert path == tmp_path / "blobs" / sha256(b"a/b.txt").hexdigest()[:2] / "a!b.txt"
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    assert path.read_bytes() == b"text/plain\n1"


def test_another_process_sees_what_was_put(tmp_path):
    FolderBlobs(tmp_path).put_if_absent("a", b"1", content_type="text/plain")
    assert FolderBlobs(tmp_path).get("a") == Blob(b"1", "text/plain")


def test_a_blob_is_on_disk_before_it_has_its_name_and_its_name_before_the_put_answers(tmp_path, monkeypatch):
    blobs = FolderBlobs(tmp_path)
    blobs.put_if_absent("a", b"1", content_type="text/plain")
    blobs.delete("a")
    done = []
    sync, link = os.fsync, os.link

    def watched_sync(descriptor: int) -> None:
        done.append("shelf on disk" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "content on disk")
        sync(descriptor)

    def watched_link(source: Path, target: Path) -> None:
        done.append("named")
        link(source, target)

    monkeypatch.setattr(os, "fsync", watched_sync)
    monkeypatch.setattr(os, "link", watched_link)
    blobs.put_if_absent("a", b"1", content_type="text/plain")
    assert done == ["content on disk", "named", "shelf on disk"]
    blobs.delete("a")
    assert done[3:] == ["shelf on disk"]


def test_a_put_that_fails_before_its_end_leaves_nothing(tmp_path, monkeypatch):
    blobs = FolderBlobs(tmp_path)

    def fails(_descriptor: int) -> None:
        raise OSError(errno.EIO, "disk fault")

    monkeypatch.setattr(os, "fsync", fails)
    with pytest.raises(OSError, match="disk fault"):
        blobs.put_if_absent("a", b"1", content_type="text/plain")
    assert (blobs.get("a"), files(tmp_path)) == (None, [])


def test_a_folder_without_room_is_throttled(tmp_path, monkeypatch):
    blobs = FolderBlobs(tmp_path)

    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(Throttled, match="no room"):
        blobs.put_if_absent("a", b"1", content_type="text/plain")
    assert files(tmp_path) == []


def test_what_a_dead_process_left_half_written_goes_after_a_day(tmp_path):
    FolderBlobs(tmp_path)
    left = tmp_path / ".new" / "1.abc"
    left.write_bytes(b"half")
    written_at = round(left.stat().st_mtime * 1000)
    FolderBlobs(tmp_path, clock=lambda: written_at + DAY_MS - 1_000)
    assert left.exists()
    FolderBlobs(tmp_path, clock=lambda: written_at + DAY_MS + 1_000)
    assert not left.exists()


def test_a_full_shelf_gives_up_its_oldest_blob_and_no_other_shelf_does(tmp_path):
    blobs = FolderBlobs(tmp_path, keep=3)
    by_shelf: dict[str, list[str]] = {}
    for number in range(600):
        name = f"n{number}"
        by_shelf.setdefault(sha256(name.encode()).hexdigest()[:2], []).append(name)
    one, two = sorted(by_shelf.values(), key=len)[-2:]
    blobs.put_if_absent(two[0], b"", content_type="a/b")
    for age, name in enumerate(one[:5]):
        blobs.put_if_absent(name, b"", content_type="a/b")
        path = tmp_path / sha256(name.encode()).hexdigest()[:2] / name
        os.utime(path, (1_000_000 + age, 1_000_000 + age))
    assert [name for name in one[:5] if blobs.head(name)] == one[2:5]
    assert blobs.head(two[0])


def test_a_new_blob_is_not_given_up_for_older_ones_from_the_future(tmp_path):
    blobs = FolderBlobs(tmp_path, keep=1)
    shelf = sha256(b"n0").hexdigest()[:2]
    other = next(
        name for name in map("n{}".format, itertools.count(1)) if sha256(name.encode()).hexdigest()[:2] == shelf
    )
    blobs.put_if_absent("n0", b"", content_type="a/b")
    os.utime(tmp_path / shelf / "n0", (10**11, 10**11))
    blobs.put_if_absent(other, b"", content_type="a/b")
    assert (blobs.head("n0"), blobs.head(other)) == (None, BlobFacts(0, "a/b"))


# ---- S3 ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def troubled(s3: S3Blobs, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Plans what comes of the next calls: a status in place of their answers, an exception, or None for no trouble.

    moto does what it is asked before its answer is replaced, so that such an answer is one that was lost.
    """
    monkeypatch.setattr(time, "sleep", lambda _seconds: None)

    def plan(action: str, *troubles: int | Exception | None) -> None:
        script = list(troubles)

        def before_send(request: Any, **_: Any) -> AWSResponse | None:
            match script.pop(0) if script else None:
                case Exception() as trouble:
                    raise trouble
                case int(status):
                    return AWSResponse(request.url, status, {}, Answered(b""))
                case _:
                    return None

        s3._client.meta.events.register_first(f"before-send.s3.{action}", before_send)

    return plan


class Answered:
    """The body of an answer, as urllib3 would give it."""

    def __init__(self, body: bytes):
        self._body = body

    def stream(self, **_: Any) -> Iterator[bytes]:
        yield self._body

    def read(self, *_: Any) -> bytes:
        return self._body


def test_a_put_whose_answer_was_lost_knows_that_it_wrote(s3, troubled):
    troubled("PutObject", 500)
    assert s3.put_if_absent("a", b"1", content_type="a/b") is True
    assert s3.get("a") == Blob(b"1", "a/b")


def test_a_put_whose_answer_was_lost_knows_that_another_had_written(s3, troubled):
    s3.put_if_absent("a", b"1", content_type="a/b")
    troubled("PutObject", 500)
    assert s3.put_if_absent("a", b"2", content_type="a/b") is False
    assert s3.get("a") == Blob(b"1", "a/b")


def test_a_put_that_meets_another_under_way_is_begun_again(s3, troubled):
    s3.put_if_absent("a", b"1", content_type="a/b")
    troubled("PutObject", 409, 409)
    assert s3.put_if_absent("a", b"2", content_type="a/b") is False


def test_puts_that_keep_meeting_others_are_throttled(s3, troubled):
    troubled("PutObject", *[409] * 20)
    with pytest.raises(Throttled, match="other writes"):
        s3.put_if_absent("a", b"1", content_type="a/b")


@pytest.mark.parametrize(
    ("trouble", "told"),
    [(503, Throttled), (429, Throttled), (500, Unreachable), (EndpointConnectionError(endpoint_url="x"), Unreachable)],
)
@pytest.mark.parametrize("action", ["PutObject", "GetObject", "HeadObject", "DeleteObject"])
def test_trouble_that_lasts_is_told_as_every_port_tells_it(s3, troubled, action, trouble, told):
    troubled(action, *[trouble] * 20)
    calls: dict[str, Callable[[], object]] = {
        "PutObject": lambda: s3.put_if_absent("a", b"1", content_type="a/b"),
        "GetObject": lambda: s3.get("a"),
        "HeadObject": lambda: s3.head("a"),
        "DeleteObject": lambda: s3.delete("a"),
    }
    with pytest.raises(told):
        calls[action]()


def test_trouble_that_passes_is_not_noticed(s3, troubled):
    s3.put_if_absent("a", b"1", content_type="a/b")
    troubled("GetObject", EndpointConnectionError(endpoint_url="x"))
    assert s3.get("a") == Blob(b"1", "a/b")


def test_a_bucket_that_is_not_there_is_a_fault_of_the_deployment(s3):
    with pytest.raises(Exception, match="NoSuchBucket"):
        s3_blobs("absent").get("a")


def test_a_bucket_holds_the_content_type_for_whoever_serves_it(s3, bucket):
    s3.put_if_absent("a.png", b"1", content_type="image/png")
    assert bucket.get_object(Bucket=BUCKET, Key="a.png")["ContentType"] == "image/png"


def test_what_is_put_to_an_upload_address_is_a_blob(s3: S3Blobs):
    address = s3.upload_address("uploads/rooms", content_type="text/csv", seconds=60)
    assert address is not None
    assert address.startswith(f"https://{BUCKET}.s3.{REGION}.amazonaws.com/"), "a young bucket is known there alone"
    assert "X-Amz-Algorithm=AWS4-HMAC-SHA256" in address, "buckets of today take no older signature"
    answer = requests.put(address, data=BINARY, headers={"content-type": "text/csv"}, timeout=10)
    assert answer.status_code == 200
    assert s3.get("uploads/rooms") == Blob(BINARY, "text/csv")


def test_a_folder_has_no_upload_address(tmp_path: Path):
    assert FolderBlobs(tmp_path).upload_address("uploads/rooms", content_type="text/csv", seconds=60) is None
