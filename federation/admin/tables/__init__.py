"""The tables of the federation in the admin. Operators see them; hotlines, what other hubs' members ask of them."""

from federation.admin.tables import agreements, peers, requests

__all__ = ["agreements", "peers", "requests"]
