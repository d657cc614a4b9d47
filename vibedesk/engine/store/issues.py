"""What was found wrong with apps, what was tried against it, how checks went. On the store's thread."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any, Literal

from vibedesk.base.clock import utc_now
from vibedesk.base.ids import new_id
from vibedesk.engine.store.file_ages import file_ages
from vibedesk.engine.store.records import Json
from vibedesk.engine.store.tables import CheckResultRow, DebugSessionRow, IssueRow

IssueStatus = Literal["open", "fixed", "skipped", "given_up"]
"""skipped: the person leaves it for the next phase; given_up: what may be tried against it was tried."""
NO_MEND = "no mend"
"""The outcome of a try that changed nothing: no cause was found."""

_OF_PAGE = frozenset({"server", "runtime", "page"})
_GONE = "9"
"""Later than every time: a file that is not there any more did change."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueRecord:
    """An issue with its history; `data` is `review.issues.Issue` as JSON, `fixes` the tries in order."""

    signature: str
    data: Json
    status: str
    phase: int
    first_seen: str
    last_seen: str
    times_seen: int
    fixes: tuple[Json, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckRecord:
    """How an acceptance check went when it was last run; `passed` is None and `at` empty where it never was."""

    name: str
    passed: bool | None
    phase: int
    code_version: int
    seconds: float
    picture: str
    data: Json
    at: str
    why: str
    """Why a model corrected it; empty where none did."""


class IssueStore:
    """The issues, check results and debugging transcripts of one project."""

    def __init__(self, project_id: str) -> None:
        self.project_id = project_id

    # -- issues ---------------------------------------------------------------------------------
    def all(self) -> list[IssueRecord]:
        rows = IssueRow.select().where(IssueRow.project == self.project_id)
        return [_issue(row) for row in rows.order_by(IssueRow.first_seen, IssueRow.signature)]

    def of_status(self, *statuses: IssueStatus) -> list[IssueRecord]:
        return [record for record in self.all() if record.status in statuses]

    def report(
        self,
        found: Iterable[tuple[str, Json]],
        sources: Collection[str],
        phase: int,
        *,
        again: Collection[str] = (),
        whole: bool = False,
    ) -> None:
        """Take in what was found by looking at `sources`; what these found before and do not any more is fixed.

        Args:
            found: (signature, issue) of everything that is wrong.
            sources: Which sources were looked at as a whole; of checks, `again` says what they showed.
            phase: The phase that is open.
            again: Signatures of what else would have been found again if it were still there.
            whole: It was a review of the app: of what `report_early` took in only that stays which it found too.
        """
        now = utc_now()
        known = {record.signature: record for record in self.all()}
        present = dict(found)
        for signature, data in present.items():
            record = known.get(signature)
            if record is None:
                self._add(signature, data, phase, now)
                continue
            status = "open" if record.status == "fixed" else record.status
            # What a visit of ours shows as well, another one can look at again; that the person met it is no news.
            known_better = _is_live(data) and record.status != "fixed" and not _is_live(record.data)
            kept = record.data if known_better else data
            self._update(
                signature, data=_dump(_in_words_of(record, kept)), status=status, last_seen=now,
                times_seen=record.times_seen + (not _is_early(record)),
            )  # fmt: skip
        changed = self._changed_since_seen(r for r in known.values() if _is_live(r.data))
        clean = not any(map(_keeps_page_down, present.values()))
        for signature, record in known.items():
            # What the person ran into shows again only where they were, not in our visit of the page.
            mended = any(tried.get("outcome") != NO_MEND for tried in record.fixes)
            stays = _is_live(record.data) and not (mended or (clean and signature in changed))
            by_source = record.data["source"] in sources and not shown_by_checks(record.data)
            looked = by_source or signature in again
            looked = looked or (whole and _is_early(record))
            if looked and signature not in present and not stays and record.status != "fixed":
                self._update(signature, status="fixed")

    def changed_since_met(self) -> set[str]:
        """Return what the person ran into and may be gone: its file (any, where none is known) changed since.

        Or it was rewritten before, and the page did not show that yet.
        """
        return self._changed_since_seen(r for r in self.all() if _is_live(r.data))

    def changed_findings(self) -> dict[str, str]:
        """Return what a model found in a file that changed, or went, since: signature → path."""
        found = {r.signature: r for r in self.all() if r.data.get("source") == "review"}
        changed = self._changed_since_seen(found.values())
        return {signature: str(found[signature].data.get("file")) for signature in changed}

    def _changed_since_seen(self, records: Iterable[IssueRecord]) -> set[str]:
        met = [record for record in records if record.status != "fixed"]
        ages = {path: at for path, (_, at) in file_ages(self.project_id).items()} if met else {}
        latest = max(ages.values(), default="")

        def changed(record: IssueRecord) -> bool:
            file = record.data.get("file")
            if record.data["evidence"].get("rewritten"):
                return True
            return ages.get(file, _GONE) > record.last_seen if file else latest > record.last_seen

        return {record.signature for record in met if changed(record)}

    def report_early(self, path: str, found: Iterable[tuple[str, Json]], phase: int) -> None:
        """Take in what a look at one file found while others are still written; it replaces the last such look at it.

        It counts until the next review, which decides. What a review found is left as it is.
        """
        now = utc_now()
        known = {record.signature: record for record in self.all()}
        present = {signature: _early(data) for signature, data in found}
        for signature, data in present.items():
            record = known.get(signature)
            if record is None:
                self._add(signature, data, phase, now)
            elif record.status == "fixed":
                times = record.times_seen + (not _is_early(record))
                self._update(
                    signature, data=_dump(data), status="open", last_seen=now, times_seen=times
                )
            elif _is_early(record):
                self._update(signature, data=_dump(_in_words_of(record, data)), last_seen=now)
        for signature, record in known.items():
            gone = _is_early(record) and record.data.get("file") == path
            if gone and signature not in present:
                self._update(signature, status="fixed")

    def set_status(self, signatures: Iterable[str], status: IssueStatus) -> None:
        for signature in signatures:
            self._update(signature, status=status)

    def doubt(self, signature: str, why: str) -> None:
        """Keep an issue as no more than a warning: whoever was to mend it says, with a reason, that it is no fault."""
        row = IssueRow.get_or_none(self._is(signature))
        if row is not None:
            data = json.loads(row.data)
            evidence = {**data.get("evidence", {}), "no_fault": why}
            data |= {"severity": "warning", "evidence": evidence}
            self._update(signature, data=_dump(data))

    def note_try(self, signature: str, tried: Json) -> None:
        """Remember a try at mending it: strategy, outcome, and what else is known."""
        row = IssueRow.get_or_none(self._is(signature))
        if row is not None:
            fixes = [*json.loads(row.fixes), {"at": utc_now(), **tried}]
            self._update(signature, fixes=_dump(fixes))

    def settle_tries(self, outcome_of: dict[str, str]) -> None:
        """Say of the last try at each signature how it came out."""
        for signature, outcome in outcome_of.items():
            row = IssueRow.get_or_none(self._is(signature))
            fixes = json.loads(row.fixes) if row is not None else []
            if fixes and not fixes[-1].get("outcome"):
                fixes[-1]["outcome"] = outcome
                self._update(signature, fixes=_dump(fixes))

    def _add(self, signature: str, data: Json, phase: int, now: str) -> None:
        IssueRow.insert(
            project=self.project_id, signature=signature, data=_dump(data), phase=phase,
            first_seen=now, last_seen=now,
        ).execute()  # fmt: skip

    def _update(self, signature: str, **values: Any) -> None:
        IssueRow.update(values).where(self._is(signature)).execute()

    def _is(self, signature: str) -> Any:
        return (IssueRow.project == self.project_id) & (IssueRow.signature == signature)

    # -- checks ---------------------------------------------------------------------------------
    def checks(self) -> list[CheckRecord]:
        rows = CheckResultRow.select().where(CheckResultRow.project == self.project_id)
        return [
            CheckRecord(
                name=row.name, passed=row.passed, phase=row.phase, code_version=row.code_version,
                seconds=row.seconds, picture=row.picture or "", data=json.loads(row.data), at=row.at,
                why=row.why,
            )
            for row in rows
        ]  # fmt: skip

    def put_check(
        self,
        name: str,
        *,
        passed: bool,
        phase: int,
        code_version: int,
        seconds: float,
        picture: str,
        data: Json,
    ) -> None:
        self._put_check(
            name, passed=passed, phase=phase, code_version=code_version, seconds=seconds,
            picture=picture or None, data=_dump(data), at=utc_now(),
        )  # fmt: skip

    def note_correction(self, name: str, why: str) -> None:
        """Remember why a check was corrected, also one that was not run yet."""
        self._put_check(name, why=why)

    def _put_check(self, name: str, **values: Any) -> None:
        """Change the row of a check, or make it; what is not named stays as it is."""
        row = {"project": self.project_id, "name": name}
        CheckResultRow.insert(row | {"at": ""} | values).on_conflict(
            conflict_target=[CheckResultRow.project, CheckResultRow.name], update=values
        ).execute()

    def forget_checks(self, but: Collection[str]) -> None:
        """Drop the results of checks that the blueprint has no more."""
        CheckResultRow.delete().where(
            (CheckResultRow.project == self.project_id) & CheckResultRow.name.not_in(list(but))
        ).execute()

    # -- debugging ------------------------------------------------------------------------------
    def begin_debugging(self, signature: str) -> str:
        session_id = new_id()
        DebugSessionRow.insert(
            id=session_id, project=self.project_id, signature=signature, at=utc_now()
        ).execute()
        return session_id

    def debugging_began(self, session_id: str) -> str:
        """Return when a session began (UTC)."""
        return str(DebugSessionRow.get_by_id(session_id).at)

    def put_debugging(self, session_id: str, transcript: list[Json], outcome: str) -> None:
        DebugSessionRow.update(transcript=_dump(transcript), outcome=outcome).where(
            DebugSessionRow.id == session_id
        ).execute()

    def debugging(self, signature: str | None = None) -> list[tuple[str, str, list[Json], str]]:
        """Return (id, signature, transcript, outcome) of every session, or of those of one issue, in order."""
        query = DebugSessionRow.select().where(DebugSessionRow.project == self.project_id)
        if signature is not None:
            query = query.where(DebugSessionRow.signature == signature)
        return [
            (row.id, row.signature, json.loads(row.transcript), row.outcome)
            for row in query.order_by(DebugSessionRow.id)
        ]


def _in_words_of(record: IssueRecord, data: Json) -> Json:
    """Return what is known now, of what was skipped in the words in which a wish stands for it."""
    skipped = record.status == "skipped"
    return {**data, "message": record.data["message"]} if skipped else data


def _early(data: Json) -> Json:
    return {**data, "evidence": {**data.get("evidence", {}), "early": True}}


def _is_live(data: Json) -> bool:
    """Whether only the person met it, while they used the app."""
    return bool(data.get("evidence", {}).get("live"))


def shown_by_checks(data: Json) -> bool:
    """Whether only acceptance checks show an issue again; which ones are run differs from look to look."""
    return data.get("source") == "check" or bool(data.get("evidence", {}).get("check"))


def _keeps_page_down(data: Json) -> bool:
    """Whether it keeps a visit of the page from showing what else may be wrong."""
    return data.get("source") in _OF_PAGE and data.get("severity") != "warning"


def _is_early(record: IssueRecord) -> bool:
    """Whether no review has looked at it yet."""
    return bool(record.data.get("evidence", {}).get("early"))


def _issue(row: Any) -> IssueRecord:
    return IssueRecord(
        signature=row.signature, data=json.loads(row.data), status=row.status, phase=row.phase,
        first_seen=row.first_seen, last_seen=row.last_seen, times_seen=row.times_seen,
        fixes=tuple(json.loads(row.fixes)),
    )  # fmt: skip


def _dump(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
