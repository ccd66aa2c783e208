"""Objects arrive whole, hashed on the way, or not at all."""

from __future__ import annotations

import hashlib
import os
import stat
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from pytest_django.fixtures import Settings

from hashshare.models import StoredObject
from hashshare.services.objects import check_upload_allowed, prune_objects, store_object
from hashshare.wire import errors, limits
from tests import builders as b

pytestmark = pytest.mark.django_db

BODY = b"not yet parsed"
DIGEST = hashlib.sha256(BODY).hexdigest()


@pytest.fixture
def feed() -> b.Feed:
    return b.feed(b.publisher())


def put(feed: b.Feed, **changes: Any) -> StoredObject:
    options: dict[str, Any] = {
        "caller": feed.publisher.caller,
        "domain": feed.publisher.domain,
        "list_id": feed.list_id,
        "digest": DIGEST,
        "name": "delta-1-2.parquet",
        "chunks": [BODY[:5], BODY[5:]],
        "now": b.now(),
    }
    return store_object(**(options | changes))


def files(feed: b.Feed) -> list[str]:
    folder = Path(settings.HASHSHARE_OBJECTS) / feed.list_id
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def test_it_stores_an_object(feed: b.Feed) -> None:
    row = put(feed)
    assert (row.length, row.published_at) == (len(BODY), None)
    assert files(feed) == [f"{DIGEST}.delta-1-2.parquet"]


def test_it_keeps_objects_from_other_users_wherever_the_store_lies(feed: b.Feed) -> None:
    """Its folder may be one that the operator made; the group is the web server's."""
    usual = os.umask(0)
    try:
        put(feed)
    finally:
        os.umask(usual)
    folder = Path(settings.HASHSHARE_OBJECTS) / feed.list_id
    (file,) = folder.iterdir()
    assert (stat.S_IMODE(folder.stat().st_mode), stat.S_IMODE(file.stat().st_mode)) == (0o750, 0o640)


def test_it_removes_what_a_killed_upload_left(feed: b.Feed) -> None:
    put(feed)
    folder = Path(settings.HASHSHARE_OBJECTS) / feed.list_id
    old, new = folder / ".old.part", folder / ".new.part"
    old.write_bytes(b"half")
    new.write_bytes(b"half")
    os.utime(old, (0, 0))
    prune_objects(now=b.now())
    assert files(feed) == [".new.part", f"{DIGEST}.delta-1-2.parquet"]


def test_it_answers_that_it_has_the_object(feed: b.Feed) -> None:
    put(feed)
    with pytest.raises(errors.AlreadyThere):
        put(feed)
    with pytest.raises(errors.AlreadyThere):
        check_upload_allowed(
            caller=feed.publisher.caller,
            domain=feed.publisher.domain,
            list_id=feed.list_id,
            digest=DIGEST,
            name="delta-1-2.parquet",
            content_length=len(BODY),
            now=b.now(),
        )


def test_it_takes_an_object_again_whose_file_was_lost(feed: b.Feed) -> None:
    put(feed)
    (Path(settings.HASHSHARE_OBJECTS) / feed.list_id / f"{DIGEST}.delta-1-2.parquet").unlink()
    put(feed)
    assert len(files(feed)) == 1


def test_it_keeps_nothing_of_wrong_bytes(feed: b.Feed) -> None:
    with pytest.raises(errors.WrongDigest):
        put(feed, chunks=[BODY, b"!"])
    assert files(feed) == []
    assert not StoredObject.objects.exists()


def test_it_keeps_nothing_of_an_upload_that_breaks_off(feed: b.Feed) -> None:
    def breaking() -> Iterator[bytes]:
        yield BODY[:5]
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        put(feed, chunks=breaking())
    assert files(feed) == []


def test_it_rejects_what_is_too_large(feed: b.Feed) -> None:
    big = b"0" * (limits.MAX_MANIFEST + 1)
    with pytest.raises(errors.TooLarge):
        put(feed, name="manifest.json", chunks=[big], digest=hashlib.sha256(big).hexdigest())
    with pytest.raises(errors.TooLarge):
        put(feed, content_length=limits.MAX_OBJECT + 1)
    assert files(feed) == []


@pytest.fixture
def room_for_two(settings: Settings) -> None:
    """Objects of BODY's length, that no release names."""
    settings.HASHSHARE_UPLOAD_GIB = 2.5 * len(BODY) / 2**30


def other(number: int) -> dict[str, Any]:
    body = f"{number:0{len(BODY)}}".encode()
    return {"digest": hashlib.sha256(body).hexdigest(), "chunks": [body]}


@pytest.mark.usefixtures("room_for_two")
def test_it_takes_no_more_than_there_is_room_for(feed: b.Feed) -> None:
    """Over all lists of the publisher, and without what a release names; other publishers have room of their own."""
    sister = b.feed(feed.publisher, slug="videos")
    put(feed, **other(1))
    put(sister, **other(2))
    with pytest.raises(errors.TooLarge, match=r"28 that no release names.* at most 35") as refused:
        put(feed, **other(3))
    assert refused.value.facts["limit"] == 35
    assert len(files(feed)) == len(files(sister)) == StoredObject.objects.filter(list=feed.row).count() == 1
    with pytest.raises(errors.AlreadyThere):
        put(feed, **other(1))
    put(b.feed(b.publisher("Borealis", "borealis.example")), **other(3))
    StoredObject.objects.filter(list=sister.row).update(published_at=b.now())
    put(feed, **other(3))


@pytest.mark.usefixtures("room_for_two")
def test_it_refuses_what_has_no_room_before_the_body_is_read(feed: b.Feed) -> None:
    read: list[bytes] = []

    def unread() -> Iterator[bytes]:
        read.append(BODY)
        yield BODY

    announced = 3 * len(BODY)
    with pytest.raises(errors.TooLarge):
        put(feed, chunks=unread(), content_length=announced)
    with pytest.raises(errors.TooLarge):
        check_upload_allowed(
            caller=feed.publisher.caller,
            domain=feed.publisher.domain,
            list_id=feed.list_id,
            digest=DIGEST,
            name="delta-1-2.parquet",
            content_length=announced,
            now=b.now(),
        )
    assert not read


@pytest.mark.usefixtures("room_for_two")
def test_what_lost_its_bytes_may_be_filled_again_without_room(feed: b.Feed) -> None:
    put(feed, **other(1))
    put(feed, **other(2))
    for path in (Path(settings.HASHSHARE_OBJECTS) / feed.list_id).iterdir():
        path.unlink()
    put(feed, **other(1))
    assert len(files(feed)) == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("room_for_two")
def test_uploads_at_the_same_time_are_counted_one_after_the_other(feed: b.Feed) -> None:
    together = threading.Barrier(4)

    def chunks(number: int) -> Iterator[bytes]:
        together.wait(timeout=30)  # all were let in: none has a row yet
        yield from other(number)["chunks"]

    def send(number: int) -> bool:
        try:
            put(feed, **(other(number) | {"chunks": chunks(number)}))
        except errors.TooLarge:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(4) as pool:
        taken = list(pool.map(send, range(4)))
    assert sorted(taken) == [False, False, True, True]
    assert len(files(feed)) == StoredObject.objects.count() == 2


@pytest.mark.parametrize("name", ["../manifest.json", "a/b.json", ".hidden.json", "x.exe", "manifest.json\n", ""])
def test_it_rejects_names_that_no_object_has(feed: b.Feed, name: str) -> None:
    with pytest.raises(errors.NotFound):
        put(feed, name=name)


def test_it_rejects_foreign_and_unknown_lists_alike(feed: b.Feed) -> None:
    borealis = b.publisher("Borealis", "borealis.example")
    for changes in (
        {"caller": borealis.caller},
        {"caller": borealis.caller, "domain": "borealis.example"},
        {"list_id": "0" * 16},
        {"domain": "nowhere.example"},
        {"caller": b.member().caller},
    ):
        with pytest.raises(errors.NotEntitled):
            put(feed, **changes)


def test_it_removes_what_nothing_names_after_its_time(feed: b.Feed) -> None:
    feed.publish(feed.first([b.entry()]))
    put(feed)
    before = len(files(feed))
    assert prune_objects(now=b.now() + timedelta(days=13)) == 0
    assert prune_objects(now=b.now() + timedelta(days=15)) == 1
    assert len(files(feed)) == before - 1
