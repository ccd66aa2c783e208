"""The tables of the federation in the admin. Operators see them; hotlines, what other hubs' members ask of them."""

from federation.admin.tables import agreements, findings, peers, requests, witness

__all__ = ["agreements", "findings", "peers", "requests", "witness"]
