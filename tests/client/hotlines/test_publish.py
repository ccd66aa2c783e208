"""`publish`: a first version, differences, nothing new, dry runs, operations only."""

from __future__ import annotations

import json

from hashshare.client.publisher import find_list
from hashshare.client.store import Held, ListStore
from tests.client.hotlines.desk import HEADER, LIST, Desk, entries, entry
from tests.client.hotlines.north import North


def held(desk: Desk) -> Held | None:
    return ListStore(desk.home, find_list(desk.home, LIST).list_id).held()


def test_it_publishes_a_first_version_as_a_base(images: Desk, north: North) -> None:
    done = images.json("publish", LIST, images.csv(entries(range(50)), header=HEADER))
    assert (done["before"], done["version"], done["entries"], done["added"]) == (None, 1, 50, 50)
    manifest = north.shelf.manifests[done["list_id"]]
    assert (manifest.version, manifest.base.entries, manifest.segments) == (1, 50, ())
    now = held(images)
    assert now is not None
    assert (now.version, now.entries) == (1, 50)


def test_it_publishes_the_difference_to_the_version_before(images: Desk, north: North) -> None:
    images.json("publish", LIST, images.csv(entries(range(300)), header=HEADER))
    changed = [entry(0, "B"), *entries(range(1, 310))]
    done = images.json("publish", LIST, images.csv(changed, header=HEADER))
    assert (done["before"], done["version"]) == (1, 2)
    assert (done["added"], done["updated"], done["withdrawn"], done["unchanged"]) == (10, 1, 0, 299)
    segment = north.shelf.manifests[done["list_id"]].segments[-1]
    assert (segment.upserts, segment.withdrawals) == (11, 0)


def test_it_publishes_nothing_when_the_list_says_it_already(images: Desk, north: North) -> None:
    file = images.csv(entries(range(50)), header=HEADER)
    images.json("publish", LIST, file)
    north.asked.clear()
    done = images.json("publish", LIST, file)
    assert (done["published"], done["before"], done["version"], done["unchanged"]) == (False, 1, 1, 50)
    assert not [path for method, path in north.asked if method == "PUT" or path.endswith("/commits")]


def test_it_adopts_what_it_published_without_downloading_it(images: Desk, north: North) -> None:
    images.json("publish", LIST, images.csv(entries(range(50)), header=HEADER))
    images.json("publish", LIST, images.csv(entries(range(60)), header=HEADER))
    assert not [path for method, path in north.asked if method == "GET" and path.endswith(".parquet")]


def test_it_shows_a_dry_run_and_sends_nothing(images: Desk, north: North) -> None:
    file = images.csv(entries(range(50)), header=HEADER)
    done = images.json("publish", LIST, file, "--dry-run")
    assert (done["dry_run"], done["published"], done["added"], done["version"]) == (True, False, 50, None)
    assert north.shelf.objects == {}
    assert "Dry run" in images.run("publish", LIST, file, "--dry-run").stdout


def test_it_applies_operations_only(images: Desk) -> None:
    images.json("publish", LIST, images.csv(entries(range(50)), header=HEADER))
    operations = [("upsert", "", *entry(60)), ("withdraw", "incorrect", entry(7)[0], "", "")]
    file = images.csv(operations, header=("op", "reason", *HEADER), name="changes.csv")
    done = images.json("publish", LIST, file, "--changes")
    assert (done["added"], done["withdrawn"], done["entries"], done["version"]) == (1, 1, 50, 2)


def test_it_starts_a_list_from_operations(images: Desk) -> None:
    done = images.json("publish", LIST, images.csv(entries(range(5)), header=HEADER), "--changes")
    assert (done["version"], done["entries"]) == (1, 5)


def test_it_reads_ndjson(images: Desk) -> None:
    file = images.folder / "images.ndjson"
    file.write_text("".join(json.dumps(dict(zip(HEADER, row, strict=True))) + "\n" for row in entries(range(9))))
    assert images.json("publish", LIST, file)["entries"] == 9


def test_it_times_its_stages(images: Desk) -> None:
    done = images.json("publish", LIST, images.csv(entries(range(50)), header=HEADER))
    assert list(done["stages"]) == ["sync", "intake", "diff", "write", "sign", "upload", "verify", "adopt"]
    assert all(seconds >= 0 for seconds in done["stages"].values())


def test_it_names_the_worker_and_the_task(images: Desk) -> None:
    result = images.run("publish", "images", images.csv(entries(range(50)), header=HEADER))
    assert result.exit_code == 0, result.output
    assert "images.csv: 50 rows, 50 good" in result.stdout
    assert "+ 50 added" in result.stdout
    assert "worker@north, task task-1" in result.stdout


def test_it_says_what_the_hub_rejected_and_publishes_it_later(images: Desk, north: North) -> None:
    from hashshare.wire.errors import GuardedHash

    file = images.csv(entries(range(50)), header=HEADER)

    def refuse(manifest: object) -> None:
        raise GuardedHash("Row 3 is the empty file.")

    north.verdict = refuse
    failed = images.json("publish", LIST, file, exit_code=6)
    assert (failed["error"]["type"], failed["error"]["job"]) == ("guarded-hash", "job-3")
    assert held(images) is None
    north.verdict = lambda manifest: None
    assert images.json("publish", LIST, file)["version"] == 1


def test_it_rejects_a_list_that_is_not_published_from_here(images: Desk) -> None:
    file = images.csv(entries(range(5)), header=HEADER)
    assert "list create" in images.json("publish", "aurora.example/video", file, exit_code=2)["error"]["next_step"]
    assert "aurora.example/images" in images.json("publish", "video", file, exit_code=2)["error"]["next_step"]


def test_it_rejects_a_file_that_is_not_there(images: Desk) -> None:
    assert "no file" in images.json("publish", LIST, images.folder / "none.csv", exit_code=2)["error"]["detail"]
