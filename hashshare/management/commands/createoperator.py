"""`manage.py createoperator`: an account that runs this hub."""

from __future__ import annotations

import getpass
import os
import sys
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction
from django.utils import timezone

from hashshare.models import Person
from hashshare.services.deeds import note_deed
from hashshare.services.people import create_person
from hashshare.wire.errors import HashshareError


class Command(BaseCommand):
    help = "Create a hub operator. The password is asked for, read from HASHSHARE_OPERATOR_PASSWORD or from stdin."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--email", required=True)
        parser.add_argument("--name", default="")

    def handle(self, *args: Any, **options: Any) -> None:
        password = os.environ.get("HASHSHARE_OPERATOR_PASSWORD") or asked()
        try:
            validate_password(password)
            person = make_operator(options["email"], options["name"], password)
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        except HashshareError as error:
            raise CommandError(error.message) from error
        self.stdout.write(f"Operator {person.email} created. The second factor is set up at the first sign-in.")


@transaction.atomic
def make_operator(email: str, name: str, password: str) -> Person:
    person = create_person(email=email, name=name, role="operator", password=password, second_factor_due=True)
    note_deed(person=None, what="Create an operator", about=person, now=timezone.now())
    return person


def asked() -> str:
    """Typed twice at a terminal, else the first line of stdin: never an argument, which others could see."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\n")
    password = getpass.getpass("Password: ")
    if getpass.getpass("Again: ") != password:
        raise CommandError("The two passwords differ.")
    return password
