"""The tables of the federation in the admin: operators alone see them."""

from federation.admin.tables import agreements, findings, peers, witness

__all__ = ["agreements", "findings", "peers", "witness"]
