"""subprocess.Popen of a program that is to end with its anchor."""

from __future__ import annotations

import os
import subprocess
from typing import IO, TYPE_CHECKING, Any, AnyStr, Callable, Iterable, Optional, Sequence, Union, overload

from ._channel import channel as channel_of
from ._environment import env as env_of
from ._errors import InvalidValueError
from ._settings import Settings

if TYPE_CHECKING:
    from typing_extensions import Literal, Unpack

    from ._environment import Environment

    Base = subprocess.Popen
    Path = Union[str, bytes, os.PathLike[str], os.PathLike[bytes]]
    Command = Union[Path, Sequence[Path]]
    File = Union[int, IO[Any], None]

    class Options(Settings, total=False):
        """Those of subprocess.Popen that do not decide whether it speaks text or bytes, and libanchor's."""

        channel: bool
        bufsize: int
        executable: Optional[Path]
        stdin: File
        stdout: File
        stderr: File
        preexec_fn: Optional[Callable[[], object]]
        close_fds: bool
        shell: bool
        cwd: Optional[Path]
        env: Optional[Environment]
        startupinfo: Any
        creationflags: int
        restore_signals: bool
        start_new_session: bool
        pass_fds: Iterable[int]
        user: Union[str, int, None]
        group: Union[str, int, None]
        extra_groups: Optional[Iterable[Union[str, int]]]
        umask: int
        pipesize: int
        process_group: Optional[int]

else:

    class Base(subprocess.Popen):
        # Python 3.8 has no subprocess.Popen[...].
        def __class_getitem__(cls, _: Any) -> type:
            return cls


class Popen(Base[AnyStr]):
    """As subprocess.Popen: a program that ends when this process dies, whatever ends it, or the one that `pid` names."""

    @overload
    def __init__(
        self: Popen[bytes],
        args: Command,
        *,
        text: Literal[False, None] = None,
        universal_newlines: Literal[False, None] = None,
        encoding: None = None,
        errors: None = None,
        **options: Unpack[Options],
    ) -> None: ...
    @overload
    def __init__(
        self: Popen[str],
        args: Command,
        *,
        text: Literal[True],
        universal_newlines: Optional[bool] = None,
        encoding: Optional[str] = None,
        errors: Optional[str] = None,
        **options: Unpack[Options],
    ) -> None: ...
    @overload
    def __init__(
        self: Popen[str],
        args: Command,
        *,
        text: Optional[bool] = None,
        universal_newlines: Optional[bool] = None,
        encoding: str,
        errors: Optional[str] = None,
        **options: Unpack[Options],
    ) -> None: ...
    def __init__(self, args: Command, **options: Any) -> None:
        settings = {name: options.pop(name) for name in Settings.__annotations__ if name in options}
        channel = options.pop("channel", False)
        if not isinstance(channel, bool):
            raise InvalidValueError("channel", channel, "True or False")
        # Elsewhere no program is given a descriptor, and there is no library.
        if channel and os.name == "posix":
            settings["fd"] = channel_of()
            options["pass_fds"] = (*options.get("pass_fds", ()), settings["fd"])
        super().__init__(args, env=env_of(options.pop("env", None), **settings), **options)
