"""How Qt and Chromium are started for a browser that nobody sees."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import Final

LOCALE: Final = "en-GB"
_FLAGS: Final = "QTWEBENGINE_CHROMIUM_FLAGS"
_NOWHERE: Final = "http://127.0.0.1:9"
"""A proxy that is none: connections that no interceptor sees lead there, unless they are to this computer."""


def environment(inherited: Mapping[str, str], *, as_root: bool) -> dict[str, str]:
    """Return the variables that Qt reads at its start; the flags a person set are kept."""
    flags = inherited.get(_FLAGS, "")
    ours = [
        "--disable-gpu",
        f"--lang={LOCALE}",
        f"--proxy-server={_NOWHERE}",
        '--host-resolver-rules="MAP * ~NOTFOUND , EXCLUDE 127.0.0.1 , EXCLUDE localhost"',
        "--webrtc-ip-handling-policy=disable_non_proxied_udp",
        "--force-webrtc-ip-handling-policy=disable_non_proxied_udp",
        "--disable-quic",
        "--allow-pre-commit-input",
        # Pages of several people stand side by side; those behind are not to sleep.
        "--disable-background-timer-throttling",
        "--disable-renderer-backgrounding",
        "--disable-backgrounding-occluded-windows",
    ]
    if as_root and "--no-sandbox" not in flags:
        ours.append("--no-sandbox")
    return {
        "QT_API": "pyside6",
        "QT_QPA_PLATFORM": "offscreen",
        # One pixel of a page is one of its picture, whatever the person's screen is like.
        "QT_ENABLE_HIGHDPI_SCALING": "0",
        "QT_SCALE_FACTOR": "1",
        _FLAGS: " ".join([*([flags] if flags else []), *ours]),
    }


def prepare() -> None:
    """Set the process's environment, and say aloud where Chromium runs without its own sandbox."""
    as_root = hasattr(os, "geteuid") and os.geteuid() == 0
    os.environ.update(environment(os.environ, as_root=as_root))
    if as_root:
        sys.stderr.write(
            "Running as root: Chromium's own sandbox cannot start, so pages are checked without it.\n"
        )
