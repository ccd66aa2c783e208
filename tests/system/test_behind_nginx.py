"""Behind nginx with TLS, by the site that deploy/ ships: signatures hold, nginx sends the objects, ranges resume."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.system.hub import StartHub, free_port, wait_for
from tests.system.machines import enrolled, make_list, random_csv
from tests.system.nginx import Nginx

pytestmark = [
    pytest.mark.services,
    pytest.mark.skipif(not (shutil.which("nginx") and shutil.which("openssl")), reason="needs nginx and openssl"),
]
LIST = "aurora.example/images"


@pytest.fixture
def nginx(tmp_path: Path) -> Iterator[Nginx]:
    folder = tmp_path / "nginx"
    folder.mkdir()
    site = Nginx(folder, free_port())
    site.make_certificate()
    yield site
    site.stop()


def test_it_serves_over_tls_and_lets_nginx_send_objects(nginx: Nginx, start_hub: StartHub, tmp_path: Path) -> None:
    hub = start_hub(HASHSHARE_PUBLIC_URL=nginx.url, HASHSHARE_SENDFILE_PREFIX="/_objects")
    nginx.start(hub_port=hub.port, objects=hub.data / "objects")
    trust = {"REQUESTS_CA_BUNDLE": str(nginx.certificate)}
    trusted = str(nginx.certificate)
    wait_for("nginx", lambda: requests.get(f"{nginx.url}/readyz", verify=trusted, timeout=10).text == "ready\n")

    # A link that was not used yet must not be there for whoever reads the logs.
    assert requests.get(f"{nginx.url}/invitation/7KQ4-M2XF-9D3P/", verify=trusted, timeout=10).status_code == 404
    assert "/readyz" in nginx.log()
    assert "7KQ4" not in nginx.log()

    aurora = enrolled(
        hub, tmp_path / "aurora", kind="hotline", name="Aurora", domain="aurora.example", url=nginx.url, **trust
    )
    cobalt = enrolled(hub, tmp_path / "cobalt", kind="member", name="Cobalt", url=nginx.url, **trust)
    make_list(aurora, LIST)
    assert aurora.run("publish", LIST, random_csv(tmp_path / "first.csv", 5_000))["version"] == 1
    cobalt.run("subscribe", LIST, "--accept-terms")
    aurora.run("grant", LIST, "cobalt", "--until", "2099-01-01")
    (synced,) = cobalt.run("sync")["lists"]
    assert synced["entries"] == 5_000

    (segment,) = (hub.data / "objects").glob("*/*.parquet")
    address = f"{nginx.url}/api/v1/tuf/aurora.example/targets/{segment.parent.name}/{segment.name}"
    key = cobalt.run("request", "POST", "/api/v1/access-keys", "--data", '{"name": "curl", "days": 1}')
    headers = {"Authorization": f"Bearer {secret_of(key)}"}
    whole = requests.get(address, headers=headers, verify=trusted, timeout=30)
    assert whole.status_code == 200
    assert whole.content == segment.read_bytes()
    assert whole.headers["Server"].startswith("nginx")
    assert whole.headers["ETag"] == f'"{segment.name.partition(".")[0]}"'
    assert "private" in whole.headers["Cache-Control"]
    assert "X-Accel-Redirect" not in whole.headers

    rest = requests.get(
        address,
        headers=headers | {"Range": "bytes=100-", "If-Range": whole.headers["ETag"]},
        verify=trusted,
        timeout=30,
    )
    assert rest.status_code == 206
    assert rest.content == segment.read_bytes()[100:]

    inside = f"{nginx.url}/_objects/{segment.parent.name}/{segment.name}"
    assert requests.get(inside, headers=headers, verify=trusted, timeout=30).status_code == 404
    assert requests.get(address, verify=trusted, timeout=30).status_code == 401
    hsts = requests.get(f"{nginx.url}/readyz", verify=trusted, timeout=30).headers
    assert "max-age" in hsts["Strict-Transport-Security"]


def secret_of(document: dict[str, object]) -> str:
    """The key in what `hashshare request` prints of the hub's answer."""
    body = document.get("body", document)
    assert isinstance(body, dict)
    return str(body["key"])
