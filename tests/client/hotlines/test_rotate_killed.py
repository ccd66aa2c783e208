"""`publisher rotate` killed for real, at moments spread over its run: the next one goes on, and a key that works is in
use at every moment.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

from hashshare.client import keyring
from hashshare.client.publisher import OwnPublisher, find_list, own_key
from hashshare.client.signers import open_signer
from hashshare.wire.repository.rotation import feed_keys
from tests.client.hotlines.desk import HEADER, LIST, Desk, entries
from tests.client.hotlines.north import North
from tests.client.hotlines.test_rotate import ALONE, DOMAIN

ROOT = Path(__file__).parents[3]
MOMENTS = (0.5, 0.9, 1.2, 1.5, 1.8)
"""Seconds; an idle machine is done after about two."""


def killed(desk: Desk, seconds: float) -> None:
    command = [sys.executable, "-m", "hashshare", "publisher", "rotate", "feed", DOMAIN, ALONE]
    environment = {**os.environ, "HASHSHARE_HOME": str(desk.home.path), "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(seconds)
    process.kill()
    process.wait()


def test_a_rotation_killed_at_any_moment_is_finished_by_the_next(images: Desk, north: North) -> None:
    images.json("publish", LIST, images.csv(entries(range(20)), header=HEADER))
    mine, list_id = OwnPublisher(images.home, DOMAIN), find_list(images.home, LIST).list_id
    for seconds in MOMENTS:
        killed(images, seconds)
        open_signer(own_key(mine, "feed"), lambda _: None)
    for number in (30, 40):
        done = images.json("publish", LIST, images.csv(entries(range(number)), header=HEADER))
        assert done["entries"] == number
        images.json("publisher", "rotate", "feed", DOMAIN, ALONE)
        assert north.shelf.targets is not None
        assert [key.keyid for key in feed_keys(north.shelf.targets)[list_id]] == [own_key(mine, "feed").keyid]
    assert not keyring.is_under_way(mine)
    assert not [path for path in mine.keys_folder.iterdir() if "next" in path.name or "moving" in path.name]
