"""The options, as the variables of libanchor's contract.

What is refused here would be a line on the child's stderr, at every start, and the default in its place.
"""

from __future__ import annotations

import math
import os
import re
import signal as signals
import sys
from typing import TYPE_CHECKING, Any, Callable, Dict, Iterable, Mapping, Optional, Tuple, TypedDict, Union

from ._errors import InvalidValueError

if TYPE_CHECKING:
    from typing_extensions import Literal


class Settings(TypedDict, total=False):
    """How a program ends when its anchor dies. What is not given, or None, is as the environment has it."""

    pid: Optional[int]
    signal: Union[str, int, None]
    grace: Union[float, str, None]
    scope: Optional[Literal["tree", "self"]]
    skip: Union[str, Iterable[str], None]
    log: Union[str, os.PathLike[str], None]
    strict: Optional[bool]
    pdeathsig: Optional[Literal["auto", "always", "never"]]
    poll: Union[float, str, None]
    fd: Optional[int]
    library: Union[str, os.PathLike[str], None]
    if_unsupported: Literal["raise", "run"]


LONGEST = 86_400_000
LARGEST_PID = 4_194_304
LAST_SIGNAL = 31 if sys.platform == "darwin" else 64
NAMES = set(
    "TERM INT HUP QUIT KILL USR1 USR2 WINCH ALRM ABRT PIPE IO CHLD CONT URG ILL TRAP BUS FPE SEGV SYS XCPU XFSZ "
    "VTALRM PROF".split()
)
# What is asked with one of the first is stopped, and nobody is left to kill it; 32 and 33 are the C library's.
REFUSED = [getattr(signals, name, None) for name in ("SIGSTOP", "SIGTSTP", "SIGTTIN", "SIGTTOU")] + [32, 33]
# A class must be closed; a bracket that comes first in it is one of the class.
GLOB = re.compile(r"(?:[^\[]|\[(?:![\s\S]|[^!])[^\]]*\])*")


def variables(settings: Mapping[str, Any]) -> Dict[str, str]:
    """The variables that these options set."""
    found = {}
    for option, (variable, accepts, parse) in SETTINGS.items():
        value = settings.get(option)
        if value is not None:
            parsed = parse(value)
            if parsed is None:
                raise InvalidValueError(option, value, accepts)
            found[variable] = parsed
    return found


def pid_of(value: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= LARGEST_PID:
        return value
    raise InvalidValueError("pid", value, f"a process id from 1 to {LARGEST_PID}")


def _text(value: Any) -> Optional[str]:
    """A text without a NUL, which would end it."""
    return value if isinstance(value, str) and value and "\0" not in value else None


def _signal(value: Any) -> Optional[str]:
    if isinstance(value, str) and not _is_decimal(value):
        name = value.upper()
        name = name[3:] if name.startswith("SIG") else name
        return name if name in NAMES else None
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        return None
    number = int(value)
    return str(number) if 1 <= number <= LAST_SIGNAL and number not in REFUSED else None


def _is_decimal(text: str) -> bool:
    return text.isascii() and text.isdigit()


def _time(value: Any) -> Optional[str]:
    """A number is seconds, as everywhere in Python."""
    if isinstance(value, str):
        digits, factor = (value[:-2], 1) if value.endswith("ms") else (value[:-1], 1000)
        count = int(digits) * factor if value.endswith("s") and _is_decimal(digits) else -1
    elif isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value):
        count = round(value * 1000) if value >= 0 else -1
    else:
        count = -1
    return f"{count}ms" if 0 <= count <= LONGEST else None


def _grace(value: Any) -> Optional[str]:
    if value == "never":
        return "never"
    return "0ms" if value == "0" else _time(value)


def _poll(value: Any) -> Optional[str]:
    interval = _time(value)
    return None if interval == "0ms" else interval


def _skip(value: Any) -> Optional[str]:
    try:
        given = [value] if isinstance(value, str) else list(value)
    except TypeError:
        return None
    globs = ":".join(given).split(":") if given and all(map(_text, given)) else []
    return ":".join(globs) if globs and all(map(GLOB.fullmatch, globs)) else None


def _log(value: Any) -> Optional[str]:
    return _text(os.fspath(value)) if isinstance(value, (str, os.PathLike)) else None


def _fd(value: Any) -> Optional[str]:
    """0 to 2 are the program's own."""
    number = isinstance(value, int) and not isinstance(value, bool)
    return str(value) if number and 2 < value < 2**31 else None


def _one_of(*words: str) -> Callable[[Any], Optional[str]]:
    return lambda value: value if value in words else None


def _switch(value: Any) -> Optional[str]:
    return str(int(value)) if isinstance(value, bool) else None


# Option: its variable, what is accepted, and its value there; None where it is not accepted.
SETTINGS: Dict[str, Tuple[str, str, Callable[[Any], Optional[str]]]] = {
    "signal": ("ANCHOR_SIGNAL", "a signal's name or number that does not stop a process, such as 'SIGINT' or 15", _signal),
    "grace": ("ANCHOR_GRACE", "seconds, '10s', '500ms' (at most 86400s), 0 or 'never'", _grace),
    "pdeathsig": ("ANCHOR_PDEATHSIG", "'auto', 'always' or 'never'", _one_of("auto", "always", "never")),
    "scope": ("ANCHOR_SCOPE", "'tree' or 'self'", _one_of("tree", "self")),
    "skip": ("ANCHOR_SKIP", "globs of program names, such as ['ssh-agent', '*-daemon']", _skip),
    "log": ("ANCHOR_LOG", "the path of a file, or 'stderr'", _log),
    "strict": ("ANCHOR_STRICT", "True or False", _switch),
    "fd": ("ANCHOR_FD", "the number that a descriptor has in the program", _fd),
    "poll": ("ANCHOR_POLL", "seconds, '250ms' or '1s', from 1ms to 86400s", _poll),
}
