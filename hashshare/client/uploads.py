"""Send objects to the hub, several at a time. Files are streamed, so memory does not grow with their number or size."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from typing import Final

from hashshare.client.commits import upload
from hashshare.client.drafts import Upload
from hashshare.client.session import Session

AT_ONCE: Final = 4


def upload_all(session: Session, domain: str, items: Iterable[Upload], *, sent: Callable[[Upload], None]) -> int:
    """PUT every item; bytes that the hub did not have. `sent` hears, in this thread, of each that is there.

    After a first failure nothing more is begun. It may be repeated: nothing is stored twice.
    """
    waiting = list(items)
    if not waiting:
        return 0
    new = 0
    with ThreadPoolExecutor(min(AT_ONCE, len(waiting)), thread_name_prefix="upload") as pool:
        pending: dict[Future[bool], Upload] = {}
        try:
            for item in waiting:
                pending[pool.submit(upload, session, domain, item.ref, file=item.file, body=item.body)] = item
            for future in as_completed(pending):
                item = pending[future]
                new += item.ref.length if future.result() else 0
                sent(item)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return new
