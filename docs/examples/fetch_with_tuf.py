"""Fetch and verify a list with nothing but python-tuf's own client, an access key and the publisher's root file.

    HASHSHARE_ACCESS_KEY=hsk_… python fetch_with_tuf.py https://hub.example aurora.example LIST_ID root.json OUT

`root.json` is version 1 of the publisher's root metadata, whose SHA-256 the publisher has told you. OUT is a folder;
the manifest and every Parquet file it names are there when this ends with 0, each one checked before it was kept.
Only `tuf` and `urllib3` are needed.
"""

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import urllib3
from tuf.api.exceptions import DownloadHTTPError
from tuf.api.metadata import TargetFile
from tuf.ngclient import FetcherInterface, Updater


class AccessKeyFetcher(FetcherInterface):
    """Adds the access key to every request; TUF needs nothing else of the network."""

    def __init__(self, key: str) -> None:
        self._pool = urllib3.PoolManager(headers={"Authorization": f"Bearer {key}"})

    def _fetch(self, url: str) -> Iterator[bytes]:
        response = self._pool.request("GET", url, preload_content=False, redirect=False, timeout=60)
        if response.status == 307:
            # To the hub's object storage. The address is a credential by itself, and ours is not for that host.
            there = response.headers["Location"]
            response = urllib3.request("GET", there, preload_content=False, redirect=False, timeout=60)
        if response.status != 200:
            raise DownloadHTTPError(f"{url} answered {response.status}", response.status)
        return response.stream(1 << 16)


def fetch(hub: str, publisher: str, list_id: str, root: Path, out: Path) -> list[Path]:
    """Fetch the list's manifest and all that it names; returns the files, the manifest first."""
    api = f"{hub.rstrip('/')}/api/v1/tuf/{publisher}"
    (out / "metadata").mkdir(parents=True, exist_ok=True)
    fetcher = AccessKeyFetcher(os.environ["HASHSHARE_ACCESS_KEY"])
    updater = Updater(
        str(out / "metadata"), f"{api}/metadata", str(out), f"{api}/targets", fetcher, bootstrap=root.read_bytes()
    )
    target = updater.get_targetinfo(f"{list_id}/manifest.json")
    if target is None:
        raise SystemExit(f"{publisher} signs no list {list_id}")
    manifest_file = Path(updater.download_target(target))
    manifest = json.loads(manifest_file.read_bytes())

    def download(record: dict[str, object]) -> Path:
        return Path(updater.download_target(TargetFile.from_dict(dict(record), str(record["path"]))))

    index_file = download(manifest["base"]["index"])
    shards = [shard["object"] for shard in json.loads(index_file.read_bytes())["shards"]]
    segments = [segment["object"] for segment in manifest["segments"]]
    return [manifest_file, index_file, *map(download, shards + segments)]


if __name__ == "__main__":
    if len(sys.argv) != 6:
        raise SystemExit(__doc__)
    for file in fetch(sys.argv[1], sys.argv[2], sys.argv[3], Path(sys.argv[4]), Path(sys.argv[5])):
        print(file)
