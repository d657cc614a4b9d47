"""`vibedesk usage`, `bug-report` and `variables`, as a person at a terminal uses them, on one app that is built."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.e2e.command_line import vibedesk
from tests.support.model_server import serve_in_thread
from tests.support.tiny_app import TINY_TEMPLATE, script_tiny_app
from vibedesk.base.paths import Home, resolve_home
from vibedesk.base.secret_store import PASSPHRASE_VARIABLE, SecretStore
from vibedesk.engine.variables import APP_SERVICE

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).resolve().parents[2]
WISH = "Count the swallows for me"
SECRET = "pk-of-the-app-31415926"
KEEPING = {PASSPHRASE_VARIABLE: "correct horse battery"}
"""There is no keychain where tests run."""


@dataclass(frozen=True)
class Built:
    """An app that is complete, and the operations that a model was asked for it."""

    home: Path
    project_id: str
    asked: Counter[str]

    @property
    def paths(self) -> Home:
        return resolve_home(self.home)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    home = tmp_path_factory.mktemp("home")
    with serve_in_thread() as server:
        script_tiny_app(server)
        done = vibedesk(
            "build", WISH, "--template", str(TINY_TEMPLATE), "--budget", "7", "--json",
            home=home, env={**server.environment(), "VIBEDESK_REVIEW": "tools"},
        )  # fmt: skip
        assert done.status == 0, done.stderr
        return Built(home, done.project_id, Counter(r.operation for r in server.requests))


def test_usage_counts_every_call(built: Built) -> None:
    report = vibedesk("usage", "--json", home=built.home).json
    assert {row["key"]: row["calls"] for row in report["by_operation"]} == built.asked
    assert report["totals"]["calls"] == built.asked.total()
    assert report["totals"]["input_tokens"] > 0
    assert report["budget"] is None
    of_it = vibedesk("usage", built.project_id, "--days", "2", home=built.home)
    assert (of_it.status, of_it.stderr) == (0, "")
    rows = [line.split() for line in of_it.stdout.splitlines()]
    assert ["Plan", "phase", str(built.asked["plan_phase"])] in [row[:3] for row in rows]
    assert ["By", "phase"] in rows
    assert ["By", "project"] not in rows
    assert "of 7 USD are spent" in of_it.stdout


def test_a_bug_report_is_written_only_where_it_is_told(built: Built, tmp_path: Path) -> None:
    before = set(ROOT.glob("*.zip"))
    shown = vibedesk("bug-report", built.project_id, home=built.home)
    assert shown.status == 0, shown.stderr
    assert shown.stdout.splitlines()[-1] == "Nothing was written. Say where with --out FILE."
    assert set(ROOT.glob("*.zip")) == before
    file = tmp_path / "report.zip"
    written = vibedesk("bug-report", built.project_id, "--out", str(file), home=built.home)
    assert written.status == 0, written.stderr
    head, *listed, last = written.stdout.splitlines()
    assert (head, last) == ("The report has:", f"Written to {file}.")
    with zipfile.ZipFile(file) as archive:
        texts = {name: archive.read(name).decode() for name in archive.namelist()}
    assert [line.split()[-1] for line in listed] == list(texts)
    assert built.project_id in texts["project.json"]
    assert WISH not in "".join(texts.values())


def test_a_secret_is_read_from_standard_input_and_shown_nowhere(built: Built) -> None:
    set_it = ["variables", built.project_id, "--set", "API_KEY", "-", "--allow"]
    done = subprocess.run(
        [sys.executable, "-m", "vibedesk", *set_it, "--home", str(built.home)],
        cwd=ROOT,
        env={**os.environ, **KEEPING},
        input=f"{SECRET}\n",
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.split() == ["API_KEY", "(secret)", "given", "to", "the", "app"]
    kept = SecretStore(built.paths.secrets, KEEPING)
    assert kept.get(APP_SERVICE, f"{built.project_id}/API_KEY") == SECRET
    [shown] = vibedesk("variables", built.project_id, "--json", home=built.home).json
    assert (shown["has_value"], shown["value"], shown["consent"]) == (True, "", True)
    files = [path for path in built.home.rglob("*") if path.is_file()]
    assert built.paths.database in files
    assert built.paths.logs in {path.parent for path in files}
    assert [path for path in files if SECRET.encode() in path.read_bytes()] == []


def test_an_open_variable_is_set_shown_and_forgotten(built: Built) -> None:
    command = ("variables", built.project_id)
    done = vibedesk(*command, "--set", "MODE=loud", "--plain", home=built.home)
    assert done.status == 0, done.stderr
    assert ["MODE", "loud", "kept", "from", "the", "app"] in [
        line.split() for line in done.stdout.splitlines()
    ]
    wrong = vibedesk(*command, "--set", "MODE", "loud", home=built.home)
    assert wrong.status == 1
    wrong.assert_one_sentence("--set NAME=VALUE")
    left = vibedesk(*command, "--unset", "MODE", "--json", home=built.home)
    assert "MODE" not in {variable["name"] for variable in left.json}
