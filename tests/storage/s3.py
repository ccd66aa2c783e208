"""Starting the S3 server of the tests, and places in it."""

from __future__ import annotations

import json
import os
import secrets
import socket
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hashshare.storage.place import BucketPlace
from tests.storage.s3_server import BUCKET, KEY_ID, REGION
from tests.system.hub import ROOT, free_port, wait_for


@dataclass
class RunningS3:
    port: int
    log: Path
    process: subprocess.Popen[bytes]
    secret: str = field(repr=False)

    @classmethod
    def start(cls, folder: Path) -> RunningS3:
        port, log, secret = free_port(), folder / "requests", secrets.token_hex(20)
        command = [sys.executable, "-m", "tests.storage.s3_server", str(port), str(log)]
        environment = os.environ | {"HASHSHARE_S3_SECRET": secret}
        with (folder / "output").open("wb") as output:
            process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=output, stderr=output)
        server = cls(port, log, process, secret)
        wait_for("the S3 server", server._answers)
        return server

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def _answers(self) -> bool:
        assert self.process.poll() is None, (self.log.parent / "output").read_text()
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(timeout=30)

    def place(self, checkouts: Path, **changes: Any) -> BucketPlace:
        """A prefix of its own in the one bucket."""
        options = {"prefix": f"hub-{secrets.token_hex(4)}"} | changes
        return BucketPlace(
            bucket=BUCKET,
            region=REGION,
            checkouts=checkouts,
            endpoint=self.url,
            access_key_id=KEY_ID,
            secret_access_key=self.secret,
            **options,
        )

    def environment(self) -> dict[str, str]:
        """What a hub is told of the bucket."""
        return {
            "HASHSHARE_S3_BUCKET": BUCKET,
            "HASHSHARE_S3_ENDPOINT": self.url,
            "HASHSHARE_S3_REGION": REGION,
            "HASHSHARE_S3_PREFIX": f"hub-{secrets.token_hex(4)}",
            "HASHSHARE_S3_ACCESS_KEY_ID": KEY_ID,
            "HASHSHARE_S3_SECRET_ACCESS_KEY": self.secret,
        }

    def requests(self, *, after: int = 0) -> list[dict[str, Any]]:
        """Every request so far, from the given one on: method, path, code (OK or S3's for why it was refused)."""
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        return [json.loads(line) for line in lines[after:]]
