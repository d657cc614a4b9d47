"""Runs every benchmark under `tests/benchmarks`, one after the other; each fails over its own limit."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def main() -> int:
    scripts = sorted((ROOT / "tests" / "benchmarks").glob("[!_]*.py"))
    failed = []
    for script in scripts:
        print(f"== {script.stem}", flush=True)
        module = f"tests.benchmarks.{script.stem}"
        if subprocess.run([sys.executable, "-m", module], cwd=ROOT, check=False).returncode != 0:
            failed.append(script.stem)
    print(f"{len(scripts) - len(failed)} of {len(scripts)} benchmarks within their limits", end="")
    print(f"; over or broken: {', '.join(failed)}" if failed else "")
    return 1 if failed or not scripts else 0


if __name__ == "__main__":
    sys.exit(main())
