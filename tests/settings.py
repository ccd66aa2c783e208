"""The hub's settings for one run of the tests: a data folder of its own, a private PostgreSQL in it, cheap passwords.

The run's first process makes the folder, tells the others (pytest-xdist) by environment, and removes it when it ends.
"""

import atexit
import os
import shutil
import tempfile
from pathlib import Path


def remove_run(folder: Path, maker: int) -> None:
    """Stop the run's PostgreSQL and delete everything it kept; a forked child leaves that to its parent."""
    if os.getpid() != maker:
        return
    from config import postgres

    if (folder / "postgresql.lock").exists():
        postgres.destroy(folder)
    shutil.rmtree(folder, ignore_errors=True)


if "HASHSHARE_TEST_RUN" not in os.environ:
    run = Path(tempfile.mkdtemp(prefix="hashshare-tests-"))
    run.chmod(0o711)
    os.environ["HASHSHARE_TEST_RUN"] = os.environ["HASHSHARE_DATA"] = str(run)
    os.environ["HASHSHARE_PG_DURABLE"] = "0"
    for name in ("OBJECTS", "KEYS", "PUBLIC_URL", "SENDFILE_PREFIX", "RATE_LIMIT", "CACHE_URL", "BROKER_URL"):
        os.environ.pop(f"HASHSHARE_{name}", None)
    for name in [name for name in os.environ if name.startswith(("HASHSHARE_S3_", "AWS_"))]:
        del os.environ[name]
    atexit.register(remove_run, run, os.getpid())

from config.settings import *  # noqa: F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
