"""The tables of the federation: fields, constraints, querysets."""

from federation.models.agreements import Agreement
from federation.models.mirrors import MirroredList, MirroredPublisher
from federation.models.peers import Peer

__all__ = ["Agreement", "MirroredList", "MirroredPublisher", "Peer"]
