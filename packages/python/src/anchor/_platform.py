"""For which platform the wheel is; scripts/wheel writes it. None: for those that have no library."""

from typing import Optional

PLATFORM: Optional[str] = None
