"""Aurora's analyst at her desk: an enrolled home, commands run as she types them, files of harmless hashes."""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from typer.testing import Result

from hashshare.client.home import Config, Home
from hashshare.wire import keys
from tests.program import call

LIST = "aurora.example/images"


@dataclass(frozen=True)
class Desk:
    """One HASHSHARE_HOME and a folder for files."""

    home: Home
    folder: Path

    def run(self, *words: str | Path) -> Result:
        """`hashshare words...`"""
        return call(*words, home=self.home.path)

    def json(self, *words: str | Path, exit_code: int = 0) -> Any:
        """The one document of `hashshare words... --json`."""
        result = self.run(*words, "--json")
        assert result.exit_code == exit_code, (result.output, result.exception)
        return json.loads(result.stdout)

    def csv(self, rows: Iterable[Sequence[object]], *, header: Sequence[str], name: str = "images.csv") -> Path:
        path = self.folder / name
        with path.open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(header)
            writer.writerows(rows)
        return path


def desk(folder: Path, url: str) -> Desk:
    """Enrolled at `url`."""
    home = Home.open(folder / "home")
    key = keys.generate()
    keys.save(key, home.key_path)
    organisation = {"slug": "aurora", "name": "Aurora", "kind": "hotline", "country": "NL"}
    home.save_config(Config(url, {}, organisation, keys.fingerprint_of(key)))
    return Desk(home, folder)


def entry(number: int, category: str = "A") -> tuple[str, str, str]:
    """sha256, md5, category of a harmless text."""
    text = f"harmless {number}".encode()
    return hashlib.sha256(text).hexdigest(), hashlib.md5(text).hexdigest(), category


HEADER = ("sha256", "md5", "category")


def entries(numbers: Iterable[int]) -> list[tuple[str, str, str]]:
    return [entry(number) for number in numbers]
