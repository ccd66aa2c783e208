"""The tables of the federation: fields, constraints, querysets."""

from federation.models.agreements import Agreement
from federation.models.findings import Finding
from federation.models.mirrors import MirroredList, MirroredPublisher
from federation.models.peers import Peer
from federation.models.witness import CheckedRoot, Cosigning, WatchedLog, WitnessedLog

__all__ = [
    "Agreement",
    "CheckedRoot",
    "Cosigning",
    "Finding",
    "MirroredList",
    "MirroredPublisher",
    "Peer",
    "WatchedLog",
    "WitnessedLog",
]
