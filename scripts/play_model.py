"""Builds a wish while somebody plays the model by hand: `scripts/play_model.py WISH --home DIR --folder DIR`.

Requests and answers are files in the folder, see `tests/support/played_model.py`. What stands after `--` is given to
`vibedesk` instead of `build WISH`: `… --home DIR --folder DIR -- resume ID`.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.support.played_model import play_in_thread  # noqa: E402 - the path has to be set first


def main() -> int:
    given = sys.argv[1:]
    cut = given.index("--") if "--" in given else len(given)
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("wish", nargs="?", default="", help="what the app is to be")
    parser.add_argument("--home", type=Path, required=True, help="where VibeDesk keeps its data")
    parser.add_argument("--folder", type=Path, required=True, help="for requests and answers")
    parser.add_argument("--template", default="", help="starter; the model chooses without")
    options = parser.parse_args(given[:cut])
    template = ["--template", options.template] if options.template else []
    command = given[cut + 1 :] or ["build", options.wish, "--sandbox", "local", *template]
    with play_in_thread(options.folder.resolve()) as model:
        environment = {**os.environ, **model.environment(), "VIBEDESK_HOME": str(options.home)}
        vibedesk = [sys.executable, "-m", "vibedesk", *command]
        return subprocess.run(vibedesk, cwd=ROOT, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
