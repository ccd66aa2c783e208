"""The rival of a member's sync: curl of the same objects, then sha256sum of each."""

from __future__ import annotations

import shutil
import subprocess
import time

from benchmarks.listing import Listing


def seconds_to_curl(listing: Listing) -> tuple[float, int]:
    """Seconds to fetch and digest every object of the list's base and chain, and their bytes."""
    bench = listing.world
    made = bench.cobalt.hashshare("request", "POST", "access-keys", "--data", '{"name": "curl", "days": 1}')
    objects = listing.objects()
    target = bench.folder / "curl"
    target.mkdir()
    config = target / "auth"
    config.write_text(f'header = "Authorization: Bearer {made.document["body"]["key"]}"\n')
    started = time.perf_counter()
    for path, sha256, _ in objects:
        folder, _, name = path.partition("/")
        address = f"{bench.hub.url}/api/v1/tuf/aurora.example/targets/{folder}/{sha256}.{name}"
        subprocess.run(["curl", "-sSf", "-K", config, "-o", target / name, address], check=True, timeout=300)
        digest = subprocess.run(["sha256sum", target / name], check=True, capture_output=True, text=True).stdout
        if not digest.startswith(sha256):
            raise RuntimeError(f"{name} arrived with another digest")
    seconds = time.perf_counter() - started
    shutil.rmtree(target)
    return seconds, sum(length for _, _, length in objects)
