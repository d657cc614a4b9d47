"""Starts the browser program."""

from __future__ import annotations

import sys

from vibedesk.browser.program import run

if __name__ == "__main__":
    sys.exit(run())
