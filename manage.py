#!/usr/bin/env python
"""The hub's command line; `python manage.py` lists what it can do."""

import os
import sys


def spelled_for_python(argv: list[str]) -> list[str]:
    """`invite-person` is how people type it; a Python module cannot be called so."""
    program, *rest = argv
    if rest and not rest[0].startswith("-"):
        rest[0] = rest[0].replace("-", "_")
    return [program, *rest]


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    try:
        from django.core.exceptions import ImproperlyConfigured
        from django.core.management import execute_from_command_line
    except ImportError:
        sys.exit("Django is not installed here. Run `make setup` and use .venv/bin/python manage.py")
    try:
        execute_from_command_line(spelled_for_python(sys.argv))
    except ImproperlyConfigured as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
