"""Countries by name on pages for people; what is exchanged keeps the code."""

from __future__ import annotations

from hashshare.admin.tables.organisations import NewOrganisation
from hashshare.countries import NAMES, countries_by_name, country_name


def test_it_names_every_code_once() -> None:
    assert len(NAMES) == 249 + 3
    assert all(len(code) == 2 and code.isupper() for code in NAMES)
    assert len(set(NAMES.values())) == len(NAMES)
    assert list(NAMES)[:-3] == sorted(list(NAMES)[:-3])


def test_it_shows_a_code_that_it_does_not_know() -> None:
    assert (country_name("NL"), country_name("ZZ")) == ("Netherlands", "ZZ")


def test_one_chooses_by_name() -> None:
    names = [name for _, name in countries_by_name()]
    assert names.index("Åland Islands") < names.index("Albania") < names.index("Zimbabwe")
    assert not NewOrganisation({"kind": "member", "name": "Cobalt", "country": "ZZ"}).is_valid()
