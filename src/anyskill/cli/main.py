"""``anyskill``: the entry point. Errors meant for people are one sentence on stderr and exit code 2."""

import os
import sys
from collections.abc import Callable, Sequence

import tyro

from anyskill.cli import motions
from anyskill.errors import AnyskillError

VERBS: dict[str, Callable[..., None]] = {
    "motions import": motions.import_,
    "motions check": motions.check,
    "motions view": motions.view,
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command; ``arguments`` defaults to the process's own."""
    app = tyro.extras.SubcommandApp()
    for name, verb in VERBS.items():
        app.command(verb, name=name)
    try:
        app.cli(prog="anyskill", args=arguments, description=__doc__.splitlines()[0])
    except AnyskillError as error:
        print(f"anyskill: {error}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:  # the reader of our output has gone, as with `| head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)
