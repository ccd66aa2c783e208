"""One file per table: what its page shows, whose rows they are, and which deeds an operator may do there.

The only place of the pages that imports models, because Django registers a class.
"""

from hashshare.admin.tables import (
    access_keys,
    acknowledgements,
    commits,
    deeds,
    deliveries,
    guards,
    invitations,
    jobs,
    keys,
    lists,
    logs,
    metadata,
    objects,
    organisations,
    people,
    publishers,
    releases,
    reminders,
    restorations,
    statistics,
    subscriptions,
    warnings,
)

__all__ = [
    "access_keys",
    "acknowledgements",
    "commits",
    "deeds",
    "deliveries",
    "guards",
    "invitations",
    "jobs",
    "keys",
    "lists",
    "logs",
    "metadata",
    "objects",
    "organisations",
    "people",
    "publishers",
    "releases",
    "reminders",
    "restorations",
    "statistics",
    "subscriptions",
    "warnings",
]
