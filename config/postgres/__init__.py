"""A private PostgreSQL for one data folder, started by the first process that needs it, stopped by the last one out.

It listens on a Unix socket only, in a folder that nobody else may enter. Production sets DATABASE_URL instead.
What lives where: `programs` finds PostgreSQL's binaries, `account` knows who runs them when we are root, `cluster`
makes, starts and stops the server, `sharing` counts who uses it.
"""

from config.postgres.account import PrivatePostgresFailed
from config.postgres.sharing import destroy, join, leave, revive

__all__ = ["PrivatePostgresFailed", "destroy", "join", "leave", "revive"]
