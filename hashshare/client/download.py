"""One object from the hub to the disk: resumed where it broke off, bounded, its digest checked before it counts.

What is in the file is checked elsewhere; here it is bytes.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Final, TypeVar

from requests import Response

from hashshare.client.answers import chunks
from hashshare.client.home import naming
from hashshare.client.session import Session
from hashshare.wire.errors import MissingObject, NetworkError, NotEntitled, NotFound, TooSlow, WrongDigest
from hashshare.wire.objects import ObjectRef

CHUNK: Final = 1 << 20
DOWNLOADS: Final = 2
"""At once: one is on its way while another is verified."""
RESUMPTIONS: Final = 5
"""How often in a row a download may break off without a byte before the run gives up."""


Item = TypeVar("Item")


class StoppedError(Exception):
    """The run ends; the part stays for the next one."""


class Download:
    """One object on its way into the file `part`. Not safe for use from several threads."""

    def __init__(self, session: Session, url: str, ref: ObjectRef, part: Path, advance: Callable[[int], None]) -> None:
        """`url` is where the object is served; `advance` is told of every byte, kept ones included."""
        self._session, self._url, self._ref, self._part, self._advance = session, url, ref, part, advance
        self._digest = hashlib.sha256()
        self._done = 0

    def run(self, stop: threading.Event) -> None:
        """Complete the part. Raises WrongDigest (the part is removed), NetworkError and refusals (it is kept)."""
        resumed = self._take_up()
        self._receive(stop)
        if resumed and not self._is_right():
            # What an earlier run left may be damaged; only what came in one go is held against the hub.
            self._start_over()
            self._receive(stop)
        if not self._is_right():
            received = self._digest.hexdigest()
            self._start_over()
            raise WrongDigest(
                f"{self._ref.path} does not have the length and SHA-256 that were signed.",
                path=self._ref.path,
                expected=self._ref.sha256,
                received=received,
            )

    def _is_right(self) -> bool:
        return self._done == self._ref.length and self._digest.hexdigest() == self._ref.sha256

    def _start_over(self) -> None:
        self._part.unlink(missing_ok=True)
        self._advance(-self._done)
        self._digest, self._done = hashlib.sha256(), 0

    def _take_up(self) -> bool:
        """Count what an earlier run left; whether there was anything."""
        if not self._part.exists():
            return False
        with self._part.open("rb") as file:
            while block := file.read(CHUNK):
                self._count(block)
        return self._done > 0

    def _count(self, block: bytes) -> None:
        self._digest.update(block)
        self._done += len(block)
        self._advance(len(block))

    def _receive(self, stop: threading.Event) -> None:
        """Append until the signed length is reached, the hub has no more, or it sends too much."""
        failures = 0
        while self._done < self._ref.length:
            start = self._done
            try:
                self._append(self._ask(), stop)
            except TooSlow:
                # It always brings a few bytes, so trying on would never end.
                raise
            except NetworkError:
                failures = 1 if self._done > start else failures + 1
                if failures >= RESUMPTIONS or stop.is_set():
                    raise
                self._session.wait(0.25 * 2**failures)
            else:
                if self._done == start:
                    return

    def _ask(self) -> Response:
        headers = {"Range": f"bytes={self._done}-"} if self._done else None
        try:
            response = self._session.get(self._url, stream=True, headers=headers)
        except (NotEntitled, NotFound) as error:
            raise MissingObject(
                f"The hub does not serve {self._ref.path}, which the signed manifest names.",
                next_step="The last good state stays in use. If it lasts, tell the publisher and the hub's operator.",
                path=self._ref.path,
            ) from error
        continued = response.headers.get("Content-Range", "").startswith(f"bytes {self._done}-")
        if self._done and response.status_code != 416 and not (response.status_code == 206 and continued):
            # The whole object comes although a part was asked for.
            self._start_over()
        return response

    def _append(self, response: Response, stop: threading.Event) -> None:
        if response.status_code == 416:
            response.close()
            return
        with naming(self._part), self._part.open("ab") as file:
            self._part.chmod(0o600)
            for block in chunks(response, hub_url=self._session.hub_url, chunk=CHUNK):
                if stop.is_set():
                    raise StoppedError
                file.write(block)
                self._count(block)
                if self._done > self._ref.length:
                    # Never more on the disk than was signed for, whatever the hub sends.
                    response.close()
                    return


def in_turn(downloads: Mapping[Item, Download], stop: threading.Event) -> Iterator[Item]:
    """What each is called, once its bytes are here, in the order in which they come. `stop` is set where one fails, or
    whoever asks for them ends early.
    """
    with ThreadPoolExecutor(DOWNLOADS, thread_name_prefix="download") as pool:
        pending = {pool.submit(download.run, stop): item for item, download in downloads.items()}
        try:
            for future in as_completed(pending):
                future.result()
                yield pending[future]
        except BaseException:
            stop.set()
            pool.shutdown(wait=False, cancel_futures=True)
            raise
