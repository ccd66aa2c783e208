"""How the hub is put together: settings, addresses, Celery, the private PostgreSQL. No domain rule lives here."""

from config.celery import app as celery_app

__all__ = ["celery_app"]
