"""What is still open in a project, read from the store: phases, half-written files, replies, wishes."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from vibedesk.engine.builder.file_answer import BETWEEN_FILES
from vibedesk.engine.builder.going_on import come_so_far
from vibedesk.engine.builder.project_access import ProjectAccess
from vibedesk.engine.builder.scof_writer import RefusedChange, WrittenFiles
from vibedesk.engine.event_bus import Emit
from vibedesk.engine.events import WishQueued
from vibedesk.engine.store.records import PhaseRecord, ProjectRecord, WishRecord

_OF_WHAT_IS_WRITTEN: Final = frozenset({"takes_over", "owed", "changes"})
"""What a phase's plan notes while the phase is written."""


@dataclass(frozen=True, slots=True)
class Reached:
    """How many phases of the plan there are up to one, itself included, and whether none is planned after it.

    Changes from the conversation are phases too, but none of the plan's.
    """

    number: int
    last: bool


class OpenWork:
    """Answers for one project what a run has to take up."""

    def __init__(self, access: ProjectAccess) -> None:
        self._access = access

    async def record(self) -> ProjectRecord:
        access = self._access
        return await access.read(lambda: access.store.get(access.project_id))

    async def phases(self) -> list[PhaseRecord]:
        access = self._access
        return await access.read(lambda: access.store.phases(access.project_id))

    async def reached(self, number: int) -> Reached:
        """Return how far the plan is carried out with phase `number`."""
        phases = [p for p in await self.phases() if p.number <= number and p.source != "converse"]
        more = (await self.record()).run.get("roadmap_open", False)
        # One that another plan took over was never built as it was planned.
        over = {p.plan.get("takes_over") for p in phases}
        planned = [p for p in phases if p.number not in over]
        last = bool(planned) and bool(planned[-1].plan.get("is_last_phase"))
        return Reached(len(planned), last and not more)

    async def phase(self, number: int) -> PhaseRecord | None:
        return next((p for p in await self.phases() if p.number == number), None)

    async def wishes(self) -> list[WishRecord]:
        """Return the wishes that no phase has taken up."""
        access = self._access
        return await access.read(lambda: access.store.wishes(access.project_id, "open"))

    async def give_back_wishes(self) -> None:
        """Open wishes again whose phase was stopped or failed; it answers them if it goes on unchanged."""

        def work(emit: Emit) -> None:
            for wish in self._access.store.wishes(self._access.project_id, "planned"):
                self._set_wish(wish, "open", emit)

        await self._access.commit(work)

    async def take_wishes_again(self) -> None:
        """Leave the wishes that were given back to the phases that go on now."""
        store, project_id = self._access.store, self._access.project_id

        def work(emit: Emit) -> None:
            unfinished = {p.number for p in store.phases(project_id) if not p.completed}
            for wish in store.wishes(project_id, "open"):
                if wish.phase in unfinished:
                    self._set_wish(wish, "planned", emit)

        await self._access.commit(work)

    def _set_wish(self, wish: WishRecord, status: str, emit: Emit) -> None:
        self._access.store.set_wish(wish.id, status, wish.phase)
        emit(WishQueued(wish.id, wish.text, status, wish.phase))

    async def next_reply(self) -> tuple[int, str] | None:
        """Return (phase number, message id) of the oldest reply whose change is not written."""
        access = self._access

        def work() -> tuple[int, str] | None:
            phases = access.store.phases(access.project_id)
            written = {p.plan.get("message") for p in phases if p.source == "converse"}
            for message in access.store.messages(access.project_id):
                if message.complete and message.data.get("scof") and message.id not in written:
                    return max((p.number for p in phases), default=0) + 1, message.id
            return None

        return await access.read(work)

    async def interrupted(self, phase: PhaseRecord) -> WrittenFiles | None:
        """Return what had come of the phase before the run was cut off, None if nothing had.

        What was shown of a half file stays where it is until the file comes again.
        """
        access = self._access

        def work() -> WrittenFiles | None:
            details = access.store.file_details(access.project_id)
            drafts = access.drafts.list()
            half = {draft.path for draft in drafts}
            finished = sorted(
                path
                for path, (_, _, number, _) in details.items()
                if number == phase.number and path not in half
            )
            packages = list(phase.plan.get("wanted_packages", ()))
            if not finished and not drafts and not packages:
                return None
            # The file that was being written has no end noted; of several that broke off, each is owed.
            drafts.sort(key=lambda draft: not draft.truncated)
            cut = (drafts[-1].path, come_so_far(drafts[-1])) if drafts else BETWEEN_FILES
            return WrittenFiles(
                finished=finished,
                packages=packages,
                refused=[
                    RefusedChange(d.path, "its text broke off", come_so_far(d)) for d in drafts[:-1]
                ],
                cut=cut,
                changes=len(finished) + len(packages),
            )

        return await access.read(work)

    async def reply_under_way(self, phase: PhaseRecord) -> WrittenFiles | None:
        """Return what had come of a reply's change before the run was cut off, None if it is not written."""
        if "owed" not in phase.plan:
            return None
        written = await self.interrupted(phase) or WrittenFiles()
        if written.cut == BETWEEN_FILES:
            written.cut = None
        written.refused += [RefusedChange(*owed) for owed in phase.plan["owed"]]
        written.changes = phase.plan["changes"]
        return written

    def note_reply(self, number: int, written: WrittenFiles) -> None:
        """Store, on the store's thread, that the change of phase `number` is written and what it owes still."""
        store, project_id = self._access.store, self._access.project_id
        record = next(p for p in store.phases(project_id) if p.number == number)
        owed = [[refused.path, refused.why, refused.change] for refused in written.refused]
        plan = {**record.plan, "owed": owed, "changes": written.changes}
        store.put_phase(project_id, dataclasses.replace(record, plan=plan))

    def begin_anew(self, changed: Collection[str]) -> PhaseRecord | None:
        """Have open phases write again, on the store's thread, what an earlier version has `changed`; return the first.

        Each stands for itself then: one that took another over was to close with work that is gone. Half files went
        with the restored version (`Snapshots.restore`).
        """
        store, project_id = self._access.store, self._access.project_id
        unfinished = [p for p in store.phases(project_id) if not p.completed]
        for phase in unfinished:
            plan = {key: said for key, said in phase.plan.items() if key not in _OF_WHAT_IS_WRITTEN}
            store.put_phase(project_id, dataclasses.replace(phase, plan=plan))
            store.disown_files(project_id, phase.number, changed)
        return unfinished[0] if unfinished else None

    async def drop_drafts(self, *, but: int | None = None) -> None:
        """Drop files that broke off and were not sent again although the answer has ended, `but` those of a phase."""

        def work(emit: Emit) -> None:
            for draft in self._access.drafts.list():
                if draft.phase != but:
                    self._access.drop_draft(draft.path, emit)

        await self._access.commit(work)
