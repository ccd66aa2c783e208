"""Objects in a bucket of a real S3 server that checks every signature."""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import obstore
import pytest
import requests

from hashshare.storage.bucket import BucketStore
from hashshare.storage.checkouts import Checkouts
from hashshare.storage.keys import object_key
from hashshare.storage.place import BucketPlace
from hashshare.wire import errors
from tests.storage.s3 import RunningS3
from tests.system.hub import ROOT

BODY = os.urandom(1000)
BIG = os.urandom(20_000_000)
"""Of three parts."""


def key_of(body: bytes, name: str = "delta-1-2.parquet") -> str:
    return object_key("0" * 16, hashlib.sha256(body).hexdigest(), name)


@pytest.fixture
def place(s3_server: RunningS3, tmp_path: Path) -> BucketPlace:
    return s3_server.place(tmp_path / "checkouts")


@pytest.fixture
def store(place: BucketPlace) -> BucketStore:
    return BucketStore(place)


def kept(store: BucketStore) -> list[str]:
    """Names of all files in the folder of local copies, unfinished ones too."""
    return sorted(path.name for path in store.checkouts.folder.glob("[0-9a-f]*/*"))


@pytest.mark.parametrize("body", [BODY, BIG, b"{}"], ids=["small", "in parts", "tiny"])
def test_it_keeps_an_object(store: BucketStore, body: bytes) -> None:
    key = key_of(body)
    assert store.length(key) is None
    assert store.receive(key, [body[:500], body[500:]], limit=10**9) == len(body)
    assert store.length(key) == len(body)
    assert store.local(key).read_bytes() == body
    assert b"".join(store.read(key, first=0, length=len(body))) == body


def test_it_reads_a_part(store: BucketStore) -> None:
    key = key_of(BODY)
    store.receive(key, [BODY], limit=10**9)
    assert b"".join(store.read(key, first=10, length=20)) == BODY[10:30]
    assert b"".join(store.read(key, first=0, length=0)) == b""


def test_it_lies_under_the_prefix_as_a_mirror_names_it(store: BucketStore, s3_server: RunningS3) -> None:
    before = len(s3_server.requests())
    store.receive(key_of(BODY), [BODY], limit=10**9)
    (line,) = s3_server.requests(after=before)
    assert (line["method"], line["path"], line["code"]) == (
        "PUT",
        f"/objects/{store.place.prefix}/{key_of(BODY)}",
        "OK",
    )


def test_it_keeps_nothing_of_what_is_wrong(store: BucketStore) -> None:
    def breaking() -> Iterator[bytes]:
        yield BODY[:5]
        raise ConnectionResetError

    key = key_of(BODY)
    with pytest.raises(errors.WrongDigest):
        store.receive(key, [BODY, b"!"], limit=10**9)
    with pytest.raises(errors.TooLarge):
        store.receive(key, [BODY], limit=999)
    with pytest.raises(ConnectionResetError):
        store.receive(key, breaking(), limit=10**9)
    assert store.length(key) is None
    assert kept(store) == []


def test_what_is_not_there_is_said_before_anything_is_sent(store: BucketStore) -> None:
    for ask in (lambda: store.local(key_of(BODY)), lambda: store.read(key_of(BODY), first=0, length=5)):
        with pytest.raises(FileNotFoundError):
            ask()
    assert kept(store) == []


def test_it_deletes_here_and_there_and_again(store: BucketStore) -> None:
    key = key_of(BODY)
    store.receive(key, [BODY], limit=10**9)
    store.delete(key)
    store.delete(key)
    assert store.length(key) is None
    assert kept(store) == []


def test_another_machine_fetches_its_own_copy_once(store: BucketStore, place: BucketPlace, tmp_path: Path) -> None:
    key = key_of(BODY)
    store.receive(key, [BODY], limit=10**9)
    other = BucketStore(replace(place, checkouts=tmp_path / "elsewhere"))
    assert other.local(key).read_bytes() == BODY
    store.delete(key)
    assert other.local(key).read_bytes() == BODY
    assert other.local(key).stat().st_mode & 0o777 == 0o600


def test_a_copy_that_is_not_what_its_name_says_is_never_used(store: BucketStore) -> None:
    key = key_of(BODY)
    obstore.put(store.remote, key, b"!" * len(BODY))
    with pytest.raises(errors.WrongDigest):
        store.local(key)
    assert kept(store) == []


def test_keys_that_the_bucket_does_not_know_are_trouble_and_not_absence(place: BucketPlace) -> None:
    stranger = BucketStore(replace(place, secret_access_key="0" * 40))
    with pytest.raises(OSError, match="object storage") as caught:
        stranger.length(key_of(BODY))
    assert not isinstance(caught.value, FileNotFoundError)
    with pytest.raises(OSError, match="object storage"):
        stranger.receive(key_of(BODY), [BODY], limit=10**9)
    assert kept(stranger) == []


def test_no_secret_shows(store: BucketStore, place: BucketPlace) -> None:
    shown = f"{place!r} {store!r} {store.address(key_of(BODY))!r}"
    assert place.secret_access_key not in shown
    assert place.access_key_id not in shown
    assert "Signature" not in shown


# --- presigned addresses ---


def url_of(store: BucketStore, key: str) -> str:
    address = store.address(key)
    assert address is not None
    return address.url


def test_whoever_has_the_address_reads_the_object(store: BucketStore) -> None:
    key = key_of(BODY)
    store.receive(key, [BODY], limit=10**9)
    whole = requests.get(url_of(store, key), timeout=30)
    assert (whole.status_code, whole.content) == (200, BODY)
    assert whole.headers["Content-Type"] == "application/vnd.apache.parquet"
    assert whole.headers["Cache-Control"] == "private, max-age=31536000, immutable"
    part = requests.get(url_of(store, key), headers={"Range": "bytes=10-19"}, timeout=30)
    assert (part.status_code, part.content) == (206, BODY[10:20])


def test_the_signature_is_that_of_the_specification(store: BucketStore) -> None:
    """Computed here from the text of AWS Signature Version 4 for query strings, with no library's help."""
    key, place = key_of(BODY), store.place
    parts = urlsplit(url_of(store, key))
    query = {name: values[0] for name, values in parse_qs(parts.query).items()}
    day, scope = query["X-Amz-Date"][:8], query["X-Amz-Credential"].partition("/")[2]
    assert scope == f"{day}/{place.region}/s3/aws4_request"
    assert (query["X-Amz-Expires"], query["X-Amz-SignedHeaders"]) == ("300", "host")
    unsigned = re.sub(r"&X-Amz-Signature=.*", "", parts.query)
    assert unsigned == "&".join(sorted(unsigned.split("&")))
    canonical = "\n".join(["GET", parts.path, unsigned, f"host:{parts.netloc}", "", "host", "UNSIGNED-PAYLOAD"])
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    text = "\n".join(["AWS4-HMAC-SHA256", query["X-Amz-Date"], scope, digest])
    secret = f"AWS4{place.secret_access_key}".encode()
    for word in (day, place.region, "s3", "aws4_request"):
        secret = hmac.digest(secret, word.encode(), "sha256")
    assert hmac.digest(secret, text.encode(), "sha256").hex() == query["X-Amz-Signature"]


def test_a_changed_address_opens_nothing(store: BucketStore) -> None:
    key, other = key_of(BODY), key_of(BIG)
    for body in (BODY, BIG):
        store.receive(key_of(body), [body], limit=10**9)
    url = url_of(store, key)
    changed = {
        "longer life": url.replace("Expires=300", "Expires=3000"),
        "another object": url.replace(key, other),
        "another signature": url[:-4] + ("0000" if url[-4:] != "0000" else "1111"),
        "none": url.partition("?")[0],
    }
    for what, address in changed.items():
        assert address != url, what
        assert requests.get(address, timeout=30).status_code == 403, what
    for method in ("PUT", "DELETE", "POST"):
        assert requests.request(method, url, timeout=30).status_code == 403, method
    assert store.length(key) == len(BODY)


def test_an_address_ends(place: BucketPlace) -> None:
    store = BucketStore(replace(place, url_seconds=2))
    key = key_of(BODY)
    store.receive(key, [BODY], limit=10**9)
    url = url_of(store, key)
    assert requests.get(url, timeout=30).status_code == 200
    time.sleep(2.1)
    assert requests.get(url, timeout=30).status_code == 403


def test_members_may_know_the_bucket_by_another_address(place: BucketPlace) -> None:
    store = BucketStore(replace(place, public_endpoint="https://storage.example"))
    url = url_of(store, key_of(BODY))
    assert url.startswith(f"https://storage.example/objects/{place.prefix}/{key_of(BODY)}?")


def test_on_aws_the_bucket_is_part_of_the_host_name(place: BucketPlace) -> None:
    store = BucketStore(replace(place, endpoint="", path_style=False))
    assert urlsplit(url_of(store, key_of(BODY))).netloc == "objects.s3.eu-central-1.amazonaws.com"


def test_the_hub_may_send_everything_itself(place: BucketPlace) -> None:
    assert BucketStore(replace(place, url_seconds=0)).address(key_of(BODY)) is None


# --- processes ---

CHECK_OUT = """
import sys
from pathlib import Path
from hashshare.storage.checkouts import Checkouts
def slow():
    print("fetching", flush=True)
    import time
    time.sleep(1)
    yield bytes.fromhex(sys.argv[3])
print(Checkouts(Path(sys.argv[1]), 10**9).get(sys.argv[2], slow).read_bytes().hex() == sys.argv[3])
"""


def test_of_several_processes_one_fetches(tmp_path: Path) -> None:
    command = [sys.executable, "-c", CHECK_OUT, str(tmp_path), key_of(BODY), BODY.hex()]
    running = [subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    said = [process.communicate(timeout=60)[0].split() for process in running]
    assert sorted(said) == [["True"], ["True"], ["True"], ["fetching", "True"]]


def test_a_forked_process_is_told_instead_of_waiting_for_ever(store: BucketStore) -> None:
    assert store.length(key_of(BODY)) is None
    child = os.fork()
    if not child:
        try:
            store.length(key_of(BODY))
        except OSError:
            os._exit(7)
        os._exit(0)
    for _ in range(300):
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            break
        time.sleep(0.1)
    else:
        os.kill(child, 9)
        os.waitpid(child, 0)
        raise AssertionError("the child hangs")
    assert os.waitstatus_to_exitcode(status) == 7


# --- bounded ---


def checked_out(copies: Checkouts, body: bytes, *, age: float = 0.0) -> str:
    key = key_of(body)
    path = copies.get(key, lambda: [body])
    then = time.time() - age
    os.utime(path, (then, then))
    return key


def test_what_was_unused_longest_goes_first(tmp_path: Path) -> None:
    copies = Checkouts(tmp_path, 2500)
    first = checked_out(copies, os.urandom(1000), age=9000)
    second = checked_out(copies, os.urandom(1000), age=8000)
    copies.get(first, lambda: [b"must not be fetched"])
    third = checked_out(copies, os.urandom(1000))
    assert {key for _, _, key in copies.copies()} == {first, third}
    assert second not in {first, third}


def test_what_is_in_use_stays_even_beyond_the_limit(tmp_path: Path) -> None:
    copies = Checkouts(tmp_path, 1500)
    keys = [checked_out(copies, os.urandom(1000)) for _ in range(3)]
    assert sorted(key for _, _, key in copies.copies()) == sorted(keys)


def test_it_forgets_what_a_killed_process_left(tmp_path: Path) -> None:
    copies = Checkouts(tmp_path, 10**9)
    key = checked_out(copies, BODY)
    part = copies.part(key)
    part.write_bytes(b"half")
    copies.drop_unfinished(before=datetime.now(UTC) - timedelta(hours=1))
    assert part.exists()
    copies.drop_unfinished(before=datetime.now(UTC) + timedelta(hours=1))
    assert not part.exists()
    assert (tmp_path / key).exists()
