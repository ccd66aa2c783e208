"""`python -m demo [--once] [--json] [--port N]`: tell the story; leave the hub running unless --once."""

from __future__ import annotations

import argparse
import json
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

from demo.acts import Story
from demo.hub import Hub, free_port
from demo.stage import DemoFailedError, Organisation, Stage

INTERRUPTED = 130


def main() -> int:
    """Exit status: 0 told to its end, 1 a claim did not hold (and which), 130 interrupted."""
    for ending in (signal.SIGINT, signal.SIGTERM):
        signal.signal(ending, signal.default_int_handler)  # started in the background, a shell has SIGINT ignored
    arguments = parse_arguments()
    stage = Stage(quiet=arguments.json)
    folder = Path(tempfile.mkdtemp(prefix="hashshare-demo-"))
    folder.chmod(0o711)  # root's private PostgreSQL runs as somebody else, who must pass through
    hub = Hub(folder / "hub", arguments.port or free_port(), stage)
    south = None if arguments.single else Hub(folder / "south", free_port(hub.port + 1), stage, name="South")
    story = Story(
        stage,
        hub,
        folder,
        aurora=Organisation("Aurora", folder / "aurora", stage),
        cobalt=Organisation("Cobalt", folder / "cobalt", stage),
        south=south,
    )
    return perform(story, arguments)


def perform(story: Story, arguments: argparse.Namespace) -> int:
    """Tell it and leave: the folder stays only when something went wrong."""
    started, kept = time.monotonic(), False
    try:
        story.tell()
        story.stage.note(seconds=round(time.monotonic() - started, 1), hub=story.hub.url)
        closing(story, arguments)
        if not arguments.once:
            story.hub.wait()
    except DemoFailedError as failure:
        kept = True
        print(f"The demo stopped. {failure}\nKept for a look: {story.folder}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        story.stage.console.print("\nStopping the hub …")
        return INTERRUPTED if "seconds" not in story.stage.figures else 0
    finally:
        for hub in filter(None, (story.south, story.hub)):
            hub.stop()
        if not kept:
            shutil.rmtree(story.folder)
    return 0


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    parser.add_argument("--once", action="store_true", help="end by itself and leave nothing behind")
    parser.add_argument("--single", action="store_true", help="leave out the second hub")
    parser.add_argument("--json", action="store_true", help="print the figures as one JSON document, nothing else")
    parser.add_argument("--port", type=int, help="the hub's port (default 8000, or a free one)")
    return parser.parse_args()


def closing(story: Story, arguments: argparse.Namespace) -> None:
    """The figures, and for a hub that goes on running its address and logins."""
    stage = story.stage
    if arguments.json:
        print(json.dumps(stage.figures, indent=2), flush=True)
    stage.act(f"Done in {stage.figures['seconds']} s")
    if arguments.once:
        return
    stage.fact(f"The hub goes on running at {story.hub.url}/admin/ until Ctrl-C; its folder is {story.folder}")
    for role, login in (("operator", story.operator), ("observer", story.observer)):
        if login:
            stage.fact(f"{role:<9} {login.email}   password {login.password}   codes, each good once:")
            stage.fact(f"          {'  '.join(login.codes[:5])}")
    stage.fact(f"member    HASHSHARE_HOME={story.cobalt.home} {Path(sys.executable)} -m hashshare status")


if __name__ == "__main__":
    sys.exit(main())
