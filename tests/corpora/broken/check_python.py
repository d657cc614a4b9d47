"""Type-checks, lints and visits many Python apps in one process a tool; runs in the starter's own environment.

Reads [{"name", "folder", "path"}] from standard input and writes
{name: {"codes": [...], "said": "", "lint": "", "status": 0, "log": ""}}, `lint` in ruff's own JSON.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from mypy import api

_CODE = re.compile(r"error: .*\[([\w-]+)\]$", re.M)
_VISIT = """
import sys
from fastapi.testclient import TestClient
from app.main import app
with TestClient(app) as client:
    client = TestClient(app, raise_server_exceptions=True)
    try:
        answer = client.get(sys.argv[1])
    except Exception as error:
        import traceback
        traceback.print_exc()
        print("STATUS", 500)
    else:
        print("STATUS", answer.status_code)
        print(answer.text)
"""


def main() -> None:
    projects: list[dict[str, str]] = json.load(sys.stdin)
    found: dict[str, Any] = {}
    for project in projects:
        os.chdir(project["folder"])
        said, _, _ = api.run(["--cache-dir", sys.argv[1]])
        ruff = subprocess.run(
            [sys.executable, "-m", "ruff", "check", "--no-cache", "--output-format", "json", "app"],
            capture_output=True,
            text=True,
            check=False,
        )
        lint = [message["code"] or "syntax" for message in json.loads(ruff.stdout)]
        found[project["name"]] = {
            "codes": [*_CODE.findall(said), *lint],
            "said": said,
            "lint": ruff.stdout,
            **_visited(project),
        }
    json.dump(found, sys.stdout)


def _visited(project: dict[str, str]) -> dict[str, Any]:
    if not project["path"]:
        return {"status": 0, "log": ""}
    done = subprocess.run(
        [sys.executable, "-c", _VISIT, project["path"]],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "DATABASE_PATH": str(Path(project["folder"], "visit.db"))},
    )
    status = re.search(r"^STATUS (\d+)$", done.stdout, re.M)
    return {"status": int(status[1]) if status else 0, "log": done.stdout + done.stderr}


if __name__ == "__main__":
    main()
