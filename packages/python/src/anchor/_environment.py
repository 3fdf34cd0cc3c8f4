"""The environment of a program that is to end with its anchor."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Dict, Mapping, Optional, Union

from ._errors import InvalidValueError, UnsupportedPlatformError
from ._identity import identity_of
from ._library import PRELOAD, appended, find
from ._settings import Settings, pid_of, variables

if TYPE_CHECKING:
    from typing_extensions import Unpack

    Environment = Union[Mapping[str, Any], Mapping[bytes, Any]]


def env(base: Optional[Environment] = None, **settings: Unpack[Settings]) -> Dict[str, str]:
    """The environment of a program that ends when this process dies, or the one that `pid` names. It is added to `base`,
    or to os.environ."""
    for name in settings.keys() - Settings.__annotations__.keys():
        raise TypeError(f"env() got an unexpected keyword argument '{name}'")
    if_unsupported = settings.get("if_unsupported", "raise")
    if if_unsupported not in ("raise", "run"):
        raise InvalidValueError("if_unsupported", if_unsupported, "'raise' or 'run'")
    given = settings.get("pid")
    pid = os.getpid() if given is None else pid_of(given)
    # ORDER: before the platform, so that a bad value shows on every one.
    chosen = variables(settings)
    before = os.environ if base is None else base
    made = {os.fsdecode(name): os.fsdecode(value) for name, value in before.items()}
    try:
        library = find(settings.get("library"))
    except UnsupportedPlatformError:
        if if_unsupported == "run":
            return made
        raise
    _forget(made)
    identity = identity_of(pid)
    if identity is not None:
        made["ANCHOR_ID"] = identity
    made.update(chosen, ANCHOR_PID=str(pid))
    made[PRELOAD] = appended(made.get(PRELOAD), library)
    return made


def _forget(made: Dict[str, str]) -> None:
    """What belongs to another anchor, in a process that is itself anchored. A kept identity would have the new number
    taken for that of a dead process; its descriptor is not handed on, and the number is another file's or nobody's; a scope
    that is pinned to a process leaves out all others."""
    made.pop("ANCHOR_ID", None)
    made.pop("ANCHOR_FD", None)
    if made.get("ANCHOR_SCOPE", "").startswith("self:"):
        made["ANCHOR_SCOPE"] = "tree"
