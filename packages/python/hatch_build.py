"""Names the platform of the wheel. scripts/wheel says which it is, and puts the library there."""

import os
from typing import Any, Dict

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

# One wheel serves glibc and musl, because the library needs neither: it has no DT_NEEDED and no versioned symbol. The
# old name of manylinux_2_17 is for pip before 20.3. Tested are glibc 2.31 and musl 1.2.2, and later ones.
TAGS = {
    "linux-x64": "manylinux2014_x86_64.manylinux_2_17_x86_64.musllinux_1_2_x86_64",
    "linux-arm64": "manylinux2014_aarch64.manylinux_2_17_aarch64.musllinux_1_2_aarch64",
    "darwin-x64": "macosx_11_0_x86_64",
    "darwin-arm64": "macosx_11_0_arm64",
    "darwin-universal": "macosx_11_0_universal2",
    "none": "any",
}


class Hook(BuildHookInterface):  # type: ignore[type-arg]
    def initialize(self, version: str, build_data: Dict[str, Any]) -> None:
        platform = os.environ.get("LIBANCHOR_WHEEL", "")
        if platform not in TAGS:
            raise SystemExit("libanchor: a wheel is made by scripts/wheel, with the library that belongs into it")
        build_data["pure_python"] = platform == "none"
        build_data["tag"] = "py3-none-" + TAGS[platform]
