"""Projects, phases, messages, wishes, usage, logs and the event log.

Every method runs on the store's thread, inside the transaction of whoever called it
(`Database.run` or `EventBus.commit`).
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from typing import Any

from vibedesk.base.clock import utc_now
from vibedesk.base.errors import InvalidInputError, NotFoundError
from vibedesk.base.ids import new_id
from vibedesk.engine.states import AgentState
from vibedesk.engine.store.records import (
    Json,
    MessageRecord,
    PhaseRecord,
    ProjectRecord,
    UsageTotals,
    WishRecord,
)
from vibedesk.engine.store.tables import (
    CommandRow,
    EventRow,
    FileRow,
    GrantRow,
    LogRow,
    MessageRow,
    PhaseRow,
    ProjectRow,
    RefusedHostRow,
    SettingRow,
    WishRow,
)
from vibedesk.engine.store.usage import UsageFilter, usage_total

_JSON_FIELDS = frozenset({"options", "run", "blueprint", "waiting", "error", "questions"})
_MAX_LOG_LINES = 20_000


class ProjectStore:
    """The library of projects and what the agents persist."""

    # -- projects ------------------------------------------------------------------------------
    def create(self, fields: Json) -> ProjectRecord:
        now = utc_now()
        row = {"id": new_id(), "created_at": now, "updated_at": now, **_encode(fields)}
        ProjectRow.insert(row).execute()
        return self.get(str(row["id"]))

    def get(self, project_id: str) -> ProjectRecord:
        row = ProjectRow.get_or_none(
            (ProjectRow.id == project_id) & ProjectRow.deleted_at.is_null()
        )
        if row is None:
            raise NotFoundError(
                f"There is no project {project_id!r}.",
                remedy="`vibedesk projects` lists what there is.",
            )
        return _project(row)

    def library(self) -> list[ProjectRecord]:
        """Return every project, last changed first."""
        rows = (
            ProjectRow.select()
            .where(ProjectRow.deleted_at.is_null())
            .order_by(ProjectRow.updated_at.desc(), ProjectRow.id.desc())
        )
        return [_project(row) for row in rows]

    def resolve(self, reference: str) -> str:
        """Return the id that `reference` (an id, a unique prefix of one, or a name) means."""
        wanted = reference.strip()
        if not wanted:
            raise InvalidInputError("No project was named.", remedy="Give its id or its name.")
        alive = ProjectRow.deleted_at.is_null()
        ids = [
            row.id
            for row in ProjectRow.select(ProjectRow.id).where(
                alive & ProjectRow.id.startswith(wanted.upper())
            )
        ]
        if len(ids) != 1:
            named = ProjectRow.select(ProjectRow.id).where(alive & (ProjectRow.name == wanted))
            ids = [row.id for row in named] or ids
        if len(ids) == 1:
            return str(ids[0])
        if ids:
            raise InvalidInputError(
                f"{wanted!r} means {len(ids)} projects.", remedy="Give more of the id."
            )
        raise NotFoundError(
            f"There is no project {wanted!r}.", remedy="`vibedesk projects` lists what there is."
        )

    def names(self) -> set[str]:
        return {row.name for row in ProjectRow.select(ProjectRow.name)}

    def update(self, project_id: str, **fields: Any) -> None:
        """Set columns of the project; JSON columns take plain values."""
        values = {**_encode(fields), "updated_at": utc_now()}
        ProjectRow.update(values).where(ProjectRow.id == project_id).execute()

    def append_blueprint_text(self, project_id: str, text: str) -> None:
        ProjectRow.update(blueprint_text=ProjectRow.blueprint_text.concat(text)).where(
            ProjectRow.id == project_id
        ).execute()

    def ports(self) -> set[int]:
        rows = ProjectRow.select(ProjectRow.port).where(ProjectRow.port.is_null(False))
        return {row.port for row in rows if row.port is not None}

    # -- events ---------------------------------------------------------------------------------
    def take_sequence(self, project_id: str, count: int) -> int:
        """Reserve `count` sequence numbers and return the first."""
        query = (
            ProjectRow.update(last_seq=ProjectRow.last_seq + count)
            .where(ProjectRow.id == project_id)
            .returning(ProjectRow.last_seq)
        )
        for row in query.execute():
            return int(row.last_seq) - count + 1
        raise NotFoundError(f"There is no project {project_id!r}.")

    def events_of(self, project_id: str, *types: str) -> list[tuple[str, str, Json]]:
        """Return (time, type, data) of every stored event of some types, in order."""
        rows = (
            EventRow.select(EventRow.at, EventRow.type, EventRow.data)
            .where((EventRow.project == project_id) & EventRow.type.in_(types))
            .order_by(EventRow.seq)
        )
        return [(row.at, row.type, json.loads(row.data)) for row in rows]

    def last_review(self, project_id: str) -> tuple[str, tuple[str, ...], int]:
        """Return when the app was looked at last, by what, and the code's version then; empty where it never was."""
        row = (
            EventRow.select(EventRow.at, EventRow.data)
            .where((EventRow.project == project_id) & (EventRow.type == "reviewed"))
            .order_by(EventRow.seq.desc())
            .first()
        )
        if row is None:
            return "", (), 0
        told = json.loads(row.data)
        return row.at, tuple(told["sources"]), int(told.get("version", 0))

    def add_events(self, rows: Sequence[tuple[str, int, str, str, str]]) -> None:
        if rows:
            EventRow.insert_many(
                rows,
                fields=[
                    EventRow.project,
                    EventRow.seq,
                    EventRow.at,
                    EventRow.type,
                    EventRow.data,
                ],
            ).execute()

    # -- phases ---------------------------------------------------------------------------------
    def phases(self, project_id: str) -> list[PhaseRecord]:
        rows = PhaseRow.select().where(PhaseRow.project == project_id).order_by(PhaseRow.number)
        return [_phase(row) for row in rows]

    def put_phase(self, project_id: str, phase: PhaseRecord) -> None:
        PhaseRow.replace(
            project=project_id,
            number=phase.number,
            name=phase.name,
            description=phase.description,
            plan=json.dumps(phase.plan),
            source=phase.source,
            completed=phase.completed,
            completed_at=utc_now() if phase.completed else None,
        ).execute()

    def want_packages(self, project_id: str, number: int, packages: Sequence[str]) -> None:
        """Note which packages the files of a phase ask for, so that a run that is cut off installs them."""
        row = PhaseRow.get_or_none((PhaseRow.project == project_id) & (PhaseRow.number == number))
        if row is None:
            return
        plan = {**json.loads(row.plan), "wanted_packages": list(packages)}
        PhaseRow.update(plan=json.dumps(plan)).where(
            (PhaseRow.project == project_id) & (PhaseRow.number == number)
        ).execute()

    def complete_phase(self, project_id: str, number: int) -> None:
        PhaseRow.update(completed=True, completed_at=utc_now()).where(
            (PhaseRow.project == project_id) & (PhaseRow.number == number)
        ).execute()

    # -- conversation ---------------------------------------------------------------------------
    def add_message(
        self,
        project_id: str,
        role: str,
        text: str,
        *,
        complete: bool = True,
        data: Json | None = None,
    ) -> MessageRecord:
        record = MessageRecord(
            id=new_id(), role=role, text=text, at=utc_now(), complete=complete, data=data or {}
        )
        MessageRow.insert(
            id=record.id,
            project=project_id,
            role=role,
            text=text,
            at=record.at,
            complete=complete,
            data=json.dumps(record.data),
        ).execute()
        return record

    def update_message(
        self,
        message_id: str,
        *,
        append: str = "",
        text: str | None = None,
        complete: bool | None = None,
        data: Json | None = None,
    ) -> None:
        values: dict[Any, Any] = {}
        if append:
            values[MessageRow.text] = MessageRow.text.concat(append)
        if text is not None:
            values[MessageRow.text] = text
        if complete is not None:
            values[MessageRow.complete] = complete
        if data is not None:
            values[MessageRow.data] = json.dumps(data)
        if values:
            MessageRow.update(values).where(MessageRow.id == message_id).execute()

    def messages(self, project_id: str) -> list[MessageRecord]:
        rows = MessageRow.select().where(MessageRow.project == project_id).order_by(MessageRow.id)
        return [_message(row) for row in rows]

    def message(self, message_id: str) -> MessageRecord:
        return _message(MessageRow.get_by_id(message_id))

    def add_wish(self, project_id: str, text: str) -> WishRecord:
        wish = WishRecord(id=new_id(), text=text, status="open", phase=None)
        WishRow.insert(id=wish.id, project=project_id, text=text, at=utc_now()).execute()
        return wish

    def wishes(self, project_id: str, *statuses: str) -> list[WishRecord]:
        query = WishRow.select().where(WishRow.project == project_id).order_by(WishRow.id)
        if statuses:
            query = query.where(WishRow.status.in_(statuses))
        return [
            WishRecord(id=row.id, text=row.text, status=row.status, phase=row.phase)
            for row in query
        ]

    def set_wish(self, wish_id: str, status: str, phase: int | None) -> None:
        WishRow.update(status=status, phase=phase).where(WishRow.id == wish_id).execute()

    # -- usage ----------------------------------------------------------------------------------
    def usage_totals(self, project_id: str) -> UsageTotals:
        total = usage_total(UsageFilter(project_id=project_id))
        return UsageTotals(
            input_tokens=total.input_tokens, output_tokens=total.output_tokens, cost=total.cost
        )

    # -- sandbox --------------------------------------------------------------------------------
    def add_command(self, project_id: str, command: str, exit_status: int) -> None:
        CommandRow.insert(
            project=project_id, command=command, at=utc_now(), exit_status=exit_status
        ).execute()

    def commands(self, project_id: str) -> list[str]:
        """Return what was run in the project's sandboxes and succeeded, in order."""
        rows = CommandRow.select(CommandRow.command).where(
            CommandRow.project == project_id, CommandRow.exit_status == 0
        )
        return [str(row.command) for row in rows.order_by(CommandRow.id)]

    def forget_commands(self, project_id: str) -> None:
        CommandRow.delete().where(CommandRow.project == project_id).execute()

    def add_logs(self, project_id: str, lines: Iterable[tuple[str, str]]) -> None:
        """Store shown lines (stream, text); the oldest beyond 20,000 go."""
        at = utc_now()
        rows = [(project_id, at, stream, line) for stream, line in lines]
        if not rows:
            return
        LogRow.insert_many(
            rows, fields=[LogRow.project, LogRow.at, LogRow.stream, LogRow.line]
        ).execute()
        newest = LogRow.select(LogRow.id).order_by(LogRow.id.desc()).limit(1).scalar()
        if newest % 1000 < len(rows):
            keep = (
                LogRow.select(LogRow.id)
                .where(LogRow.project == project_id)
                .order_by(LogRow.id.desc())
                .limit(1)
                .offset(_MAX_LOG_LINES)
                .scalar()
            )
            if keep is not None:
                LogRow.delete().where(
                    (LogRow.project == project_id) & (LogRow.id <= keep)
                ).execute()

    def logs(self, project_id: str, limit: int = 2_000) -> list[tuple[str, str, str]]:
        """Return the last lines as (time, stream, text), oldest first."""
        rows = (
            LogRow.select()
            .where(LogRow.project == project_id)
            .order_by(LogRow.id.desc())
            .limit(limit)
        )
        return [(row.at, row.stream, row.line) for row in rows][::-1]

    def grant_host(self, project_id: str, host: str) -> None:
        GrantRow.replace(project=project_id, host=host, at=utc_now()).execute()
        RefusedHostRow.delete().where(
            (RefusedHostRow.project == project_id) & (RefusedHostRow.host == host)
        ).execute()

    def refuse_host(self, project_id: str, host: str) -> None:
        """Remember that the app shall not reach `host`, also where it was allowed before."""
        RefusedHostRow.replace(project=project_id, host=host, at=utc_now()).execute()
        GrantRow.delete().where(
            (GrantRow.project == project_id) & (GrantRow.host == host)
        ).execute()

    def refused_hosts(self, project_id: str) -> list[str]:
        rows = RefusedHostRow.select().where(RefusedHostRow.project == project_id)
        return [row.host for row in rows]

    def sandbox_ids(self) -> frozenset[str]:
        """Return the sandbox of every project that is not deleted."""
        rows = ProjectRow.select(ProjectRow.sandbox_id).where(
            ProjectRow.deleted_at.is_null() & (ProjectRow.sandbox_id != "")
        )
        return frozenset(row.sandbox_id for row in rows)

    def granted_hosts(self, project_id: str) -> list[str]:
        rows = GrantRow.select().where(GrantRow.project == project_id).order_by(GrantRow.host)
        return [row.host for row in rows]

    def file_details(self, project_id: str) -> dict[str, tuple[int, str, int, bool]]:
        """Return path → (size, purpose, phase, binary)."""
        rows = FileRow.select(
            FileRow.path, FileRow.size, FileRow.purpose, FileRow.phase, FileRow.blob
        ).where(FileRow.project == project_id)
        return {row.path: (row.size, row.purpose, row.phase, row.blob is not None) for row in rows}

    def describe_file(self, project_id: str, path: str, *, purpose: str, phase: int) -> None:
        """Say what a file is for and which phase wrote it."""
        values: dict[Any, Any] = {FileRow.phase: phase}
        if purpose:
            values[FileRow.purpose] = purpose
        FileRow.update(values).where(
            (FileRow.project == project_id) & (FileRow.path == path)
        ).execute()

    def disown_files(self, project_id: str, phase: int, paths: Collection[str]) -> None:
        """Say that a phase did not write what lies at these paths now."""
        owned = (FileRow.project == project_id) & (FileRow.phase == phase)
        rows = FileRow.select(FileRow.path).where(owned)
        for path in [row.path for row in rows if row.path in paths]:
            FileRow.update(phase=0).where(owned & (FileRow.path == path)).execute()

    # -- settings -------------------------------------------------------------------------------
    def setting(self, key: str, default: Any = None) -> Any:
        row = SettingRow.get_or_none(SettingRow.key == key)
        return default if row is None else json.loads(row.value)

    def set_setting(self, key: str, value: Any) -> None:
        SettingRow.replace(key=key, value=json.dumps(value)).execute()


def _encode(fields: Json) -> Json:
    return {
        key: json.dumps(value, ensure_ascii=False)
        if key in _JSON_FIELDS and value is not None
        else (value.value if isinstance(value, AgentState) else value)
        for key, value in fields.items()
    }


def _decode(text: str | None) -> Any:
    return None if text is None else json.loads(text)


def _project(row: Any) -> ProjectRecord:
    return ProjectRecord(
        id=row.id,
        name=row.name,
        title=row.title,
        description=row.description,
        wish=row.wish,
        mode=row.mode,
        folder=row.folder,
        template=row.template,
        sample=row.sample,
        state=AgentState(row.state),
        state_reason=row.state_reason,
        failed_state=AgentState(row.failed_state) if row.failed_state else None,
        options=_decode(row.options) or {},
        run=_decode(row.run) or {},
        blueprint=_decode(row.blueprint),
        blueprint_text=row.blueprint_text,
        waiting=_decode(row.waiting),
        error=_decode(row.error),
        port=row.port,
        sandbox_kind=row.sandbox_kind,
        sandbox_id=row.sandbox_id,
        preview_url=row.preview_url,
        last_seq=row.last_seq,
        code_version=row.code_version,
        created_at=row.created_at,
        updated_at=row.updated_at,
        questions=_decode(row.questions),
    )


def _phase(row: Any) -> PhaseRecord:
    return PhaseRecord(
        number=row.number,
        name=row.name,
        description=row.description,
        plan=json.loads(row.plan),
        source=row.source,
        completed=bool(row.completed),
    )


def _message(row: Any) -> MessageRecord:
    return MessageRecord(
        id=row.id,
        role=row.role,
        text=row.text,
        at=row.at,
        complete=bool(row.complete),
        data=json.loads(row.data),
    )
