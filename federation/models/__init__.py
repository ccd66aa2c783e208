"""The tables of the federation: fields, constraints, querysets."""

from federation.models.agreements import Agreement
from federation.models.evidence import RemoteAcknowledgement, RemoteCount, RemoteHub, RemoteMember
from federation.models.mirrors import MirroredList, MirroredPublisher
from federation.models.onward import HubTerms, MemberRequest, Members, Relayed, TakenTerms
from federation.models.peers import Peer
from federation.models.reports import ReportCursor, TakenReport, ToldItem

__all__ = [
    "Agreement",
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
]
