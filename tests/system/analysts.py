"""Two analysts of a hotline at a running hub, doing through its services what they do in the browser."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import requests

from tests.system.hub import RunningHub, wait_for
from tests.system.machines import Machine, enrolled

SCRIPT: Final = """
import hashlib, json, sys
from pathlib import Path
from django.utils import timezone
from hashshare.models import Draft, HashList, Organisation, Person
from hashshare.services import drafts as d
from hashshare.services.people import create_person
from hashshare.services.second_factors import set_authenticator
from hashshare.wire.segments import file_sha256
act, name, told = {act!r}, {name!r}, {told!r}
domain, slug = name.split("/")
found = HashList.objects.select_related("publisher__organisation").get(publisher__domain=domain, slug=slug)
def who(word):
    mail = word + "@" + domain
    known = Person.objects.filter(email=mail).first()
    if known is None:
        known = create_person(
            email=mail, role="analyst", organisation=found.publisher.organisation, password="a sentence nobody guesses")
        key = hashlib.sha1(mail.encode()).digest()
        set_authenticator(person=known, key=key, step=0, now=timezone.now())
    return known
now = timezone.now()
draft = None
if act == "people":
    [who(name) for name in ("ada", "grace", "ida", "joan")]
elif act == "upload":
    path = Path(told)
    draft = d.upload_draft(person=who("ada"), list_id=found.pk, kind="whole", file=path, file_name=path.name,
                           digest=file_sha256(path), now=now)
    draft = d.ask_check(person=who("ada"), draft_id=draft.pk, revision=draft.revision, columns=draft.columns, now=now)
elif act == "withdraw":
    draft = d.draft_withdrawals(person=who("ada"), list_id=found.pk, keys=told, reason="incorrect", now=now)
else:
    draft = Draft.objects.get(pk=told)
    if act == "check":
        columns = draft.columns | {{name: "category" for name in draft.header if name == "class"}}
        d.ask_check(person=who("ada"), draft_id=draft.pk, revision=draft.revision, columns=columns, now=now)
    elif act == "submit":
        d.submit_draft(person=who("ada"), draft_id=draft.pk, revision=draft.revision, now=now)
    elif act == "approve":
        d.approve_draft(person=who("grace"), draft_id=draft.pk, revision=draft.revision, now=now)
if draft is None:
    print(json.dumps({{}}))
    sys.exit()
draft = Draft.objects.get(pk=draft.pk)
version = draft.release.version if draft.release else None
print(json.dumps({{"id": str(draft.pk), "state": draft.state, "version": version, "problem": draft.problem,
                  "findings": draft.findings, "hosted": found.hosted}}))
"""


@dataclass(frozen=True, slots=True)
class UploadDesk:
    """The desk of the list `name`."""

    hub: RunningHub
    name: str

    def do(self, act: str, told: str | Path) -> dict[str, Any]:
        code = SCRIPT.format(act=act, name=self.name, told=str(told))
        answer = self.hub.manage("shell", "-v", "0", "-c", code).stdout.strip().splitlines()[-1]
        return dict(json.loads(answer))

    def reaches(self, draft: str, *states: str, seconds: float = 90) -> dict[str, Any]:
        """The draft once it is in one of `states`."""

        def look() -> dict[str, Any] | None:
            now = self.do("look", draft)
            return now if now["state"] in states else None

        return dict(wait_for(f"the upload to be {states}: {self.hub.worker_log()[-3000:]}", look, seconds=seconds))

    def approved(self, act: str, told: str | Path) -> str:
        """Uploaded, checked, submitted by one and approved by the other; its id."""
        draft = str(self.do(act, told)["id"])
        self.reaches(draft, "checked")
        self.do("submit", draft)
        self.do("approve", draft)
        return draft


DECLARED = ("--algorithms", "sha256", "--scheme", "uk-abc", "--columns", "category")


def hotline(hub: RunningHub, folder: Path, *options: str) -> tuple[Machine, UploadDesk]:
    """A hotline with a root and a list, hosted or not."""
    domain = f"aurora-{secrets.token_hex(4)}.example"
    machine = enrolled(hub, folder / "aurora", kind="hotline", name=f"Aurora {domain}", domain=domain)
    machine.run("publisher", "init", domain, "--no-passphrase")
    name = f"{domain}/images"
    machine.run("publisher", "list", "create", name, *DECLARED, *options)
    return machine, UploadDesk(hub, name)


def subscriber(hub: RunningHub, folder: Path, owner: Machine, desk: UploadDesk) -> Machine:
    name = f"Cobalt {secrets.token_hex(4)}"
    member = enrolled(hub, folder / "cobalt", kind="member", name=name)
    member.run("subscribe", desk.name, "--accept-terms")
    organisation = member.run("status")["organisation"]["slug"]
    owner.run("grant", desk.name, organisation, "--until", "2099-01-01")
    return member


COOKIE: Final = """
from django.test import Client
from hashshare.models import Person
from tests.admin.cast import sign_in
client = Client()
sign_in(client, Person.objects.get(email={email!r}))
print(client.cookies["sessionid"].value)
"""


def browser_of(desk: UploadDesk, name: str) -> requests.Session:
    """An analyst's browser, signed in at the hub."""
    email = f"{name}@{desk.name.partition('/')[0]}"
    code = COOKIE.format(email=email)
    cookie = desk.hub.manage("shell", "--no-imports", "-c", code).stdout.strip().splitlines()[-1]
    browser = requests.Session()
    browser.trust_env = False
    browser.cookies.set("sessionid", cookie)
    return browser
