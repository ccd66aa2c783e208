"""The upload desk as a browser sees it: who may, what each step shows, and what bad input is told."""

from __future__ import annotations

import io
import zipfile
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from hashshare.models import Deed, Draft, HashList, Job, Organisation, Person
from hashshare.services.draft_work import clear_drafts
from tests import builders as b
from tests.admin.cast import browser, person, sign_in
from tests.services.drafting import analyst, csv_of, entries, published, run

pytestmark = pytest.mark.django_db

NEW = "/admin/upload/"
DESK = "/admin/uploads/"


@pytest.fixture
def images() -> b.Feed:
    return b.feed(b.publisher())


@pytest.fixture
def hotline(images: b.Feed) -> Organisation:
    return images.publisher.party.organisation


@pytest.fixture
def ada(hotline: Organisation) -> Person:
    return analyst("ada", hotline)


@pytest.fixture
def grace(hotline: Organisation) -> Person:
    return analyst("grace", hotline)


def send(who: Person, to: b.Feed, body: bytes, *, name: str = "images.csv", **fields: Any) -> Any:
    file = SimpleUploadedFile(name, body, content_type="text/csv")
    return browser(who).post(NEW, {"list": str(to.row.pk), "kind": "whole", "file": file, "end": "1", **fields})


def address(draft: Draft) -> str:
    return reverse("admin:upload", args=[draft.pk])


def act(who: Person, draft: Draft, deed: str, **fields: Any) -> Any:
    return browser(who).post(address(draft), {"deed": deed, "revision": str(draft.revision), **fields}, follow=True)


def sent(who: Person, to: b.Feed, body: bytes, **fields: Any) -> Draft:
    answer = send(who, to, body, **fields)
    assert answer.status_code == 302, answer.content.decode()
    return Draft.objects.select_related("job").latest("uploaded_at")


def again(draft: Draft) -> Draft:
    return Draft.objects.select_related("job", "release").get(pk=draft.pk)


def checked(who: Person, to: b.Feed, body: bytes, **fields: Any) -> Draft:
    draft = sent(who, to, body, **fields)
    columns = {f"column-{place}": draft.columns[name] for place, name in enumerate(draft.header)}
    assert act(who, draft, "check", **columns).status_code == 200
    return run(again(draft))


def text(who: Person, draft: Draft) -> str:
    answer = browser(who).get(address(draft))
    assert answer.status_code == 200
    return str(answer.content.decode())


def test_an_upload_goes_from_the_file_to_approval(images: b.Feed, ada: Person, grace: Person) -> None:
    draft = sent(ada, images, csv_of(entries(12)))
    page = text(ada, draft)
    assert draft.digest in page
    assert 'value="sha256" selected' in page
    draft = checked(ada, images, csv_of(entries(12)))
    page = text(ada, draft)
    assert "Submit for approval" in page
    assert "First rows" in page
    assert act(ada, draft, "submit").status_code == 200
    draft = again(draft)
    assert "Another analyst of your hotline" in text(ada, draft)
    assert ">Approve</button>" not in text(ada, draft)
    assert ">Approve</button>" in text(grace, draft)
    assert "Waiting for your decision" in browser(grace).get(DESK).content.decode()
    answer = act(grace, draft, "approve")
    assert "hashshare publish aurora.example/images --approved" in answer.content.decode()
    assert again(draft).state == Draft.State.APPROVED
    done = list(Deed.objects.order_by("at").values_list("what", "person__email"))
    assert done[-2:] == [("Submit an upload", ada.email), ("Approve an upload", grace.email)]


def test_what_is_worked_on_tells_how_far_it_is_with_and_without_scripts(images: b.Feed, ada: Person) -> None:
    draft = sent(ada, images, csv_of(entries(3)))
    act(ada, draft, "check", **{"column-0": "sha256", "column-1": "md5", "column-2": "category"})
    draft = again(draft)
    Job.objects.filter(pk=draft.job.pk).update(progress_done=1, progress_total=4, progress_message="Reading the file")  # type: ignore[union-attr]
    page = text(ada, draft)
    assert '<noscript><meta http-equiv="refresh"' in page
    assert 'max="4" value="1"' in page
    assert "You may leave this page" in page
    told = browser(ada).get(f"{address(draft)}progress/").json()
    assert told == {
        "state": "checking",
        "revision": draft.revision,
        "done": 1,
        "total": 4,
        "message": "Reading the file",
    }
    assert "refresh" not in text(ada, run(draft))


def test_a_second_analyst_sends_it_back_with_a_reason(images: b.Feed, ada: Person, grace: Person) -> None:
    draft = checked(ada, images, csv_of(entries(3)))
    act(ada, draft, "submit")
    draft = again(draft)
    act(grace, draft, "send-back", why="Line 2 is <b>another</b> case.")
    page = text(ada, again(draft))
    assert "Line 2 is &lt;b&gt;another&lt;/b&gt; case." in page
    assert "Submit for approval" in page


def test_whoever_submitted_is_told_that_another_approves(images: b.Feed, ada: Person) -> None:
    draft = checked(ada, images, csv_of(entries(3)))
    act(ada, draft, "submit")
    answer = act(ada, again(draft), "approve")
    assert "somebody else of the same hotline approves" in answer.content.decode()
    assert again(draft).state == Draft.State.SUBMITTED


def test_two_tabs_do_nothing_twice(images: b.Feed, ada: Person, grace: Person) -> None:
    draft = checked(ada, images, csv_of(entries(3)))
    act(ada, draft, "submit")
    opened = again(draft)
    act(grace, opened, "send-back", why="wait")
    answer = act(grace, opened, "approve")
    assert "is “sent back” by now, decided by grace@" in answer.content.decode()
    assert again(draft).state == Draft.State.RETURNED
    for revision in ("", "-1", "9" * 40, "one"):
        answer = browser(grace).post(address(draft), {"deed": "approve", "revision": revision})
        assert again(draft).state == Draft.State.RETURNED
    assert browser(grace).post(address(draft), {"deed": "publish", "revision": "1"}).status_code == 404


def test_leaving_out_many_asks_for_the_number_on_the_page(images: b.Feed, ada: Person) -> None:
    rows = entries(100)
    published(images, rows)
    draft = checked(ada, images, csv_of(rows[2:]))
    page = text(ada, draft)
    assert "type the number, 2," in page
    answer = act(ada, draft, "submit", reason="incorrect", withdrawals="3")
    assert "type the number: 2." in answer.content.decode()
    act(ada, draft, "submit", reason="incorrect", withdrawals="2")
    assert again(draft).state == Draft.State.SUBMITTED


def workbook() -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as file:
        file.writestr("xl/workbook.xml", "<workbook/>")
    return made.getvalue()


@pytest.mark.parametrize(
    ("name", "body", "word"),
    [
        ("book.xlsx", workbook(), "save it as CSV UTF-8"),
        ("photo.png", b"\x89PNG\r\n\x1a\n" + bytes(99), "never media"),
        ("utf16.csv", "sha256,md5,category\n".encode("utf-16"), "UTF-16"),
        ("nul.csv", b"sha256,\x00md5\n", "not a text file"),
        ("empty.csv", b"", "is empty"),
    ],
)
def test_a_file_of_the_wrong_kind_is_told_what_to_do(
    images: b.Feed, ada: Person, name: str, body: bytes, word: str
) -> None:
    answer = send(ada, images, body, name=name)
    assert answer.status_code == 422
    assert word in answer.content.decode()
    assert name in answer.content.decode() or name == "empty.csv"
    assert not Draft.objects.exists()


def test_a_file_above_the_limit_is_stopped_before_it_is_read(images: b.Feed, ada: Person, settings: Any) -> None:
    settings.HASHSHARE_DRAFT_MIB = 1
    answer = send(ada, images, b"x" * (2 << 20))
    assert answer.status_code == 413
    assert "1 MiB" in answer.content.decode()


def test_a_file_above_the_limit_that_announces_less_is_stopped_on_the_way(
    images: b.Feed, ada: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hashshare.admin.incoming.limit_bytes", lambda: 1000)
    answer = send(ada, images, csv_of(entries(40)))
    assert answer.status_code == 413
    assert not Draft.objects.exists()


def test_half_an_upload_is_thrown_away_and_said(images: b.Feed, ada: Person) -> None:
    """A body that was cut after the file's last byte: what stood behind it is missing."""
    file = SimpleUploadedFile("images.csv", csv_of(entries(3)), content_type="text/csv")
    answer = browser(ada).post(NEW, {"list": str(images.row.pk), "kind": "whole", "file": file})
    assert "did not arrive whole" in answer.content.decode()
    assert not Draft.objects.exists()


def test_no_file_or_no_list_is_told(images: b.Feed, ada: Person) -> None:
    answer = browser(ada).post(NEW, {"list": str(images.row.pk), "kind": "whole", "end": "1"})
    assert "No file was chosen" in answer.content.decode()
    file = SimpleUploadedFile("images.csv", csv_of(entries(3)))
    assert browser(ada).post(NEW, {"list": "x", "kind": "whole", "file": file, "end": "1"}).status_code == 404


def test_a_form_without_its_token_does_nothing(images: b.Feed, ada: Person) -> None:
    client = Client(enforce_csrf_checks=True)
    sign_in(client, ada)
    file = SimpleUploadedFile("images.csv", csv_of(entries(3)))
    answer = client.post(NEW, {"list": str(images.row.pk), "kind": "whole", "file": file, "end": "1"})
    assert answer.status_code == 403
    assert not Draft.objects.exists()


def test_a_script_in_a_files_name_or_column_is_only_text(images: b.Feed, ada: Person) -> None:
    header = "sha256,md5,<script>alert(1)</script>"
    draft = sent(ada, images, csv_of(entries(2), header=header), name="<img src=x onerror=alert(1)>.csv")
    for page in (text(ada, draft), browser(ada).get(DESK).content.decode()):
        assert "<script>alert" not in page
        assert "<img src=x" not in page
    assert "&lt;script&gt;" in text(ada, draft)


def test_lines_at_fault_can_be_downloaded(images: b.Feed, ada: Person) -> None:
    draft = checked(ada, images, csv_of(entries(2)) + b"=1+1,,A\n")
    assert "Lines at fault" in text(ada, draft)
    answer = browser(ada).get(f"{address(draft)}faults.csv")
    assert answer["Content-Disposition"] == 'attachment; filename="faults.csv"'
    body = b"".join(answer).decode()
    assert body.splitlines()[0] == '"line","column","message"'


def test_a_template_has_the_lists_columns(images: b.Feed, ada: Person) -> None:
    answer = browser(ada).get(f"/admin/uploads/template/{images.row.pk}/")
    assert answer.content.decode().strip() == "sha256,md5,category"
    more = browser(ada).get(f"/admin/uploads/template/{images.row.pk}/?changes=1")
    assert more.content.decode().strip() == "op,reason,sha256,md5,category"


def test_keys_are_withdrawn_from_a_page(images: b.Feed, ada: Person) -> None:
    rows = entries(3)
    published(images, rows)
    fields = {"list": str(images.row.pk), "reason": "incorrect"}
    wrong = browser(ada).post("/admin/withdraw/", {**fields, "keys": "nonsense"})
    assert "nonsense" in wrong.content.decode()
    answer = browser(ada).post("/admin/withdraw/", {**fields, "keys": rows[0]["key"].hex()})
    assert answer.status_code == 302
    draft = run(Draft.objects.select_related("job").get())
    assert draft.findings is not None
    assert draft.findings["withdrawn"] == 1


def test_a_column_that_is_missing_is_told_at_the_field_and_starts_no_worker(images: b.Feed, ada: Person) -> None:
    draft = sent(ada, images, csv_of(entries(3), header="sha256,sum,category"))
    page = text(ada, draft)
    assert page.count('type="checkbox" name="empty-') == 1
    assert 'name="empty-md5"> <span>md5: leave it empty</span>' in page
    answer = act(ada, draft, "check", **{"column-0": "sha256", "column-1": "", "column-2": "category"}).content.decode()
    assert '<ul class="errorlist" id="wrong-1"><li>No column of the file is said to be md5.</li>' in answer
    assert answer.count('aria-invalid="true"') == 1
    assert "say so below: it is then empty in every entry of the file." in answer
    assert 'value="category" selected' in answer
    answer = act(ada, draft, "check", **{"column-0": "sha256", "column-1": "sha256"}).content.decode()
    assert answer.count('aria-invalid="true"') == 2
    assert not Job.objects.filter(target=draft.pk).exists()
    act(ada, draft, "check", **{"column-0": "sha256", "column-1": "md5", "column-2": "category"})
    assert run(again(draft)).state == Draft.State.CHECKED


def test_a_column_that_is_not_in_the_file_is_left_empty_when_somebody_says_so(images: b.Feed, ada: Person) -> None:
    rows = entries(3)
    published(images, rows)
    draft = sent(ada, images, "\n".join(["sha256,category", *(f"{row['key'].hex()},A" for row in rows)]).encode())
    columns = {"column-0": "sha256", "column-1": "category"}
    contradiction = act(ada, draft, "check", **columns, **{"empty-category": "on", "empty-md5": "on"}).content.decode()
    assert "category is said to be in the file, and not to be in it." in contradiction
    assert 'name="empty-md5" checked' in contradiction
    key = act(ada, draft, "check", **{"column-1": "category", "empty-sha256": "on"}).content.decode()
    assert "It is the list&#x27;s key, without which there is no entry." in key
    act(ada, draft, "check", **columns, **{"empty-md5": "on"})
    draft = run(again(draft))
    assert draft.state == Draft.State.CHECKED, draft.problem
    assert draft.findings is not None
    assert (draft.findings["good"], draft.findings["updated"]) == (3, 3)  # their md5 is gone, which the counts tell
    assert 'name="empty-md5" checked' in text(ada, draft)


def test_changes_that_may_be_withdrawals_alone_need_only_their_keys(images: b.Feed, ada: Person) -> None:
    rows = entries(3)
    published(images, rows)
    line = f"withdraw,incorrect,{rows[0]['key'].hex()}\n"
    draft = checked(ada, images, f"op,reason,sha256\n{line}".encode(), kind="changes")
    assert draft.findings is not None
    assert draft.findings["withdrawn"] == 1
    draft = sent(ada, images, f"sha256\n{rows[0]['key'].hex()}\n".encode(), kind="changes")
    assert "said to be md5, category" in act(ada, draft, "check", **{"column-0": "sha256"}).content.decode()


def test_what_the_list_has_left_behind_is_not_offered_for_approval(images: b.Feed, ada: Person, grace: Person) -> None:
    rows = entries(3)
    published(images, rows)
    draft = checked(ada, images, csv_of([*rows, b.entry()]))
    act(ada, draft, "submit")
    assert ">Approve</button>" in text(grace, draft)
    images.publish(images.next([b.upsert(b.entry())]))
    page = text(grace, draft)
    assert ">Approve</button>" not in page
    assert "It cannot be approved as it was counted: the list is at version 2 by now. Send it back" in page
    assert "Another analyst sends it back" in text(ada, draft)
    act(grace, again(draft), "send-back", why="counted before version 2")
    assert ">Check the file</button>" in text(ada, again(draft))


def test_what_needs_signatures_that_a_hosted_list_has_not_is_not_offered_for_submission(
    images: b.Feed, ada: Person
) -> None:
    rows = entries(3)
    published(images, rows)
    draft = checked(ada, images, csv_of([*rows, b.entry()]))
    Draft.objects.filter(pk=draft.pk).update(findings={**(draft.findings or {}), "major": {"lost": 120, "held": 3000}})
    assert ">Submit for approval</button>" in text(ada, draft)  # its own machine asks two officers
    HashList.objects.filter(pk=images.row.pk).update(hosted=True)
    page = text(ada, draft)
    assert ">Submit for approval</button>" not in page
    assert "It cannot be submitted as it is. The list would lose 120 entries within seven days, of 3,000." in page
    act(ada, draft, "submit")
    assert again(draft).state == Draft.State.CHECKED


def test_throwing_away_is_asked_once_more_and_a_colleagues_takes_a_reason(
    images: b.Feed, ada: Person, grace: Person
) -> None:
    draft = sent(ada, images, csv_of(entries(3)))
    assert 'class="button danger">Throw it away' in text(ada, draft)
    assert 'name="why_gone"' not in text(ada, draft)
    assert 'name="why_gone"' in text(grace, draft)
    assert "Tick that you are sure" in act(ada, draft, "abandon").content.decode()
    assert "Say why" in act(grace, draft, "abandon", sure="on", why_gone=" ").content.decode()
    assert again(draft).state == Draft.State.UPLOADED
    act(grace, draft, "abandon", sure="on", why_gone="It is last month's.")
    assert again(draft).state == Draft.State.ABANDONED
    page = text(ada, draft)
    assert "<dt>Thrown away</dt>" in page
    assert "It is last month&#x27;s." in page
    assert Deed.objects.latest("at").reason == "It is last month's."
    own = sent(ada, images, csv_of(entries(3)))
    act(ada, own, "abandon", sure="on")
    assert again(own).state == Draft.State.ABANDONED


def withdrawal(who: Person, to: b.Feed, *keys: str) -> Draft:
    fields = {"list": str(to.row.pk), "reason": "incorrect", "keys": " ".join(keys)}
    assert browser(who).post("/admin/withdraw/", fields).status_code == 302
    return run(Draft.objects.select_related("job").latest("uploaded_at"))


def test_what_cannot_be_submitted_offers_no_submit_and_says_why(images: b.Feed, ada: Person) -> None:
    rows = entries(10)
    published(images, rows)
    images.publish(images.next([b.withdraw(rows[0])]))
    gone = rows[0]["key"].hex()
    before = checked(ada, images, csv_of([*rows, b.entry()]))
    unknown, already = withdrawal(ada, images, "ab" * 32), withdrawal(ada, images, gone)
    for draft, *words in (
        (before, "1 entry of the file was withdrawn from this list before", "says reinstate in its column op"),
        (unknown, "1 entry to be withdrawn is not on this list", "Check the hashes"),
        (already, "All of this is withdrawn already", "Withdrawal propagation shows"),
        (checked(ada, images, csv_of(rows[1:])), "says all of this already"),
    ):
        page = text(ada, draft)
        assert "Submit for approval" not in page
        assert "It cannot be submitted as it is" in page
        for word in words:
            assert word in page
        answer = act(ada, draft, "submit", reason="incorrect").content.decode()
        assert words[0] in answer
        assert "--reinstate" not in answer
        assert again(draft).state == Draft.State.CHECKED


def test_what_the_page_says_brings_an_entry_back(images: b.Feed, ada: Person) -> None:
    rows = entries(10)
    published(images, rows)
    images.publish(images.next([b.withdraw(rows[0])]))
    header, line = csv_of(rows[:1]).decode().split()
    draft = checked(ada, images, f"op,{header}\nreinstate,{line}\n".encode(), kind="changes")
    assert "Submit for approval" in text(ada, draft)
    act(ada, draft, "submit")
    assert again(draft).state == Draft.State.SUBMITTED


def test_who_approves_sees_what_is_withdrawn_until_the_file_is_deleted(
    images: b.Feed, ada: Person, grace: Person
) -> None:
    rows = sorted(entries(30), key=lambda row: row["key"])
    rows[1] = rows[1] | {"category": "C"}
    published(images, rows)
    images.publish(images.next([b.upsert(rows[1] | {"category": "B"})], growth=0))
    keys = [row["key"].hex() for row in rows]
    draft = withdrawal(ada, images, *keys[:2])
    assert draft.findings is not None
    assert draft.findings["withdrawals"] == {
        "columns": ["sha256", "category"],
        "rows": [[keys[0], rows[0]["category"]], [keys[1], "B"]],
    }
    page = text(grace, draft)
    assert all(key in page for key in keys[:2])
    assert "As the list holds them now" in page
    many = withdrawal(ada, images, *keys[:25])
    page = text(grace, many)
    assert "The first 20 of 25, as the list holds them now" in page
    assert keys[19] in page
    assert keys[20] not in page
    whole = checked(ada, images, csv_of([rows[0], rows[1] | {"category": "B"}, *rows[3:]]))
    assert whole.findings is not None
    assert whole.findings["withdrawals"]["rows"] == [[keys[2], rows[2]["category"]]]
    act(ada, draft, "abandon", sure="on")
    clear_drafts(now=b.now(), days=14)
    page = text(grace, draft)
    assert keys[0] not in page
    assert keys[0] not in str(again(draft).findings)


def test_counts_and_names_are_said_as_people_say_them(images: b.Feed, ada: Person) -> None:
    rows = sorted(entries(3), key=lambda row: row["key"])
    published(images, rows)
    draft = withdrawal(ada, images, rows[0]["key"].hex())
    name = f"1 withdrawal from images: {rows[0]['key'].hex()[:8]}…"
    page = text(ada, draft)
    assert name in page
    assert name in browser(ada).get(DESK).content.decode()
    assert name in Deed.objects.latest("at").about
    assert "<dd>1, good</dd>" in page
    both = withdrawal(ada, images, *(row["key"].hex() for row in rows[:2]))
    assert "2 withdrawals from images" in both.file_name
    body = csv_of([rows[0], rows[1] | {"category": "C"}, b.entry()]) + b"short,,A\n"
    draft = checked(ada, images, body)
    assert "<dd>4, 3 of them good</dd>" in text(ada, draft)
    assert draft.findings is not None
    assert sorted(row[0] for row in draft.findings["preview"]["rows"]) == ["changed", "new", "withdrawn"]


def test_a_second_tab_is_told_that_the_upload_was_worked_on(images: b.Feed, ada: Person) -> None:
    draft = sent(ada, images, csv_of([]))
    columns = {"column-0": "sha256", "column-1": "md5", "column-2": "category"}
    act(ada, draft, "check", **columns)
    assert run(again(draft)).state == Draft.State.UPLOADED
    answer = act(ada, draft, "check", **columns).content.decode()
    assert "was worked on since this page was opened" in answer
    assert "by now" not in answer


def everybody_else(hotline: Organisation) -> list[Person]:
    borealis = b.publisher("Borealis", "borealis.example").party.organisation
    return [
        person("operator"),
        analyst("engineer", hotline, role="engineer"),
        person("analyst", b.member("Mauve").organisation),
        person("observer", b.partner().organisation),
        analyst("eve", borealis),
    ]


def test_nobody_else_sees_or_does_anything_here(images: b.Feed, hotline: Organisation, ada: Person) -> None:
    draft = checked(ada, images, csv_of(entries(2)) + b"short,,A\n")
    before = again(draft).revision
    one = address(draft)
    pages = [one, f"{one}progress/", f"{one}faults.csv", f"/admin/uploads/template/{images.row.pk}/"]
    for who in everybody_else(hotline):
        refused = 404 if who.email.startswith("eve") else 403
        for each in pages:
            assert browser(who).get(each).status_code == refused, (who, each)
        assert browser(who).post(one, {"deed": "abandon", "revision": str(before)}).status_code == refused
        assert send(who, images, csv_of(entries(1))).status_code == refused
        if refused == 403:
            for each in (DESK, NEW, "/admin/withdraw/"):
                assert browser(who).get(each).status_code == 403
        else:
            assert "images.csv" not in browser(who).get(DESK).content.decode()
            assert images.row.name not in browser(who).get(NEW).content.decode()
    for each in [*pages, DESK, NEW]:
        assert Client().get(each).status_code == 302
    assert again(draft).revision == before
    assert Draft.objects.count() == 1


def test_the_navigation_shows_the_desk_to_analysts_alone(ada: Person, hotline: Organisation) -> None:
    assert 'href="/admin/uploads/"' in browser(ada).get("/admin/").content.decode()
    for who in everybody_else(hotline)[:3]:
        assert 'href="/admin/uploads/"' not in browser(who).get("/admin/").content.decode()


def test_a_release_is_seen_by_its_hotline_and_operators(images: b.Feed, hotline: Organisation, ada: Person) -> None:
    cobalt = b.member()
    b.subscribed(cobalt, images)
    published(images, entries(4))
    release = images.row.releases.get()
    one = reverse("admin:release", args=[release.pk])
    page = browser(ada).get(one).content.decode()
    assert release.manifest_digest in page
    assert "feed key" in page
    assert "Cobalt" in page
    others = everybody_else(hotline)
    answers = [browser(who).get(one).status_code for who in others]
    assert answers == [200, 200, 403, 403, 404]


@pytest.mark.parametrize(("deed", "state"), [("grant", "active"), ("deny", "denied")])
def test_analysts_decide_on_requests_for_their_own_lists(
    images: b.Feed, ada: Person, hotline: Organisation, deed: str, state: str
) -> None:
    from hashshare.services.subscriptions import request_subscription, standing_of

    cobalt = b.member()
    names: dict[str, Any] = {"domain": "aurora.example", "slug": "images", "now": b.now()}
    row, _ = request_subscription(caller=cobalt.caller, terms_digest=images.row.terms_digest, **names)
    one = reverse(f"admin:hashshare_subscription_{deed}", args=[row.pk])
    fields = {"reason": "Signed the agreement.", "until": "2099-01-01", "seen": standing_of(row)}
    for who in (person("analyst", cobalt.organisation), analyst("engineer", hotline, role="engineer")):
        assert browser(who).post(one, fields).status_code == 403
    assert browser(ada).post(one, fields).status_code == 302
    row.refresh_from_db()
    assert row.state == state


def test_its_pages_ask_few_questions_however_much_there_is(
    images: b.Feed, ada: Person, grace: Person, django_assert_max_num_queries: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hashshare.services.drafts.MOST_OPEN", 99)
    for number in range(6):
        b.subscribed(b.member(f"Member {number}"), images)
        b.feed(images.publisher, slug=f"more-{number}")
    published(images, entries(4))
    draft = checked(ada, images, csv_of(entries(4)))
    for _ in range(6):
        sent(ada, images, csv_of(entries(1)))
    release = reverse("admin:release", args=[images.row.releases.get().pk])
    for each in (DESK, NEW, "/admin/withdraw/", address(draft), f"{address(draft)}progress/", release):
        client = browser(grace)
        with django_assert_max_num_queries(14):
            assert client.get(each).status_code == 200, each
