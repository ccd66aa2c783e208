"""The hub's doors: copies of requests, stolen keys, a hostile member, names and addresses that lead astray."""

from __future__ import annotations

import base64
import hashlib
import http.client
import json
import re
import secrets
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from hashshare.client.home import Home
from hashshare.wire import keys
from hashshare.wire.introductions import prove_key
from hashshare.wire.log.acknowledgements import Acknowledgement, sign_acknowledgement
from hashshare.wire.signatures import sign_request
from tests.attacks.between import Between, running
from tests.attacks.scene import DOMAIN, LIST, Scene, Victim, slug
from tests.system.hub import free_port
from tests.system.machines import Machine, enrolled


@pytest.fixture(scope="module")
def mallory(coalition: Scene, tmp_path_factory: pytest.TempPathFactory) -> Machine:
    """An enrolled member with bad intentions and no subscription."""
    home = tmp_path_factory.mktemp("mallory")
    return enrolled(coalition.hub, home / "home", kind="member", name="Mallory", url=coalition.url)


def test_a_replayed_request(scene: Scene, cobalt: Victim) -> None:
    """The very bytes of a signed request, sent once more within its five minutes."""
    cobalt.attempt("request", "POST", "access-keys", "--data", '{"name": "replayed", "days": 1}')
    [(method, path, headers, body)] = [one for one in scene.between.seen if one[1].endswith("/access-keys")]
    again = requests.request(method, scene.url + path, headers=headers, data=body, timeout=30)
    assert (again.status_code, slug(again.json())) == (401, "replayed-request")
    listed = scene.signed("GET", "access-keys", machine=cobalt.machine).json()["access_keys"]
    assert [row["name"] for row in listed].count("replayed") == 1


def test_a_stolen_access_key(scene: Scene, cobalt: Victim) -> None:
    """It reads, it changes nothing, and it is dead the moment that its owner revokes it."""
    made = scene.signed("POST", "access-keys", b'{"name": "lost", "days": 1}', machine=cobalt.machine).json()
    bearer = {"Authorization": f"Bearer {made['key']}"}

    def use(method: str, path: str) -> int:
        return requests.request(method, f"{scene.url}/api/v1/{path}", headers=bearer, json={}, timeout=30).status_code

    assert use("GET", "heads") == 200
    changes = ["acknowledgements", "access-keys", "tokens", f"lists/{LIST}/subscriptions", f"tuf/{DOMAIN}/commits"]
    assert {use("POST", path) for path in changes} <= {401, 403}
    assert scene.signed("DELETE", f"access-keys/{made['id']}", machine=cobalt.machine).status_code in (200, 204)
    assert use("GET", "heads") == 401


def test_an_access_key_is_in_the_database_in_no_readable_form(scene: Scene) -> None:
    dump = scene.hub.manage("dumpdata", "hashshare.accesskey").stdout
    assert "curl" in dump
    assert scene.access_key not in dump
    assert scene.access_key.removeprefix("hsk_").rpartition("_")[2] not in dump


def test_a_stranger(scene: Scene) -> None:
    """Without a key nothing but the descriptor, the public logs and the documentation answers."""
    for path in ("heads", "lists", "status", f"tuf/{DOMAIN}/metadata/1.root.json", "receipts", "access-keys"):
        answer = requests.get(f"{scene.url}/api/v1/{path}", timeout=30)
        assert (answer.status_code, slug(answer.json())) == (401, "not-authenticated"), path


def test_a_hostile_member(scene: Scene, mallory: Machine) -> None:
    """Lists it may not read and lists that are not there: the same answer. Nor may it publish or decide."""
    role = scene.newest(scene.list_id)
    stored = f"tuf/{DOMAIN}/targets/{scene.list_id}/{'0' * 64}.manifest.json"

    def ask(method: str, path: str, body: bytes = b"{}", **headers: str) -> tuple[int, str]:
        told = {"If_Match": '"1"', **headers}
        answer = scene.signed(method, path, b"" if method == "GET" else body, machine=mallory, **told)
        return answer.status_code, slug(answer.json())

    for name in ("timestamp", "1.snapshot", f"1.{scene.list_id}"):
        there = ask("GET", f"tuf/{DOMAIN}/metadata/{name}.json")
        assert there == ask("GET", f"tuf/no.example/metadata/{name}.json") == (403, "not-entitled")
    assert ask("GET", stored) == ask("GET", stored.replace(scene.list_id, "f" * 16)) == (403, "not-entitled")
    assert ask("GET", f"log/{DOMAIN}/audit")[0] == 403
    assert ask("GET", f"lists/{LIST}/propagation")[0] == 403
    assert ask("POST", f"tuf/{DOMAIN}/commits", json.dumps({"roles": {scene.list_id: ""}}).encode())[0] == 403
    assert ask("PUT", stored, Content_Type="application/octet-stream")[0] == 403
    grant = f"lists/{LIST}/subscriptions/mallory/decision"
    assert ask("POST", grant, b'{"decision": "grant"}')[0] == 403
    assert scene.signed("GET", "heads", machine=mallory).json()["lists"] == []
    assert scene.newest(scene.list_id) == role


def statement(scene: Scene, name: str, *, by: Machine) -> bytes:
    """That this organisation holds version 2, signed with the key of that machine."""
    said = Acknowledgement(
        organisation=name,
        hub=scene.url,
        list_name=LIST,
        list_id=scene.list_id,
        version=2,
        purged=0,
        manifest_sha256=hashlib.sha256(scene.manifest(scene.list_id)).hexdigest(),
        at=datetime.now(UTC),
    )
    return sign_acknowledgement(said, key=keys.load(Home.open(by.home).key_path))


def test_somebody_elses_statement_and_receipts(scene: Scene, cobalt: Victim, mallory: Machine) -> None:
    """An acknowledgement in Cobalt's name; and what the hub has logged of Cobalt, which is Cobalt's alone."""
    for name in ("cobalt", "mallory"):
        answer = scene.signed("POST", "acknowledgements", statement(scene, name, by=mallory), machine=mallory)
        assert answer.status_code in (403, 422), answer.text
    told = scene.aurora.run("audit", LIST)
    assert told["problems"] == []
    own = scene.signed("GET", f"receipts?list={LIST}", machine=cobalt.machine)
    rows = [json.loads(row["row"]) for row in own.json()["receipts"]]
    assert {row["kind"] for row in rows} >= {"delivery", "acknowledgement"}
    assert {row["organisation"] for row in rows} == {"cobalt"}
    # The list is in the catalogue, so that Mallory may ask what was logged of her about it: nothing.
    for query in ("", "&after=-1&limit=200", "&organisation=cobalt", "&after=0"):
        answer = scene.signed("GET", f"receipts?list={LIST}{query}", machine=mallory)
        assert (answer.status_code, answer.json()["receipts"]) == (200, []), query
        assert not [row for row in own.json()["receipts"] if row["nonce"] in answer.text]
    answer = scene.signed("GET", f"receipts?list={DOMAIN}/never", machine=mallory)
    assert (answer.status_code, slug(answer.json())) == (403, "not-entitled")
    # Nor are they the hotline's by this way, or a stranger's.
    hers = scene.signed("GET", f"receipts?list={LIST}").json()["receipts"]
    assert {json.loads(row["row"])["organisation"] for row in hers} <= {"aurora"}
    assert requests.get(f"{scene.url}/api/v1/receipts?list={LIST}", timeout=30).status_code == 401


def test_a_statement_signed_with_a_revoked_key(scene: Scene, cobalt: Victim, tmp_path: Path) -> None:
    """A thief states in Cobalt's name, dated before the revocation; handed in by whomever, it is not taken."""
    second = Machine(tmp_path / "second")
    second.run("enroll", scene.url, cobalt.machine.run("key", "add", f"lent-{secrets.token_hex(3)}")["code"])
    stolen = Home.open(second.home).config().key_id
    backdated = statement(scene, "cobalt", by=second)
    cobalt.machine.run("key", "revoke", stolen, "--yes")
    assert scene.signed("GET", "heads", machine=second).status_code == 401
    assert scene.signed("POST", "acknowledgements", backdated, machine=second).status_code == 401
    answer = scene.signed("POST", "acknowledgements", backdated, machine=cobalt.machine)
    assert (answer.status_code, slug(answer.json())) == (422, "signature-threshold"), answer.text
    own = statement(scene, "cobalt", by=cobalt.machine)
    assert scene.signed("POST", "acknowledgements", own, machine=cobalt.machine).status_code in (200, 201, 202)


def test_another_s_key_is_not_introduced(scene: Scene, cobalt: Victim, mallory: Machine) -> None:
    """Else Mallory could bring Cobalt's key into her own name, and have it revoked. Her own proof of it is none."""
    public = keys.public_bytes(keys.load(Home.open(cobalt.machine.home).key_path))
    own = keys.load(Home.open(mallory.home).key_path)
    words = {"hub": scene.url, "introducer": keys.fingerprint_of(own)}
    other = keys.generate()
    for proof in (bytes(64), prove_key(own, **words), prove_key(other, **words)):
        body = {"public_key": encoded(public), "proof": encoded(proof), "name": "mine"}
        answer = scene.signed("POST", "keys", json.dumps(body).encode(), machine=mallory)
        assert answer.status_code in (401, 422), answer.text
    elsewhere = prove_key(other, hub="https://south.example", introducer=words["introducer"])
    body = {"public_key": encoded(keys.public_bytes(other)), "proof": encoded(elsewhere), "name": "mine"}
    assert scene.signed("POST", "keys", json.dumps(body).encode(), machine=mallory).status_code in (401, 422)
    assert scene.signed("GET", "heads", machine=cobalt.machine).status_code == 200
    assert len(scene.signed("GET", "keys", machine=mallory).json()["keys"]) == 1


def encoded(body: bytes) -> str:
    return base64.b64encode(body).decode()


NAMES = [
    "..",
    "../../etc/passwd",
    "..%2f..%2fkeys%2fonline.pem",
    "%2e%2e/%2e%2e/keys/online.pem",
    "a/../../b",
    "/etc/passwd",
]


def sent_as_it_is(hub: str, address: str) -> tuple[int, bytes]:
    """Status and body of a plain GET whose path no client has tidied up before."""
    at = urlsplit(hub)
    connection = http.client.HTTPConnection(str(at.hostname), at.port, timeout=60)
    try:
        connection.request("GET", address.removeprefix(hub))
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


@pytest.mark.parametrize("name", NAMES)
def test_paths_that_climb(scene: Scene, name: str) -> None:
    """In addresses, as names of lists and of objects: nothing outside is read, nothing outside is written."""
    digest = "0" * 64
    paths = [
        f"tuf/{DOMAIN}/metadata/{name}",
        f"tuf/{DOMAIN}/targets/{scene.list_id}/{digest}.{name}",
        f"tuf/{DOMAIN}/targets/{name}/{digest}.manifest.json",
        f"log/{DOMAIN}/tile/{name}",
        f"{scene.url}/log/{name}/checkpoint",
        f"{scene.url}/static/{name}",
    ]
    for path in paths:
        answer = scene.signed("GET", path)
        inside = answer.status_code == 302 and answer.headers["Location"].startswith("/")
        # Sent as "/" by this client: the public page.
        inside = inside or b"signed lists of hashes of known abuse material</title>" in answer.content
        assert inside or answer.status_code in (400, 403, 404), (path, answer.status_code)
        assert b"PRIVATE KEY" not in answer.content
        assert b"root:" not in answer.content
        status, content = sent_as_it_is(scene.url, path if path.startswith("http") else f"{scene.url}/api/v1/{path}")
        assert status in (302, 400, 401, 403, 404), (path, status)
        assert b"PRIVATE KEY" not in content
        assert b"root:" not in content
    body = {
        "publisher": DOMAIN,
        "slug": name,
        "id": "ab" * 8,
        "title": "x",
        "algorithms": ["sha256"],
        "scheme": "uk-abc",
    }
    answer = scene.signed("POST", "lists", json.dumps(body).encode())
    assert (answer.status_code, slug(answer.json())) == (400, "invalid-request")


def test_a_hub_that_names_lists_by_paths(scene: Scene, cobalt: Victim) -> None:
    """What the poll says becomes folders at the member."""
    row = {"name": LIST, "id": "../../../../tmp/x", "publisher": DOMAIN, "role_version": 9, "version": 9}
    scene.between.serve(r"/heads$", body=json.dumps({"lists": [row]}).encode())
    before = sorted(path.name for path in cobalt.machine.home.parent.rglob("*"))
    done = cobalt.attempt("sync")
    assert (done.code, done.error["type"]) == (5, "network"), done
    new = {path.name for path in cobalt.machine.home.parent.rglob("*")} - set(before)
    assert not {name for name in new if name == "x"}


@contextmanager
def listening() -> Iterator[tuple[str, socket.socket]]:
    """A service of this machine that nobody should be sent to."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        yield f"127.0.0.1:{server.getsockname()[1]}", server


def nobody_came(server: socket.socket) -> bool:
    try:
        server.accept()
    except TimeoutError:
        return True
    return False


def test_addresses_given_to_the_hub_are_never_visited(scene: Scene) -> None:
    """Server-side request forgery: every text that a hotline may hand in, as the address of an inner service."""
    with listening() as (inner, server):
        url = f"http://{inner}/"
        body = {
            "publisher": DOMAIN, "slug": "addresses", "id": "cd" * 8, "title": url, "description": url, "terms": url,
            "algorithms": ["sha256"], "scheme": "uk-abc",
            "redistribution": {"policy": "named", "peers": [inner], "not_in": []},
        }  # fmt: skip
        assert scene.signed("POST", "lists", json.dumps(body).encode()).status_code == 201
        scene.signed("GET", f"lists/{DOMAIN}/addresses", Referer=url, Origin=url, X_Forwarded_Host=inner, Forwarded=url)
        scene.signed("POST", "enrolments", json.dumps({"code": url, "public_key": url, "name": url}).encode())
        scene.signed("POST", "acknowledgements", json.dumps({"hub": url, "list": url}).encode())
        assert nobody_came(server)


def test_redirects_lead_a_member_to_no_service_of_its_own(scene: Scene, cobalt: Victim) -> None:
    """A hub on loopback may name loopback, but no credentials go there; plain http:// elsewhere it may not name."""
    with running(Between(free_port(), 0)) as inner:
        inner.serve("", status=404)
        scene.between.serve(r"\.parquet$", status=307, headers={"Location": f"http://127.0.0.1:{inner.port}/x"})
        assert cobalt.sync().code == 5
    assert inner.seen
    for _, _, headers, _ in inner.seen:
        assert not {name.lower() for name in headers} & {"authorization", "signature", "signature-input", "cookie"}
    scene.between.serve(r"\.parquet$", status=307, headers={"Location": "http://192.0.2.1/x"})
    done = cobalt.sync()
    assert done.error["type"] == "insecure-transport", done
    assert cobalt.held()["version"] == 1


def test_a_key_of_small_order_is_not_enrolled(scene: Scene) -> None:
    """Under such a key one signature fits many messages: under this one, every message, and it takes no secret."""
    words = ("invite", "--kind", "member", "--name", "Forger", "--country", "NL")
    code = scene.hub.manage(*words).stdout.strip()
    weak, forged = b"\x01" + bytes(31), b"\x01" + bytes(63)
    Ed25519PublicKey.from_public_bytes(weak).verify(forged, b"whatever")
    body = json.dumps({"code": code, "public_key": base64.b64encode(weak).decode(), "key_name": "x"}).encode()
    prepared = requests.Request(
        "POST", f"{scene.url}/api/v1/enrolments", headers={"Content-Type": "application/json"}, data=body
    ).prepare()
    sign_request(prepared, key=keys.generate(), keyid=keys.fingerprint(weak), now=datetime.now(UTC))
    text = base64.b64encode(forged).decode()
    prepared.headers["Signature"] = re.sub(r"=:[^:]*:", f"=:{text}:", prepared.headers["Signature"])
    with requests.Session() as session:
        assert session.send(prepared, timeout=30).status_code in (400, 401)
    assert keys.fingerprint(weak) not in scene.hub.manage("dumpdata", "hashshare.organisationkey").stdout
