"""The backend that Django loads for ENGINE = "config.private_database"; nothing but how it connects differs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psycopg
from django.db.backends.postgresql import base

from config import postgres
from config.postgres.cluster import USER


class DatabaseWrapper(base.DatabaseWrapper):
    """PostgreSQL on the socket of the private server of the data folder PRIVATE_FOLDER."""

    def get_connection_params(self) -> dict[str, Any]:
        self.settings_dict["HOST"] = str(postgres.join(self._folder))
        self.settings_dict["USER"] = USER
        return super().get_connection_params()

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        try:
            return super().get_new_connection(conn_params)
        except psycopg.OperationalError:
            if not postgres.revive(self._folder):
                raise
            return super().get_new_connection(conn_params)

    @property
    def _folder(self) -> Path:
        return Path(str(self.settings_dict["PRIVATE_FOLDER"]))
