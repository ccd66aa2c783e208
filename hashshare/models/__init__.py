"""The tables: fields, constraints, querysets. What changes them is in services, what reads them in selectors."""

from hashshare.models.access_keys import AccessKey
from hashshare.models.acknowledgements import Acknowledgement
from hashshare.models.beginnings import Beginning, FormerMetadata
from hashshare.models.commitments import Commitment, StatementAction
from hashshare.models.commits import Commit
from hashshare.models.counts import ListCount, OverlapCount
from hashshare.models.deeds import Deed
from hashshare.models.deliveries import Delivery
from hashshare.models.demonstration import Demonstration
from hashshare.models.drafts import Draft
from hashshare.models.guards import GuardedDigest
from hashshare.models.hosting import HostedKey
from hashshare.models.invitations import Invitation
from hashshare.models.jobs import Job
from hashshare.models.keys import OrganisationKey, UsedNonce
from hashshare.models.lists import HashList
from hashshare.models.logs import Leaf, Log, LogTile
from hashshare.models.metadata import Metadata
from hashshare.models.objects import StoredObject
from hashshare.models.organisations import Organisation
from hashshare.models.people import Person
from hashshare.models.publishers import Publisher
from hashshare.models.releases import Release
from hashshare.models.reminders import Reminder
from hashshare.models.restorations import Restoration
from hashshare.models.runs import JobRun
from hashshare.models.second_factors import Authenticator, RecoveryCode
from hashshare.models.statistics import DailyStatistic, PeriodFigure, StatisticPeriod
from hashshare.models.subscriptions import Subscription
from hashshare.models.warnings import ExpiryWarning

__all__ = [
    "AccessKey",
    "Acknowledgement",
    "Authenticator",
    "Beginning",
    "Commit",
    "Commitment",
    "DailyStatistic",
    "Deed",
    "Delivery",
    "Demonstration",
    "Draft",
    "ExpiryWarning",
    "FormerMetadata",
    "GuardedDigest",
    "HashList",
    "HostedKey",
    "Invitation",
    "Job",
    "JobRun",
    "Leaf",
    "ListCount",
    "Log",
    "LogTile",
    "Metadata",
    "Organisation",
    "OrganisationKey",
    "OverlapCount",
    "PeriodFigure",
    "Person",
    "Publisher",
    "RecoveryCode",
    "Release",
    "Reminder",
    "Restoration",
    "StatementAction",
    "StatisticPeriod",
    "StoredObject",
    "Subscription",
    "UsedNonce",
]
