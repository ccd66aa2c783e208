"""The settings of object storage: right as a whole, or the hub does not start and says which name is missing."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from config.object_storage import bucket_place
from hashshare.storage.place import BucketPlace
from tests.system.hub import ROOT, clean_environment

SECRET = "wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY"
WHOLE = {"BUCKET": "objects", "REGION": "eu-central-1", "ACCESS_KEY_ID": "AKIDEXAMPLE", "SECRET_ACCESS_KEY": SECRET}


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """`read(BUCKET="objects", ...)` gives what the settings would be; `sendfile` is HASHSHARE_SENDFILE_PREFIX."""

    def read(*, sendfile: str = "", **values: str) -> BucketPlace | None:
        for name, value in values.items():
            monkeypatch.setenv(f"HASHSHARE_S3_{name}", value)
        return bucket_place(sendfile_prefix=sendfile, checkouts=tmp_path)

    return read


def test_without_a_bucket_objects_lie_in_a_folder(read: Any) -> None:
    assert read() is None


def test_on_aws_a_bucket_and_a_region_are_enough(read: Any, tmp_path: Path) -> None:
    assert read(BUCKET="objects", REGION="eu-central-1") == BucketPlace(
        "objects", "eu-central-1", tmp_path, path_style=False
    )


def test_off_aws_an_endpoint_is(read: Any) -> None:
    place = read(BUCKET="objects", ENDPOINT="https://storage.example/")
    assert (place.endpoint, place.region, place.path_style) == ("https://storage.example", "us-east-1", True)
    assert (place.url_seconds, place.checkouts_bytes) == (300, 20 * 1024**3)


def test_every_name_counts(read: Any) -> None:
    more = {"ENDPOINT": "http://127.0.0.1:9000", "PUBLIC_ENDPOINT": "https://storage.example", "PREFIX": "/hubs/north/"}
    more |= {"PATH_STYLE": "false", "SERVE": "redirect", "URL_SECONDS": "60", "CACHE_GIB": "3"}
    place = read(**WHOLE, **more)
    assert (place.bucket, place.region, place.prefix) == ("objects", "eu-central-1", "hubs/north")
    assert (place.endpoint, place.public_endpoint) == ("http://127.0.0.1:9000", "https://storage.example")
    assert (place.access_key_id, place.secret_access_key) == ("AKIDEXAMPLE", SECRET)
    assert (place.path_style, place.url_seconds, place.checkouts_bytes) == (False, 60, 3 * 1024**3)


def test_the_hub_may_be_told_to_send_everything_itself(read: Any) -> None:
    assert read(**WHOLE, SERVE="stream").url_seconds == 0


def test_a_secret_may_come_from_a_file(read: Any, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(SECRET + "\n")
    without = {name: value for name, value in WHOLE.items() if name != "SECRET_ACCESS_KEY"}
    assert read(**without, SECRET_ACCESS_KEY_FILE=str(tmp_path / "secret")).secret_access_key == SECRET


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"ENDPOINT": "https://storage.example"}, "HASHSHARE_S3_BUCKET is not"),
        ({"SECRET_ACCESS_KEY": SECRET}, "HASHSHARE_S3_BUCKET is not"),
        ({"BUCKET": "objects"}, "HASHSHARE_S3_REGION"),
        ({"BUCKET": "Not a bucket", "REGION": "x"}, "not the name of a bucket"),
        ({"BUCKET": "objects", "REGION": "x", "ACCESS_KEY_ID": "AK"}, "go together"),
        ({"BUCKET": "objects", "REGION": "x", "SECRET_ACCESS_KEY": SECRET}, "go together"),
        ({"BUCKET": "objects", "ENDPOINT": "http://storage.example"}, "HASHSHARE_S3_ENDPOINT is plain http"),
        ({"BUCKET": "objects", "ENDPOINT": "storage.example"}, "HASHSHARE_S3_ENDPOINT is an address"),
        ({"BUCKET": "objects", "ENDPOINT": "https://storage.example/objects"}, "nothing after the host"),
        ({"BUCKET": "objects", "REGION": "x", "PUBLIC_ENDPOINT": "http://10.0.0.1"}, "PUBLIC_ENDPOINT is plain"),
        ({"BUCKET": "objects", "REGION": "x", "PREFIX": "a/../b"}, "HASHSHARE_S3_PREFIX"),
        ({"BUCKET": "objects", "REGION": "x", "PREFIX": "a b"}, "HASHSHARE_S3_PREFIX"),
        ({"BUCKET": "objects", "REGION": "x", "SERVE": "both"}, "HASHSHARE_S3_SERVE"),
        ({"BUCKET": "objects", "REGION": "x", "URL_SECONDS": "301"}, "from 10 to 300"),
        ({"BUCKET": "objects", "REGION": "x", "URL_SECONDS": "-1"}, "from 10 to 300"),
        ({"BUCKET": "objects", "REGION": "x", "SERVE": "stream", "URL_SECONDS": "60"}, "SERVE=redirect"),
        ({"BUCKET": "objects", "REGION": "x", "CACHE_GIB": "some"}, "HASHSHARE_S3_CACHE_GIB"),
    ],
)
def test_what_is_said_by_halves_stops_it(read: Any, values: dict[str, str], said: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=said) as caught:
        read(**values)
    assert SECRET not in str(caught.value)


def test_a_bucket_and_a_folder_for_the_web_server_exclude_each_other(read: Any) -> None:
    with pytest.raises(ImproperlyConfigured, match="HASHSHARE_SENDFILE_PREFIX"):
        read(**WHOLE, sendfile="/_objects")


def test_the_hub_says_it_as_it_starts(tmp_path: Path) -> None:
    environment = clean_environment(HASHSHARE_DATA=str(tmp_path), HASHSHARE_S3_BUCKET="objects")
    command = [sys.executable, "manage.py", "check"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode != 0
    assert "HASHSHARE_S3_REGION" in done.stderr


def test_no_secret_is_in_what_the_settings_show(read: Any) -> None:
    place = read(**WHOLE)
    assert SECRET not in repr(place)
    assert "AKIDEXAMPLE" not in repr(place)
    assert os.environ["HASHSHARE_S3_SECRET_ACCESS_KEY"] == SECRET
