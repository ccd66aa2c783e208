"""A hub from before second factors and deeds is taken along: its history, and its people, who set one up next time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

BEFORE = [
    ("hashshare", "0007_restorations"),
    ("admin", "0003_logentry_add_action_flag_choices"),
    ("contenttypes", "0002_remove_content_type_name"),
]


@pytest.fixture
def at_first(transactional_db: None) -> Iterator[Any]:
    """The tables as they were; afterwards they are as they are now, whatever happened."""
    executor = MigrationExecutor(connection)
    now = executor.loader.graph.leaf_nodes()  # of every application: what builds on ours was taken back too
    executor.migrate(BEFORE)
    yield MigrationExecutor(connection).loader.project_state(BEFORE).apps
    MigrationExecutor(connection).migrate(now)


@pytest.mark.slow
def test_it_keeps_the_history_and_asks_everybody_for_a_second_factor(at_first: Any) -> None:
    people, history = at_first.get_model("hashshare", "Person"), at_first.get_model("admin", "LogEntry")
    kinds = at_first.get_model("contenttypes", "ContentType")
    then = datetime(2026, 11, 1, 12, tzinfo=UTC)
    olga = people.objects.create(email="olga@north.example", role="operator", password="x")
    people.objects.create(email="gone@north.example", role="operator", password="x", is_active=False)
    kind, _ = kinds.objects.get_or_create(app_label="hashshare", model="organisation")
    history.objects.create(
        user_id=olga.pk,
        content_type_id=kind.pk,
        object_id="1234",
        object_repr="Cobalt",
        action_flag=2,
        change_message="Suspend. Reason: court order 17",
        action_time=then,
    )
    executor = MigrationExecutor(connection)
    executor.migrate([key for key in executor.loader.graph.leaf_nodes() if key[0] == "hashshare"])
    from hashshare.models import Deed, Person
    from hashshare.selectors.deeds import standing

    (deed,) = Deed.objects.all()
    assert (deed.what, deed.about, deed.row, deed.role) == ("Suspend", "Cobalt", "1234", "operator")
    assert deed.noted == "Suspend. Reason: court order 17"
    assert deed.person is not None
    assert (deed.person.email, standing(deed)) == ("olga@north.example", "unlogged")
    due = dict(Person.objects.values_list("email", "second_factor_due"))
    assert due == {"olga@north.example": True, "gone@north.example": False}
