"""The tables of the federation: fields, constraints, querysets."""

from federation.models.agreements import Agreement
from federation.models.evidence import RemoteAcknowledgement, RemoteCount, RemoteHub, RemoteMember
from federation.models.findings import Finding
from federation.models.mirrors import MirroredList, MirroredPublisher
from federation.models.onward import HubTerms, MemberRequest, Members, Relayed, TakenTerms
from federation.models.peers import Peer
from federation.models.reports import ReportCursor, TakenReport, ToldItem
from federation.models.witness import CheckedRoot, Cosigning, WatchedLog, WitnessedLog

__all__ = [
    "Agreement",
    "CheckedRoot",
    "Cosigning",
    "Finding",
    "HubTerms",
    "MemberRequest",
    "Members",
    "MirroredList",
    "MirroredPublisher",
    "Peer",
    "Relayed",
    "RemoteAcknowledgement",
    "RemoteCount",
    "RemoteHub",
    "RemoteMember",
    "ReportCursor",
    "TakenReport",
    "TakenTerms",
    "ToldItem",
    "WatchedLog",
    "WitnessedLog",
]
