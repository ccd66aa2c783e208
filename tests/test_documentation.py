"""What the documentation says can be done: its links lead somewhere, its commands and options exist."""

from __future__ import annotations

import argparse
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from django.core.management import get_commands, load_command_class
from django.core.management.base import BaseCommand

from hashshare.client.cli.app import build

ROOT = Path(__file__).parents[1]
PAGES = sorted(
    path
    for path in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("deploy/*.md"), *ROOT.glob("tests/**/*.md")]
    if path.name != "command-line.md"
)
LINK = re.compile(r"\]\(([^)\s]+)\)")
EVERYWHERE = {"--json", "--debug", "--help"}


def ids(page: Path) -> str:
    return str(page.relative_to(ROOT))


def commands(page: Path, first: str) -> Iterator[list[str]]:
    """The words after `first` of every command line in code, continued lines joined, comments and redirects cut."""
    text = page.read_text().replace("\\\n", " ")
    for line in [
        *re.findall(rf"`([^`\n]*{first} [^`\n]*)`", text),
        *(line for line in text.splitlines() if "`" not in line),
    ]:
        found = re.match(rf"(?:[^`|a-z]* |.*python (?:-m )?|\$ )?{re.escape(first)} ([a-z].*)", line)
        if found:
            yield shlex.split(re.split(r"\s[>|#]", found[1].replace("[", "").replace("]", ""))[0])


@pytest.mark.parametrize("page", PAGES, ids=ids)
def test_its_links_lead_somewhere(page: Path) -> None:
    inside = [link.partition("#")[0] for link in LINK.findall(page.read_text()) if "://" not in link]
    assert [link for link in inside if link and not (page.parent / link).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=ids)
def test_its_hashshare_commands_exist(page: Path) -> None:
    for words in commands(page, "hashshare"):
        command: Any = typer.main.get_command(build())
        rest = list(words)
        while rest and hasattr(command, "commands"):
            assert rest[0] in command.commands, f"hashshare {' '.join(words)}"
            command = command.commands[rest.pop(0)]
        known = {name for param in command.params for name in (*param.opts, *param.secondary_opts)} | EVERYWHERE
        assert options(rest) <= known, f"hashshare {' '.join(words)}"


@pytest.mark.parametrize("page", PAGES, ids=ids)
def test_its_hub_commands_exist(page: Path) -> None:
    for name, *rest in commands(page, "manage.py"):
        module = name.replace("-", "_")
        assert module in get_commands(), f"manage.py {name}"
        app = get_commands()[module]
        command = app if isinstance(app, BaseCommand) else load_command_class(app, module)
        assert options(rest) <= known_options(command.create_parser("manage.py", name), rest), (
            f"manage.py {name} {rest}"
        )


def known_options(parser: argparse.ArgumentParser, words: list[str]) -> set[str]:
    """Of the command, and of its own command that the words name."""
    known = set(parser._option_string_actions)
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            named = [each for each in words[:1] for each in each.split("|") if each in action.choices]
            for each in named:
                known |= known_options(action.choices[each], words[1:])
    return known


def options(words: list[str]) -> set[str]:
    return {word.partition("=")[0] for word in words if word.startswith("-") and word != "-"}


@pytest.mark.parametrize("page", PAGES, ids=ids)
def test_its_make_targets_exist(page: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert {words[0] for words in commands(page, "make")} <= targets


def test_it_finds_what_it_looks_for() -> None:
    hotline, operator = ROOT / "docs" / "quickstart-hotline.md", ROOT / "docs" / "quickstart-operator.md"
    assert ["release", "status", "aurora.example/images"] in list(commands(hotline, "hashshare"))
    assert any("--algorithms" in words for words in commands(hotline, "hashshare"))
    assert any(words[0] == "invite-person" for words in commands(operator, "manage.py"))


@pytest.mark.parametrize("page", PAGES, ids=ids)
def test_its_tests_exist(page: Path) -> None:
    """`test_rotate.py::test_a_new_root_key...`, or with a folder; `::test_b...` is of the file named before."""
    files, last = list(ROOT.glob("tests/**/test_*.py")), ""
    for name, function in re.findall(r"`((?:[\w/]*/)?test_\w+\.py)?(?:::(test_\w+))?`", page.read_text()):
        last = name or last
        if not (name or function):
            continue
        named = [path.read_text() for path in files if path.as_posix().endswith(f"/{last}")]
        assert named, last
        assert not function or any(f"def {function}(" in text for text in named), f"{last}::{function}"
