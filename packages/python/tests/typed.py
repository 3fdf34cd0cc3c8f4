"""What a user with a strict type checker writes, and what it must refuse. It is only read."""

import asyncio
import pathlib
import signal
import subprocess
from typing import Dict

import anchor

read_bytes: anchor.Popen[bytes] = anchor.Popen(["a"], stdout=subprocess.PIPE, grace=5)
read_text: anchor.Popen[str] = anchor.Popen("a", shell=True, text=True, signal=signal.SIGINT)
encoded: anchor.Popen[str] = anchor.Popen([pathlib.Path("a"), "b"], encoding="utf-8", log=pathlib.Path("l"))
standard: subprocess.Popen[str] = read_text
length: int = len(read_text.communicate()[0]) + len(read_bytes.communicate()[0])
env: Dict[str, str] = anchor.env({"PATH": "/bin"}, pid=7, scope="self", skip=["a", "b"], strict=True, if_unsupported="run")
settings: anchor.Settings = {"grace": "5s", "pdeathsig": "never", "poll": None}
anchor.Popen(["a"], channel=True)
anchor.env(fd=anchor.channel())
anchor.Popen(["a"], env={b"A": b"1"}, cwd="/", start_new_session=True, **settings)
subprocess.run(["a"], env=anchor.env(**settings))


async def start() -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec("a", env=anchor.env())


try:
    anchor.env()
except (anchor.UnsupportedPlatformError, anchor.LibraryNotFoundError, anchor.UnusablePathError) as error:
    raise SystemExit(str(error)) from error
except anchor.AnchorError:
    raise

anchor.env(scope="all")  # type: ignore[arg-type]
anchor.env(signals="TERM")  # type: ignore[call-arg]
anchor.Popen(["a"], strict="1")  # type: ignore[call-overload]
anchor.Popen(["a"]).communicate()[0].encode()  # type: ignore[attr-defined]
