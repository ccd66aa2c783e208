"""The acts of the story, in order. Each does one thing as its person would, and checks what it then says."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from demo.files import HashedFile, standard_library, write_csv, write_uploads
from demo.hub import Hub
from demo.observer import Login, accept_invitation, first_sign_in, password_alone, read_statistics
from demo.proofs import prove
from demo.second_hub import cross
from demo.stage import Answer, DemoFailedError, Organisation, Stage, require

LIST = "aurora.example/standard-library"
ADDED, WITHDRAWN, COPIES, OTHERS = 120, 3, 25, 175


@dataclass(slots=True)
class Story:
    """Who acts, where, and what they know so far."""

    stage: Stage
    hub: Hub
    folder: Path
    aurora: Organisation
    cobalt: Organisation
    south: Hub | None = None
    files: list[HashedFile] = field(default_factory=list)
    operator: Login | None = None
    observer: Login | None = None

    def tell(self) -> None:
        """Every act, in order; raises DemoFailedError at the first claim that does not hold."""
        self.start_hub()
        self.enrol()
        self.publish()
        self.subscribe_and_sync()
        self.add_and_withdraw()
        self.refuse_tampered_segment()
        self.pull_delta()
        self.watch_withdrawal()
        self.scan()
        self.read_statistics()
        prove(self)
        if self.south:
            cross(self, self.south)

    # --- acts ----------------------------------------------------------------------------------------------------

    def start_hub(self) -> None:
        self.stage.act("1  The hub starts: private PostgreSQL, web server, Celery worker and beat")
        self.hub.start()
        self.stage.fact(f"ready at {self.hub.url}, everything under {self.hub.data}")
        self.operator = Login("operator@north.example", secrets.token_urlsafe(12))
        self.hub.create_operator(self.operator)
        self.operator = first_sign_in(self.hub.url, self.operator)

    def enrol(self) -> None:
        self.stage.act("2  The operator invites a hotline and a member; their machines enrol with keys of their own")
        for organisation, arguments in (
            (self.aurora, ("--kind", "hotline", "--country", "NL", "--domain", "aurora.example")),
            (self.cobalt, ("--kind", "member", "--country", "DE", "--sector", "social-media")),
        ):
            code = self.hub.manage("invite", "--name", organisation.name, *arguments)
            organisation.hashshare("enroll", self.hub.url, code)
            self.stage.fact(f"{organisation.name} is enrolled; its private key never left {organisation.home.name}/")

    def publish(self) -> None:
        self.stage.act("3  Hotline Aurora makes its keys and a list, and publishes")
        made = self.aurora.hashshare("publisher", "init", "aurora.example", "--no-passphrase").document
        self.stage.note(root_fingerprint=made["fingerprint"])
        self.stage.fact(f"root fingerprint {made['fingerprint'][:16]}…, to be told to members by another channel")
        terms = self.folder / "terms.txt"
        terms.write_text("Use these hashes to find and remove known material, and for nothing else.\n")
        self.aurora.hashshare(
            "publisher", "list", "create", LIST, "--algorithms", "sha256,md5,sha1", "--scheme", "uk-abc",
            "--columns", "category,media,first_seen", "--title", "Files of a standard library (harmless)",
            "--terms", str(terms),
        )  # fmt: skip
        self.files = standard_library()
        require(len(self.files) > ADDED + 500, "the standard library has thousands of files")
        first = self.folder / "first.csv"
        rows = write_csv(first, self.files[:-ADDED])
        self.stage.fact(f"{rows:,} files of this Python's standard library hashed (sha256, md5, sha1)")
        answer = self.aurora.hashshare("publish", LIST, str(first))
        require(answer.document["version"] == 1 and answer.document["added"] == rows, "every row is in version 1")
        self._say_job(answer, "publish")
        self.stage.note(files=len(self.files), published=rows, publish_seconds=round(answer.seconds, 2))

    def subscribe_and_sync(self) -> None:
        self.stage.act("4  Member Cobalt asks for the list, is granted it, pins the root, syncs and verifies")
        self.cobalt.hashshare("subscribe", LIST, "--accept-terms")
        waiting = self.aurora.hashshare("requests", LIST).document["subscriptions"]
        require([entry["organisation"]["slug"] for entry in waiting] == ["cobalt"], "Aurora sees Cobalt's request")
        self.aurora.hashshare("grant", LIST, "cobalt", "--until", "2030-01-01")
        self.cobalt.hashshare("pin", "aurora.example", str(self.stage.figures["root_fingerprint"]))
        answer = self.cobalt.hashshare("sync", "--now")
        synced = the_list(answer)
        require(synced["version"] == 1 and synced["entries"] == self.stage.figures["published"], "all of it arrived")
        self.cobalt.hashshare("verify")
        self.stage.fact(f"{synced['entries']:,} entries held, {synced['bytes']:,} bytes fetched, every one verified")
        self.stage.note(full_bytes=synced["bytes"], full_sync_seconds=round(answer.seconds, 2))

    def add_and_withdraw(self) -> None:
        self.stage.act(f"5  Aurora adds {ADDED} entries and withdraws {WITHDRAWN} that were wrong")
        more = self.folder / "more.csv"
        write_csv(more, self.files[-ADDED:])
        self._say_job(self.aurora.hashshare("publish", LIST, str(more), "--changes"), "add")
        wrong = [file.sha256 for file in self.files[:WITHDRAWN]]
        self._say_job(self.aurora.hashshare("withdraw", LIST, *wrong, "--reason", "incorrect"), "withdraw")

    def refuse_tampered_segment(self) -> None:
        self.stage.act("6  Somebody changes one byte of a segment at the hub: Cobalt refuses it and keeps what it has")
        segment = self.hub.newest_segment()
        whole = segment.read_bytes()
        forged = bytearray(whole)
        forged[len(forged) // 2] ^= 1
        segment.chmod(0o600)
        try:
            segment.write_bytes(bytes(forged))
            refused = self.cobalt.hashshare("sync", "--now", expect=4)
        finally:
            segment.write_bytes(whole)
        held = self.cobalt.hashshare("lookup", self.files[0].sha256, expect=7).document
        require(bool(found(held)), "the last good state stays in use after a refused sync, with an alarm")
        self.stage.fact(f"refused with exit 4: {refusal(refused)}")
        self.stage.fact("version 1 stays in use, and whoever looks something up is told so: exit 7")
        self.stage.note(tampered_segment_refused=True)

    def pull_delta(self) -> None:
        self.stage.act("7  Cobalt syncs again: only what changed")
        answer = self.cobalt.hashshare("sync", "--now")
        synced = the_list(answer)
        expected = int(self.stage.figures["published"]) + ADDED - WITHDRAWN
        require(synced["version"] == 3 and synced["entries"] == expected, "the additions and withdrawals arrived")
        gone = self.cobalt.hashshare("lookup", self.files[0].sha256).document
        require(not found(gone), "a withdrawn hash no longer matches")
        share = synced["bytes"] / int(self.stage.figures["full_bytes"])
        self.stage.fact(
            f"version 1 to {synced['version']} in {synced['segments']} segments, {synced['bytes']:,} bytes: "
            f"{share:.1%} of the full list"
        )
        self.stage.note(delta_bytes=synced["bytes"], delta_share_of_full=round(share, 4), entries=synced["entries"])

    def watch_withdrawal(self) -> None:
        self.stage.act("8  Aurora withdraws one more and waits: Cobalt's next sync applies it, and says so signed")
        wrong = self.files[WITHDRAWN].sha256
        with self.aurora.start("withdraw", LIST, wrong, "--reason", "incorrect", "--wait-seconds", "120") as waiting:
            synced = the_list(self.cobalt.hashshare("sync", "--now"))
            while synced["version"] < 4 and not waiting.ended:
                time.sleep(1)
                synced = the_list(self.cobalt.hashshare("sync", "--now"))
            require(synced["acknowledgement"]["sent"], "the sync that applied it told the hub so")
            [withdrawal] = waiting.finish(within=60).document["propagation"]["withdrawals"]
        require((withdrawal["applied"], withdrawal["entitled"]) == (1, 1), "Aurora saw every member apply it")
        [member] = withdrawal["members"]
        self.stage.fact(
            f"version {withdrawal['version']} applied by {member['organisation']['name']} "
            f"{withdrawal['median_seconds']:.1f} s after it was published; nobody is overdue"
        )
        self.stage.note(
            withdrawal_applied_seconds=round(withdrawal["median_seconds"], 2), entries=self.stage.figures["entries"] - 1
        )

    def scan(self) -> None:
        self.stage.act("9  Cobalt scans a folder of uploads that holds copies of some listed files among others")
        uploads = self.folder / "uploads"
        copies = write_uploads(uploads, self.files[WITHDRAWN + 1 :], copies=COPIES, others=OTHERS)
        document = self.cobalt.hashshare("scan", str(uploads)).document
        reported = sorted({Path(match["path"]).name for match in document["matches"]})
        require(reported == copies, "scan reports exactly the copies")
        self.stage.fact(f"{COPIES + OTHERS} files hashed, exactly the {len(reported)} copies reported")
        self.stage.note(scanned=COPIES + OTHERS, matches=len(reported))

    def read_statistics(self) -> None:
        self.stage.act("10  A ministry's adviser reads the coalition's statistics")
        self.hub.manage("invite", "--kind", "partner", "--name", "Delta", "--country", "FR")
        email = "adviser@delta.example"
        link = self.hub.manage("invite-person", "--organisation", "delta", "--role", "observer", "--email", email)
        self.observer = accept_invitation(link, email=email)
        password_alone(self.hub.url, self.observer)
        expected = f"{int(self.stage.figures['entries']):,}"
        text = self.hub.until(lambda: read_statistics(self.hub.url, self.login), lambda page: expected in page)
        require(expected in text, f"the statistics show {expected} entries")
        self.stage.fact(f"the page shows {expected} entries and 1 hotline, members only roughly, and not one hash")
        require(self.files[5].sha256[:12] not in text, "no hash on the statistics page")
        self.stage.note(statistics_entries=int(self.stage.figures["entries"]))

    # --- parts ---------------------------------------------------------------------------------------------------

    @property
    def list_name(self) -> str:
        return LIST

    @property
    def login(self) -> Login:
        if self.observer is None:
            raise DemoFailedError("The observer has no login yet.")
        return self.observer

    def _say_job(self, answer: Answer, name: str) -> None:
        job: dict[str, Any] = answer.document["job"]
        require(job["state"] == "done", f"the job of {name} is done")
        self.stage.fact(
            f"version {answer.document['version']} verified and published by worker {job['worker']}, "
            f"task {job['task_id']}"
        )
        jobs = self.stage.figures.setdefault("jobs", [])
        jobs.append({"of": name, "task_id": job["task_id"], "worker": job["worker"], "job": job["id"]})


def the_list(answer: Answer) -> dict[str, Any]:
    """The one list that a sync's document is about."""
    lists: list[dict[str, Any]] = answer.document["lists"]
    require(len(lists) == 1, "one list was synced")
    return lists[0]


def found(document: dict[str, Any]) -> list[Any]:
    """The matches of a lookup's document."""
    return [match for asked in document["hashes"] for match in asked["matches"]]


def refusal(answer: Answer) -> str:
    """What a refused sync says of its list."""
    for entry in answer.document.get("lists", []):
        if "error" in entry:
            return str(entry["error"]["detail"])
    return str(answer.document.get("error", {}).get("detail", ""))
