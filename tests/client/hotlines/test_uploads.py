"""Objects are sent several at a time; the first failure ends it, and what was sent is not sent twice."""

from __future__ import annotations

import hashlib
import threading
from pathlib import Path

import pytest

from hashshare.client.drafts import Upload
from hashshare.client.session import Session
from hashshare.client.uploads import AT_ONCE, upload_all
from hashshare.wire import keys
from hashshare.wire.errors import WrongDigest
from hashshare.wire.objects import ObjectRef
from tests.client.hotlines.north import North

LIST_ID = "00c0ffee00c0ffee"


@pytest.fixture
def session(url: str) -> Session:
    return Session(url, key=keys.generate())


def objects(folder: Path, number: int) -> list[Upload]:
    made = []
    for place in range(number):
        path = folder / f"base-1-{place:04d}.parquet"
        path.write_bytes(f"shard {place}".encode() * 1000)
        body = path.read_bytes()
        ref = ObjectRef(f"{LIST_ID}/{path.name}", len(body), hashlib.sha256(body).hexdigest())
        made.append(Upload(ref, file=path))
    return made


def test_it_sends_each_once_and_says_what_was_new(session: Session, north: North, tmp_path: Path) -> None:
    items, heard = objects(tmp_path, 10), list[Upload]()
    new = upload_all(session, "aurora.example", items, sent=heard.append)
    assert new == sum(item.ref.length for item in items)
    assert {item.ref.path for item in heard} == {item.ref.path for item in items}
    assert set(north.shelf.objects) == {item.ref.stored_path for item in items}
    assert upload_all(session, "aurora.example", items, sent=heard.append) == 0
    assert len(heard) == 20


def test_several_are_on_their_way_at_once(session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every upload waits until as many as may be are under way; one at a time would wait for ever."""
    meeting = threading.Barrier(AT_ONCE, timeout=30)
    real = session.send

    def send(*args: object, **kwargs: object) -> object:
        meeting.wait()
        return real(*args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(session, "send", send)
    assert upload_all(session, "aurora.example", objects(tmp_path, 2 * AT_ONCE), sent=lambda item: None)


def test_a_failure_ends_it_and_what_was_sent_stays(session: Session, north: North, tmp_path: Path) -> None:
    items = objects(tmp_path, 40)
    damaged = items[3].file
    assert damaged is not None
    damaged.write_bytes(b"x" * items[3].ref.length)
    heard = list[Upload]()
    with pytest.raises(WrongDigest):
        upload_all(session, "aurora.example", items, sent=heard.append)
    assert len(north.shelf.objects) < 39
    assert {item.ref.stored_path for item in heard} <= set(north.shelf.objects)
