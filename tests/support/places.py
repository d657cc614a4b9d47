"""Where tests keep what is large."""

from __future__ import annotations

import os
from pathlib import Path

DISK = Path(os.environ.get("VIBEDESK_DISK", "/var/tmp"))
"""For Docker's data and packages: on a disk, not in memory as /tmp may be."""

FOR_ONE_RUN = "VIBEDESK_DISK" in os.environ
"""Whether that disk goes with the last process of this run; see scripts/on_own_disk.sh."""

KEPT = DISK / f"vibedesk-tests-{os.getuid()}"
"""What takes long to make: later runs find it again where the disk is not made for one run."""
