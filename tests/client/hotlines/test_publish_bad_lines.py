"""Lines that cannot be published: their numbers, a file with all of them, nothing published."""

from __future__ import annotations

import csv

from tests.client.hotlines.desk import HEADER, LIST, Desk, entries, entry
from tests.client.hotlines.north import North

GOOD = entries(range(20))
BAD = [("zz" * 32, "", "A"), (entry(100)[0], "", "Q"), entry(3), ("", entry(101)[1], "A"), ("ab", "", "B")]


def test_it_names_the_first_lines_and_writes_all_to_a_file(images: Desk, north: North) -> None:
    result = images.run("publish", LIST, images.csv(GOOD + BAD, header=HEADER))
    assert result.exit_code == 6
    shown = result.stderr
    assert "images.csv: 25 rows, 20 good, 5 rejected (first 3 below, all in" in shown
    assert "line 22" in shown
    assert "line 23" in shown
    assert "line 24" in shown
    assert "line 25" not in shown
    assert "Nothing was published" in shown
    assert "--skip-bad" in shown
    with (images.folder / "images.errors.csv").open(newline="") as file:
        assert sorted(int(row["line"]) for row in csv.DictReader(file)) == [22, 23, 24, 25, 26]
    assert north.shelf.objects == {}


def test_one_line_is_told_as_one(images: Desk) -> None:
    shown = images.run("publish", LIST, images.csv([*GOOD, BAD[0]], header=HEADER)).stderr
    assert "1 rejected (below, and in" in shown
    assert "1 of 21 rows was rejected. Nothing was published" in shown
    shown = images.run("publish", LIST, images.csv([BAD[0]], header=HEADER)).stderr
    assert "1 of 1 row was rejected. Nothing was published" in shown


def test_faults_of_the_whole_file_say_that_nothing_was_published(images: Desk) -> None:
    (images.folder / "empty.csv").touch()
    for file in (images.folder / "empty.csv", images.csv(GOOD, header=("sha512", "md5", "category"))):
        failed = images.json("publish", LIST, file, exit_code=6)["error"]
        assert failed["detail"].endswith("Nothing was published.")


def test_it_gives_every_line_to_programs(images: Desk) -> None:
    failed = images.json("publish", LIST, images.csv(GOOD + BAD, header=HEADER), exit_code=6)["error"]
    assert failed["type"] == "bad-input"
    assert (failed["rows"], failed["good"], failed["count"]) == (25, 20, 5)
    assert [(line["line"], line["column"]) for line in failed["lines"]][:2] == [(22, "sha256"), (23, "category")]
    assert failed["errors_file"].endswith("images.errors.csv")


def test_it_leaves_them_out_when_told(images: Desk) -> None:
    done = images.json("publish", LIST, images.csv(GOOD + BAD, header=HEADER), "--skip-bad")
    assert (done["rows"], done["skipped"], done["entries"]) == (25, 5, 20)


def test_it_rejects_a_wrong_header(images: Desk, north: North) -> None:
    failed = images.json("publish", LIST, images.csv(GOOD, header=("sha256", "md6", "category")), exit_code=6)
    assert "md6" in failed["error"]["detail"]
    assert north.shelf.objects == {}


def test_it_rejects_a_file_that_is_not_text_or_empty(images: Desk) -> None:
    for name, body in (("latin.csv", b"sha256,md5,category\n\xe9\xff\n"), ("empty.csv", b"")):
        (images.folder / name).write_bytes(body)
        assert images.json("publish", LIST, images.folder / name, exit_code=6)["error"]["type"] == "bad-input"
