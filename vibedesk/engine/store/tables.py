"""The tables. Rows never leave `vibedesk.engine.store` and `vibedesk.engine.files`.

Times are ISO 8601 in UTC; JSON columns hold what pydantic or `json` wrote. Every table that belongs to a scope
(an app today; automations and products later) refers to `ProjectRow`, whose `kind` says which.
"""

# ruff: noqa: D106 - `Meta` is peewee's

from __future__ import annotations

import threading

from peewee import (
    SQL,
    AutoField,
    BigIntegerField,
    BlobField,
    BooleanField,
    CharField,
    CompositeKey,
    DatabaseProxy,
    FloatField,
    ForeignKeyField,
    IntegerField,
    Model,
    SqliteDatabase,
    TextField,
)


class _ThreadDatabase(DatabaseProxy):
    """The database whose owner thread this is: rows work there and nowhere else.

    peewee binds models to one database for the whole process. Here each owner thread sees its own, so that two
    homes can be open at once, and a row touched on another thread fails at once.
    """

    _local = threading.local()

    @property
    def obj(self) -> SqliteDatabase | None:
        return getattr(self._local, "database", None)

    @obj.setter
    def obj(self, database: SqliteDatabase | None) -> None:
        self._local.database = database


database_proxy = _ThreadDatabase()


class _Row(Model):
    class Meta:
        database = database_proxy
        legacy_table_names = False


class ProjectRow(_Row):
    """One project: its head data and the agent's persisted state."""

    id = CharField(primary_key=True, max_length=26)
    kind = CharField(default="app")
    name = CharField()
    title = CharField(default="")
    description = TextField(default="")
    wish = TextField(default="")
    mode = CharField(default="phases")
    folder = TextField()
    template = CharField(default="")
    sample = CharField(default="")
    state = CharField(default="idle")
    state_reason = TextField(default="")
    failed_state = CharField(null=True)
    options = TextField(default="{}")
    run = TextField(default="{}")
    blueprint = TextField(null=True)
    blueprint_text = TextField(default="")
    waiting = TextField(null=True)
    error = TextField(null=True)
    port = IntegerField(null=True)
    sandbox_id = CharField(default="")
    sandbox_kind = CharField(default="")
    preview_url = CharField(default="")
    review_cycles = IntegerField(default=0)
    last_seq = IntegerField(default=0)
    code_version = IntegerField(default=0)
    created_at = CharField()
    updated_at = CharField()
    deleted_at = CharField(null=True)
    questions = TextField(null=True)
    summary = TextField(null=True)

    class Meta:
        table_name = "projects"
        indexes = ((("name",), False), (("updated_at",), False))


class _Owned(_Row):
    project = ForeignKeyField(ProjectRow, on_delete="CASCADE", column_name="project_id")


class _Keyed(_Row):
    # The key begins with the project, so a second index on it would only cost writes.
    project = ForeignKeyField(
        ProjectRow, on_delete="CASCADE", column_name="project_id", index=False
    )


class EventRow(_Keyed):
    """The event log; transient pieces are not in it."""

    seq = IntegerField()
    at = CharField()
    type = CharField()
    data = TextField()

    class Meta:
        table_name = "events"
        primary_key = CompositeKey("project", "seq")


class PhaseRow(_Keyed):
    """One phase. `source`: blueprint, plan or converse."""

    number = IntegerField()
    name = CharField()
    description = TextField(default="")
    plan = TextField()
    source = CharField(default="plan")
    completed = BooleanField(default=False)
    completed_at = CharField(null=True)

    class Meta:
        table_name = "phases"
        primary_key = CompositeKey("project", "number")


class MessageRow(_Owned):
    """The whole transcript of the conversation."""

    id = CharField(primary_key=True, max_length=26)
    role = CharField()
    text = TextField()
    at = CharField()
    complete = BooleanField(default=True)
    data = TextField(default="{}")

    class Meta:
        table_name = "messages"


class WishRow(_Owned):
    """A wish of the person. `status`: open, planned, done."""

    id = CharField(primary_key=True, max_length=26)
    text = TextField()
    at = CharField()
    status = CharField(default="open")
    phase = IntegerField(null=True)

    class Meta:
        table_name = "wishes"


class CommandRow(_Owned):
    """Commands run in the sandbox, in order, so that a lost sandbox can be rebuilt."""

    id = AutoField()
    command = TextField()
    at = CharField()
    exit_status = IntegerField(null=True)

    class Meta:
        table_name = "commands"


class LogRow(_Owned):
    """Lines that were shown."""

    id = AutoField()
    at = CharField()
    stream = CharField()
    line = TextField()

    class Meta:
        table_name = "logs"


class UsageRow(_Owned):
    """One model call.

    `saved` is what the provider's cache saved in USD; `outcome`: finished, interrupted, cancelled or failed;
    `continues`: the operation that a `continue` went on with.
    """

    id = AutoField()
    at = CharField()
    operation = CharField()
    provider = CharField()
    model = CharField()
    input_tokens = IntegerField()
    output_tokens = IntegerField()
    cached_tokens = IntegerField()
    cost = FloatField(null=True)
    latency = FloatField(default=0.0)
    cache_write_tokens = IntegerField(default=0, constraints=[SQL("DEFAULT 0")])
    reasoning_tokens = IntegerField(default=0, constraints=[SQL("DEFAULT 0")])
    phase = IntegerField(default=0, constraints=[SQL("DEFAULT 0")])
    saved = FloatField(null=True)
    outcome = CharField(default="finished", constraints=[SQL("DEFAULT 'finished'")])
    continues = CharField(default="", constraints=[SQL("DEFAULT ''")])

    class Meta:
        table_name = "usage"


class FileRow(_Keyed):
    """What is known of a file besides its text: purpose, the phase that wrote it, its last difference."""

    path = TextField()
    purpose = TextField(default="")
    phase = IntegerField(default=0)
    size = IntegerField(default=0)
    last_diff = TextField(default="")
    updated_at = CharField()
    blob = CharField(null=True)
    executable = BooleanField(default=False)

    class Meta:
        table_name = "files"
        primary_key = CompositeKey("project", "path")


class CodeUpdateRow(_Keyed):
    """The document's update log: every change of the code has a version. `paths` is a JSON list."""

    version = IntegerField()
    at = CharField()
    origin = CharField()
    paths = TextField()
    data = BlobField()

    class Meta:
        table_name = "code_updates"
        primary_key = CompositeKey("project", "version")


class CodeSnapshotRow(_Keyed):
    """The whole document at a version; bounds the replay."""

    version = IntegerField()
    at = CharField()
    data = BlobField()

    class Meta:
        table_name = "code_snapshots"
        primary_key = CompositeKey("project", "version")


class DraftRow(_Keyed):
    """A file while the model writes it.

    `base` is what the model's text replaces (None: new file), `text` what an answer before had sent of it.
    """

    path = TextField()
    mode = CharField()
    file_id = CharField(default="")
    base = TextField(null=True)
    text = TextField(default="")
    truncated = BooleanField(default=False)
    phase = IntegerField(default=0)

    class Meta:
        table_name = "drafts"
        primary_key = CompositeKey("project", "path")


class DraftChunkRow(_Keyed):
    """Text of a draft that came after `DraftRow.text`, in order: appending costs what was appended."""

    id = AutoField()
    path = TextField()
    text = TextField()

    class Meta:
        table_name = "draft_chunks"
        indexes = ((("project", "path"), False),)


class MaterialRow(_Keyed):
    """The text (or blob) of a path as it was last written to the work folder.

    `size` and `mtime_ns` say when the file on disk need not be read again; `mtime_ns` is 0 while they cannot.
    """

    path = TextField()
    text = TextField(null=True)
    digest = CharField()
    size = IntegerField(default=0)
    mtime_ns = BigIntegerField(default=0)

    class Meta:
        table_name = "materialized"
        primary_key = CompositeKey("project", "path")


class FolderRow(_Row):
    """How far the work folder and the git history have followed the document.

    `undoing`: until when (seconds since 1970) what changes in the folder may be of a command that is to look only; 0: there
    is none. `undoing_inside`: whether there may be such a change in a sandbox that has files of its own.
    """

    project = ForeignKeyField(
        ProjectRow, on_delete="CASCADE", column_name="project_id", primary_key=True
    )
    materialized_version = IntegerField(default=0)
    snapshot_version = IntegerField(default=0)
    snapshot_commit = CharField(default="")
    undoing = IntegerField(default=0, constraints=[SQL("DEFAULT 0")])
    undoing_inside = BooleanField(default=False, constraints=[SQL("DEFAULT 0")])

    class Meta:
        table_name = "folders"


class GrantRow(_Keyed):
    """Hosts that the previewed app may reach besides its own."""

    host = CharField()
    at = CharField()

    class Meta:
        table_name = "grants"
        primary_key = CompositeKey("project", "host")


class RefusedHostRow(_Keyed):
    """Hosts that the person does not want the app to reach; they are not asked again."""

    host = CharField()
    at = CharField()

    class Meta:
        table_name = "refused_hosts"
        primary_key = CompositeKey("project", "host")


class AttachmentRow(_Owned):
    """An image that the person gave with a wish or a message; its bytes are a blob. `message`: none yet, or its id."""

    id = CharField(primary_key=True, max_length=26)
    message = CharField(null=True)
    name = CharField()
    media_type = CharField()
    width = IntegerField()
    height = IntegerField()
    blob = CharField()
    at = CharField()

    class Meta:
        table_name = "attachments"


class FileMarkRow(_Keyed):
    """What the person said of a file. `mark`: locked (no model writes it), pinned (every request has it), excluded."""

    path = TextField()
    mark = CharField()
    at = CharField()

    class Meta:
        table_name = "file_marks"
        primary_key = CompositeKey("project", "path", "mark")


class ProposalRow(_Owned):
    """A file written anew that the person has not taken over yet. `status`: writing, ready, taken, dropped, failed."""

    id = CharField(primary_key=True, max_length=26)
    path = TextField()
    instructions = TextField()
    base = TextField()
    text = TextField(default="")
    status = CharField(default="writing")
    at = CharField()

    class Meta:
        table_name = "proposals"


class VariableRow(_Keyed):
    """A variable of the app itself; a secret one's value is in the keychain. `asked_by`: you or agent."""

    name = CharField()
    secret = BooleanField(default=True)
    value = TextField(null=True)
    purpose = TextField(default="")
    asked_by = CharField(default="you")
    consent = BooleanField(default=False)
    at = CharField()

    class Meta:
        table_name = "variables"
        primary_key = CompositeKey("project", "name")


class TimingRow(_Owned):
    """How long one operation took. `outcome`: done, failed or cancelled."""

    id = AutoField()
    at = CharField()
    operation = CharField()
    phase = IntegerField(default=0)
    seconds = FloatField()
    outcome = CharField(default="done")

    class Meta:
        table_name = "timings"


class IssueRow(_Keyed):
    """A problem of the app, by signature. `data` is the issue, `fixes` the tries at mending it, both JSON.

    `status`: open, fixed, skipped (the person leaves it for later) or given_up (bounded repair ended).
    """

    signature = CharField()
    data = TextField()
    status = CharField(default="open")
    phase = IntegerField(default=0)
    first_seen = CharField()
    last_seen = CharField()
    times_seen = IntegerField(default=1)
    fixes = TextField(default="[]")

    class Meta:
        table_name = "issues"
        primary_key = CompositeKey("project", "signature")


class CheckResultRow(_Keyed):
    """How an acceptance check went when it was last run (`passed` is null where it never was).

    `data` is JSON: the failed step, console; `why` says why a model corrected it.
    """

    name = CharField()
    passed = BooleanField(null=True)
    phase = IntegerField(default=0)
    code_version = IntegerField(default=0)
    seconds = FloatField(default=0.0)
    picture = CharField(null=True)
    data = TextField(default="{}")
    at = CharField()
    why = TextField(default="")

    class Meta:
        table_name = "check_results"
        primary_key = CompositeKey("project", "name")


class DebugSessionRow(_Owned):
    """One deep debugging of an issue: its transcript is JSON. `outcome`: running, fixed, failed or stopped."""

    id = CharField(primary_key=True, max_length=26)
    signature = CharField()
    transcript = TextField(default="[]")
    outcome = CharField(default="running")
    at = CharField()

    class Meta:
        table_name = "debug_sessions"


class SettingRow(_Row):
    """App settings and consents, JSON by key."""

    key = CharField(primary_key=True)
    value = TextField()

    class Meta:
        table_name = "settings"


TABLES: tuple[type[Model], ...] = (
    ProjectRow,
    EventRow,
    PhaseRow,
    MessageRow,
    WishRow,
    CommandRow,
    LogRow,
    UsageRow,
    FileRow,
    CodeUpdateRow,
    CodeSnapshotRow,
    DraftRow,
    DraftChunkRow,
    MaterialRow,
    FolderRow,
    GrantRow,
    RefusedHostRow,
    AttachmentRow,
    FileMarkRow,
    ProposalRow,
    VariableRow,
    TimingRow,
    IssueRow,
    CheckResultRow,
    DebugSessionRow,
    SettingRow,
)
