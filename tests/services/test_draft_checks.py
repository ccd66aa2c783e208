"""The dry run of an uploaded file: counts as `hashshare publish --dry-run` has them, and nothing published."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest

from hashshare.models import Draft, Job, Release, StoredObject
from hashshare.selectors.drafts import faults_file
from hashshare.services.drafts import abandon_draft, ask_check, draft_withdrawals
from hashshare.wire import errors
from tests import builders as b
from tests.services.drafting import again, analyst, checked, csv_of, entries, published, run, uploaded

pytestmark = pytest.mark.django_db


@pytest.fixture
def images() -> b.Feed:
    return b.feed(b.publisher())


@pytest.fixture
def ada(images: b.Feed) -> Any:
    return analyst("ada", images.publisher.party.organisation)


def counts(draft: Draft) -> dict[str, int]:
    names = ("added", "updated", "withdrawn", "unchanged", "problem_count", "elsewhere")
    return {name: draft.findings[name] for name in names if draft.findings[name]}  # type: ignore[index]


def test_it_counts_what_a_first_file_brings(images: b.Feed, ada: Any) -> None:
    draft = checked(ada, images, csv_of(entries(20)))
    assert draft.state == Draft.State.CHECKED
    assert counts(draft) == {"added": 20}
    assert draft.findings is not None
    assert draft.findings["before"] == 0


def test_it_counts_what_a_whole_file_changes_and_leaves_out(images: b.Feed, ada: Any) -> None:
    rows = entries(20)
    published(images, rows)
    new = [*rows[2:], *entries(3)]
    new[0] = new[0] | {"category": "B"}
    draft = checked(ada, images, csv_of(new))
    assert counts(draft) == {"added": 3, "updated": 1, "withdrawn": 2, "unchanged": 17}
    assert Release.objects.filter(list=images.row).count() == 1


def test_it_counts_entries_on_other_hotlines_lists_and_tells_few_as_few(images: b.Feed, ada: Any) -> None:
    other = b.feed(b.publisher("Borealis", "borealis.example"))
    rows = entries(12)
    published(other, rows)
    assert counts(checked(ada, images, csv_of([*rows[:7], *entries(2)])))["elsewhere"] == 7
    assert counts(checked(ada, images, csv_of([*rows[:3], *entries(2)])))["elsewhere"] == 1


def test_it_counts_no_entries_of_private_lists_or_of_ones_own(images: b.Feed, ada: Any) -> None:
    rows = entries(12)
    published(b.feed(b.publisher("Borealis", "borealis.example"), visibility="private"), rows)
    published(b.feed(images.publisher, slug="more"), rows)
    assert "elsewhere" not in counts(checked(ada, images, csv_of(rows)))


def test_what_is_lost_of_anothers_list_keeps_nobody_waiting(images: b.Feed, ada: Any) -> None:
    other = b.feed(b.publisher("Borealis", "borealis.example"))
    published(other, entries(3))
    StoredObject.objects.filter(list=other.row).delete()
    draft = checked(ada, images, csv_of(entries(2)))
    assert draft.findings is not None
    assert (draft.findings["elsewhere"], draft.findings["added"]) == (None, 2)


def test_it_names_each_line_at_fault_and_makes_a_file_of_them_that_is_no_formula(images: b.Feed, ada: Any) -> None:
    rows = csv_of(entries(2)).decode().splitlines()
    rows.insert(2, f"{'ab' * 32},,=cmd|calc")
    rows.append("short,,A")
    draft = checked(ada, images, "\n".join(rows).encode())
    assert draft.findings is not None
    assert [(it["line"], it["column"]) for it in draft.findings["problems"]] == [(3, "category"), (5, "sha256")]
    body = b"".join(faults_file(draft).blocks).decode()
    cells = [cell for row in csv.reader(io.StringIO(body)) for cell in row]
    assert not [cell for cell in cells if cell[:1] in tuple("=+-@")]
    assert "=cmd" not in [cell[:4] for cell in cells]


def test_it_shows_the_first_rows_with_hashes_shortened(images: b.Feed, ada: Any) -> None:
    rows = entries(30)
    draft = checked(ada, images, csv_of(rows))
    assert draft.findings is not None
    preview = draft.findings["preview"]
    assert preview["columns"] == ["change", "sha256", "md5", "category"]
    assert len(preview["rows"]) == 10
    text = str(draft.findings)
    assert not [row for row in rows if row["key"].hex() in text or row["md5"].hex() in text]


def test_a_file_with_the_wrong_content_goes_back_to_its_columns_with_the_reason(images: b.Feed, ada: Any) -> None:
    draft = checked(ada, images, b"sha256,md5,category\n", name="nothing.csv")
    assert draft.state == Draft.State.UPLOADED
    assert draft.problem is not None
    assert draft.problem["detail"] == "nothing.csv holds no entries."
    assert draft.job is not None
    assert draft.job.state == Job.State.FAILED


def test_pasted_keys_become_withdrawals(images: b.Feed, ada: Any) -> None:
    rows = entries(5)
    published(images, rows)
    text = f"sha256\n{rows[0]['key'].hex().upper()},\n {rows[1]['key'].hex()}; {rows[0]['key'].hex()}"
    now = b.now()
    draft = run(draft_withdrawals(person=ada, list_id=images.row.pk, keys=text, reason="incorrect", now=now))
    assert counts(draft) == {"withdrawn": 2}


def test_pasted_keys_that_are_none_are_refused(images: b.Feed, ada: Any) -> None:
    where: dict[str, Any] = {"person": ada, "list_id": images.row.pk, "now": b.now()}
    for keys, reason, kind in (
        ("zz", "incorrect", errors.BadHash),
        ("", "incorrect", errors.UsageError),
        ("ab" * 32, "because", errors.UsageError),
    ):
        with pytest.raises(kind):
            draft_withdrawals(keys=keys, reason=reason, **where)
    assert not Draft.objects.exists()


def test_a_pasted_key_that_is_none_is_named_by_its_number_and_first_characters(images: b.Feed, ada: Any) -> None:
    where: dict[str, Any] = {"person": ada, "list_id": images.row.pk, "reason": "incorrect", "now": b.now()}
    good = [b.entry()["key"].hex() for _ in range(1_233)]
    for wrong, words in (
        ("xyzw" * 16, "Hash 1,234 of 1,235, “xyzwxyzwxyzwxyzw…”: A sha256 hash is 64 hexadecimal digits"),
        ("0" * 64, "Hash 1,234 of 1,235, “0000000000000000…”, is that of an empty or blank file"),
    ):
        with pytest.raises(errors.BadHash) as refused:
            draft_withdrawals(keys="\n".join([*good, wrong, "ab" * 32]), **where)
        assert refused.value.message.startswith(words)
        assert "harmless" not in refused.value.message


def test_columns_of_other_names_are_guessed_and_can_be_mapped(images: b.Feed, ada: Any) -> None:
    draft = uploaded(ada, images, csv_of(entries(3), header="SHA-256;Summe;Class").replace(b",", b";"))
    assert draft.columns == {"sha-256": "sha256", "summe": "", "class": "category"}
    columns = {"sha-256": "sha256", "summe": "md5", "class": "category"}
    draft = run(ask_check(person=ada, draft_id=draft.pk, revision=0, columns=columns, now=b.now()))
    assert counts(draft) == {"added": 3}


@pytest.mark.parametrize(
    "columns", [{"sha256": "md5"}, {"sha256": "sha256", "md5": "sha256"}, {"sha256": "sha256", "md5": "password"}]
)
def test_columns_that_make_no_list_are_refused(images: b.Feed, ada: Any, columns: dict[str, str]) -> None:
    draft = uploaded(ada, images, csv_of(entries(1)))
    with pytest.raises(errors.UsageError):
        ask_check(person=ada, draft_id=draft.pk, revision=0, columns=columns, now=b.now())
    assert again(draft).state == Draft.State.UPLOADED


def test_a_check_of_what_was_thrown_away_finds_nothing_to_do(images: b.Feed, ada: Any) -> None:
    draft = uploaded(ada, images, csv_of(entries(3)))
    draft = ask_check(person=ada, draft_id=draft.pk, revision=0, columns=draft.columns, now=b.now())
    abandon_draft(person=ada, draft_id=draft.pk, revision=draft.revision, now=b.now())
    assert run(draft).state == Draft.State.ABANDONED
    assert again(draft).findings is None


def test_a_check_that_is_done_again_says_the_same(images: b.Feed, ada: Any) -> None:
    """As after a worker was killed: its job is claimed by another."""
    draft = checked(ada, images, csv_of(entries(3)))
    Draft.objects.update(state=Draft.State.CHECKING)
    Job.objects.update(state=Job.State.QUEUED)
    assert counts(run(again(draft))) == {"added": 3}
