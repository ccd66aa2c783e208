"""Aurora and its member Cobalt, Borealis and its member Granite, the partner Delta, and a person of each role."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from django.db.models import Model

from hashshare.models import Organisation, Person
from tests.admin.cast import Rows, for_operators, organisation, person, rows


@dataclass(frozen=True, slots=True)
class Hub:
    aurora: Rows
    borealis: Rows
    delta: Organisation
    operator: Person
    analyst: Person
    engineer: Person
    observer: Person
    operators_own: dict[type[Model], Model]

    def person(self, role: str) -> Person:
        found = getattr(self, role)
        assert isinstance(found, Person)
        return found


@pytest.fixture
def hub(db: None) -> Hub:
    aurora = organisation("Aurora", "hotline", domain="aurora.example")
    borealis = organisation("Borealis", "hotline", domain="borealis.example", country="CA")
    of_aurora = rows(aurora, organisation("Cobalt", "member"), "aurora.example")
    of_borealis = rows(borealis, organisation("Granite", "member", country="CA"), "borealis.example")
    delta = organisation("Delta", "partner", country="FR")
    operator, engineer = person("operator"), of_aurora.of[Person]
    assert isinstance(engineer, Person)
    own = for_operators(operator, of_aurora.member)
    return Hub(
        of_aurora, of_borealis, delta, operator, person("analyst", aurora), engineer, person("observer", delta), own
    )
