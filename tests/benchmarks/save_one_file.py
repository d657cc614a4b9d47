"""Saving one file must cost what changed: a project of 10,000 files against one of 10, medians of alternating pairs.

Prints SQL statements, bytes written to the database and CPU time of one save in each, and exits 1 over the limits
(equal, 5 %, 1.2 times). Compacting the log, writing the file to the work folder and the git snapshot are reported
apart: they are not part of a save.
"""

from __future__ import annotations

import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

# ruff: noqa: E402 - the checkout's modules, not installed ones
from vibedesk.base.clock import utc_now
from vibedesk.base.paths import Home
from vibedesk.engine.files.history import History
from vibedesk.engine.files.project_files import ProjectFiles
from vibedesk.engine.files.work_folder import WorkFolder
from vibedesk.engine.store.database import Database
from vibedesk.engine.store.tables import CodeSnapshotRow, ProjectRow, database_proxy

_SMALL, _LARGE = 10, 10_000
_PAIRS = 300
_MOST_BYTES, _MOST_CPU = 1.05, 1.2
_BODY = "".join(f"export const value{number} = {number};\n" for number in range(60))
_PATH = "src/part0/file0.ts"


@dataclass
class Subject:
    """One project and what saves in it cost."""

    database: Database
    files: ProjectFiles
    work: WorkFolder
    history: History
    statements: list[int] = field(default_factory=list)
    bytes_written: list[int] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    saves: int = 0

    def save(self) -> None:
        self.saves += 1
        text = _BODY.replace("value30 = 30", f"value30 = {self.saves:05}")
        before = self._log_size()
        begun = time.process_time()
        self.files.write(_PATH, text, "user")
        self.cpu.append(time.process_time() - begun)
        self.bytes_written.append(self._log_size() - before)
        self.database.call(lambda: None)  # a compaction that fell due is over before the next save

    def count(self) -> None:
        self.saves += 1
        text = _BODY.replace("value30 = 30", f"value30 = {self.saves:05}")
        with self.database.counting() as count:
            self.files.write(_PATH, text, "user")
        self.statements.append(count.statements)
        self.database.call(lambda: None)

    def _log_size(self) -> int:
        return self.database.path.with_name(self.database.path.name + "-wal").stat().st_size


def make(root: Path, count: int) -> Subject:
    home = Home(root=root, projects=root / "projects")
    database = Database.open(home, write=True)
    now = utc_now()
    folder = home.projects / "p"
    database.call(
        lambda: ProjectRow.insert(
            id="P", name="p", folder=str(folder), created_at=now, updated_at=now
        ).execute()
    )
    files = ProjectFiles(database, "P")
    files.write_all(
        {f"src/part{number % 100}/file{number}.ts": _BODY for number in range(count)}, "agent"
    )
    database.call(lambda: None)
    prepare_log(database)
    work = WorkFolder(database, "P", files, folder)
    return Subject(database, files, work, History(database, "P", files, folder))


def prepare_log(database: Database) -> None:
    """Empty the write-ahead log and let it only grow, so that its size tells what was written."""
    connection = sqlite3.connect(database.path)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    connection.close()
    database.call(lambda: database_proxy.execute_sql("PRAGMA wal_autocheckpoint = 0").fetchall())


def milliseconds(action: Callable[[], object]) -> float:
    begun = time.perf_counter()
    action()
    return (time.perf_counter() - begun) * 1000


def report_apart(name: str, subject: Subject) -> None:
    def touch() -> None:
        subject.save()

    subject.work.materialise()
    subject.history.snapshot("first")
    folder, git, compaction = [], [], []
    for number in range(5):
        touch()
        folder.append(milliseconds(subject.work.materialise))
        git.append(milliseconds(lambda number=number: subject.history.snapshot(str(number))))
        stored = subject.files.stored
        state: list[bytes] = []
        compaction.append(
            milliseconds(
                lambda stored=stored, state=state: subject.database.call(
                    lambda: state.append(stored.current().state())
                )
            )
        )
    snapshots = subject.database.call(CodeSnapshotRow.select().count)
    print(
        f"  {name:>7}: work folder {statistics.median(folder):6.2f} ms, git snapshot "
        f"{statistics.median(git):6.2f} ms, compaction {statistics.median(compaction):6.2f} ms "
        f"(ran {snapshots} times)"
    )


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="vibedesk-bench-") as folder:
        small = make(Path(folder, "small"), _SMALL)
        large = make(Path(folder, "large"), _LARGE)
        for subject in (small, large):
            for _ in range(20):
                subject.save()
            for values in (subject.cpu, subject.bytes_written):
                values.clear()
        for pair in range(_PAIRS):
            for subject in (small, large) if pair % 2 else (large, small):
                subject.save()
        for _ in range(5):
            small.count()
            large.count()
        statements = statistics.median(small.statements), statistics.median(large.statements)
        written = statistics.median(small.bytes_written), statistics.median(large.bytes_written)
        cpu = statistics.median(small.cpu) * 1e6, statistics.median(large.cpu) * 1e6
        print(f"saving one file, {_SMALL} files against {_LARGE} (medians of {_PAIRS} pairs)")
        print(f"  SQL statements: {statements[0]:.0f} / {statements[1]:.0f}  (limit: equal)")
        print(
            f"  bytes written: {written[0]:.0f} / {written[1]:.0f} = "
            f"{written[1] / written[0]:.3f}  (limit {_MOST_BYTES})"
        )
        print(f"  CPU: {cpu[0]:.0f} / {cpu[1]:.0f} µs = {cpu[1] / cpu[0]:.3f}  (limit {_MOST_CPU})")
        print("not part of a save:")
        for name, subject in (("10", small), ("10,000", large)):
            report_apart(name, subject)
            subject.database.close()
        good = (
            statements[0] == statements[1]
            and written[1] <= written[0] * _MOST_BYTES
            and cpu[1] <= cpu[0] * _MOST_CPU
        )
        print("within the limits" if good else "OVER THE LIMITS")
        return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
