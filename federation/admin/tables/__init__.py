"""The tables of the federation in the admin: operators alone see them."""

from federation.admin.tables import agreements, peers

__all__ = ["agreements", "peers"]
