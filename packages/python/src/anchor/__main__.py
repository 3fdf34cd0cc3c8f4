"""The command `anchored`: becomes a command that ends when another process, its anchor, dies."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from typing import Any, List, NoReturn, Optional

from . import AnchorError, env

LAUNCHERS = ["--check", "--list", "--sweep", "--print-env", "--release", "--supervise", "--probe", "--json", "--dry-run"]
EPILOG = """Exit status: 125 anchored itself failed, 126 COMMAND cannot be run, 127 COMMAND was not found, otherwise
COMMAND's. This is not the launcher of the same name: that one also stands beside programs that cannot load a library, has
--check, --list and more, and comes with cargo install, the .deb or the archive."""


def fail(status: int, message: str) -> NoReturn:
    print(f"anchored: {message}", file=sys.stderr)
    sys.exit(status)


class Arguments(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        fail(125, message)


def parser() -> Arguments:
    made = Arguments(
        prog="anchored",
        usage="anchored [OPTION]... [--] COMMAND [ARG]...",
        description="Becomes COMMAND, so that it ends when process PID dies, whatever ends that process.",
        epilog=EPILOG,
        allow_abbrev=False,
    )
    made.add_argument("--pid", metavar="PID", type=_number, help="the anchor; default: the caller")
    made.add_argument("--signal", metavar="SIGNAL", help="what COMMAND is asked with; default TERM")
    made.add_argument("--grace", metavar="TIME", help="how long it then has until SIGKILL: 10s, 500ms, 0, never; default 10s")
    made.add_argument("--scope", metavar="SCOPE", help="tree, every descendant too; or self, COMMAND alone")
    made.add_argument("--skip", metavar="GLOBS", help="programs to leave alone, as ssh-agent:*-daemon")
    made.add_argument("--log", metavar="FILE", help="where one line an event is written: a file, or stderr")
    made.add_argument("--strict", action="store_true", default=None, help="what cannot be armed does not run")
    made.add_argument("command", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)
    for option in LAUNCHERS:
        made.add_argument(option, action=Launchers, nargs=0, default=argparse.SUPPRESS, help=argparse.SUPPRESS)
    return made


class Launchers(argparse.Action):
    def __call__(self, *_: Any) -> NoReturn:
        fail(125, f"{self.option_strings[0]}: is an option of the launcher, which this package does not bring; see --help")


def _number(text: str) -> Any:
    """The number, or what is no number: env() refuses it in its own words."""
    return int(text) if text.isascii() and text.isdigit() else text


def main(arguments: Optional[List[str]] = None) -> NoReturn:
    settings = vars(parser().parse_args(arguments))
    command = settings.pop("command")
    command = command[1:] if command[:1] == ["--"] else command
    if not command:
        fail(125, "no command; usage: anchored [OPTION]... [--] COMMAND [ARG]...")
    if settings["pid"] is None:
        settings["pid"] = os.getppid()
    try:
        environment = env(**settings)
    except AnchorError as error:
        fail(125, str(error))
    # Python ignores these for itself, and a program that it becomes would too.
    for name in ("SIGPIPE", "SIGXFSZ"):
        signal.signal(getattr(signal, name), signal.SIG_DFL)
    try:
        os.execvpe(command[0], command, environment)
    except (FileNotFoundError, NotADirectoryError):
        fail(127, f"{command[0]}: not found")
    except OSError as error:
        fail(126, f"{command[0]}: cannot be run: {error.strerror}")


if __name__ == "__main__":
    main()
