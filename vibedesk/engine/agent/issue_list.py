"""One project's issues, kept in the store and told whenever they change."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from vibedesk.engine.builder.project_access import ProjectAccess
from vibedesk.engine.event_bus import Emit
from vibedesk.engine.events import Diagnostics, Reviewed, WishQueued
from vibedesk.engine.review.issues import Issue, deduplicated
from vibedesk.engine.review.known_issues import SHOWN_STATUSES, issue_of, shown_issues
from vibedesk.engine.store.conversation import ConversationStore
from vibedesk.engine.store.issues import IssueRecord, IssueStatus, IssueStore
from vibedesk.engine.store.records import Json

__all__ = ["IssueList", "issue_of"]


def is_finding(record: IssueRecord) -> bool:
    """Whether only a model found it, reading the code."""
    return issue_of(record).source == "review"


def recheckable(record: IssueRecord) -> bool:
    """Whether tools and page show that it is gone: not what only a model had found, or only the person met."""
    return not is_finding(record) and not issue_of(record).evidence.get("live")


def wish_to_mend(record: IssueRecord) -> str:
    """Return the wish that stands for an issue which the person left for later, also where it stands elsewhere by then."""
    issue = issue_of(record)
    place = f" ({issue.file})" if issue.file else ""
    return f"Mend: {first_line(issue.message)}{place}"


def first_line(text: str) -> str:
    first = text.strip().split("\n", 1)[0]
    return first if len(first) <= 160 else f"{first[:159].rstrip()}…"


class IssueList:
    """What is wrong with one app."""

    def __init__(self, access: ProjectAccess) -> None:
        self._access = access
        self.store = IssueStore(access.project_id)

    async def report(
        self,
        found: Iterable[Issue],
        sources: Collection[str],
        phase: int,
        *,
        again: Collection[str] = (),
        verified: bool = False,
        whole: bool = False,
        version: int = 0,
    ) -> None:
        """Take in what looking at `sources` found.

        Args:
            found: Everything that is wrong there.
            sources: What was looked at; what it showed before and does not now is mended, save what only checks show.
            phase: The open phase.
            again: Signatures of what else was looked at, as for `sources`.
            verified: Where a fix was looked at: the tries that have no outcome yet get it.
            whole: It was a review of the app: of what `report_early` took in only that stays which it found too.
            version: The code that a review of the app saw.
        """
        issues = deduplicated(found)

        def work(emit: Emit) -> None:
            kept = self._kept_signatures()
            present = {kept.get(i.signature, i.signature): i.to_dict() for i in issues}
            self.store.report(present.items(), sources, phase, again=again, whole=whole)
            if whole:
                emit(Reviewed(sorted(set(sources) - self._says_nothing()), version))
            if verified:
                # What was not looked at this time keeps its try open.
                outcomes = {r.signature: "fixed" for r in self.store.of_status("fixed")}
                self.store.settle_tries(outcomes | dict.fromkeys(present, "still there"))

        await self._change(work)

    def _kept_signatures(self) -> dict[str, str]:
        """Return, of what a model found, the signature of now → that by which it is kept: the rule may have changed."""
        oldest_last = reversed(self.store.all())
        return {issue_of(r).signature: r.signature for r in oldest_last if is_finding(r)}

    def _says_nothing(self) -> set[str]:
        """Return the sources whose silence does not show that all is well."""
        template = self._access.template
        commands = {"types": template.typecheck_command, "lint": template.lint_command}
        # Not every review builds; where none failed before, the source stands for the packages only.
        return {"build"} | {source for source, command in commands.items() if not command}

    async def report_early(self, path: str, found: Iterable[Issue], phase: int) -> None:
        """Take in what a look at one file found while others are still written, until a review decides."""
        issues = [(issue.signature, issue.to_dict()) for issue in deduplicated(found)]
        await self._change(lambda _: self.store.report_early(path, issues, phase), durable=False)

    async def records(self, *statuses: IssueStatus) -> list[IssueRecord]:
        wanted = statuses or SHOWN_STATUSES
        return await self._access.read(lambda: self.store.of_status(*wanted))

    async def every(self) -> list[IssueRecord]:
        """Return all that were ever found."""
        return await self._access.read(self.store.all)

    async def changed_since_met(self) -> set[str]:
        """Return the signatures of what the person met in code that was changed since: it may be gone."""
        return await self._access.read(self.store.changed_since_met)

    async def changed_findings(self) -> dict[str, str]:
        """Return what a model found in a file that changed, or went, since: signature → path."""
        return await self._access.read(self.store.changed_findings)

    async def blocking(self, status: IssueStatus = "open") -> list[IssueRecord]:
        """Return the issues of one status that keep a phase from closing, the gravest first."""
        records = await self.records(status)
        order = {i.signature: n for n, i in enumerate(deduplicated(map(issue_of, records)))}
        return sorted(
            (record for record in records if issue_of(record).blocks),
            key=lambda record: order.get(record.signature, 0),
        )

    async def to_mend(self, wanted: Collection[str] = ()) -> list[IssueRecord]:
        """Return the open issues that are to be mended: what blocks, the gravest first, and the `wanted` ones."""
        blocking = await self.blocking()
        known = {record.signature for record in blocking}
        more = [r for r in await self.records("open") if r.signature in wanted]
        return blocking + [record for record in more if record.signature not in known]

    async def set_status(
        self,
        signatures: Collection[str],
        status: IssueStatus,
        besides: Callable[[Emit], None] | None = None,
    ) -> None:
        """Give issues a status; `besides` is stored in the same transaction."""

        def work(emit: Emit) -> None:
            self.store.set_status(signatures, status)
            if besides is not None:
                besides(emit)

        await self._change(work)

    async def doubt(self, reasons: Mapping[str, str]) -> None:
        """Keep findings (signature → why they are no faults) as no more than warnings."""

        def work(_: Emit) -> None:
            for signature, why in reasons.items():
                self.store.doubt(signature, why)

        await self._change(work)

    def reopen(self, records: Sequence[IssueRecord], emit: Emit) -> None:
        """Let issues count again, on the store's thread: a phase is about to mend them."""
        if records:
            for record in records:
                # What only the person met may show to nobody else: the phase settles it.
                met = issue_of(record).evidence.get("live")
                self.store.set_status([record.signature], "fixed" if met else "open")
            emit(Diagnostics(shown_issues(self.store)))

    async def note_tries(self, signatures: Sequence[str], tried: Json) -> None:
        def work(_: Emit) -> None:
            for signature in signatures:
                self.store.note_try(signature, tried)

        await self._change(work)

    async def _change(self, work: Callable[[Emit], None], *, durable: bool = True) -> None:
        def transaction(emit: Emit) -> None:
            before, known = shown_issues(self.store), self.store.of_status(*SHOWN_STATUSES)
            work(emit)
            after = shown_issues(self.store)
            if after != before:
                emit(Diagnostics(after))
                self._end_wishes(known, emit)

        await self._access.commit(transaction, durable=durable)

    def _end_wishes(self, known: Sequence[IssueRecord], emit: Emit) -> None:
        """End the open wishes for what was `known` until now: it is mended, or no longer skipped and needs no phase."""
        left = {record.signature for record in self.store.of_status(*SHOWN_STATUSES)}
        gone = {wish_to_mend(record) for record in known if record.signature not in left}
        skipped = {wish_to_mend(record) for record in known if record.status == "skipped"}
        stays = {wish_to_mend(record) for record in self.store.of_status("skipped")}
        counts = {wish_to_mend(record) for record in self.store.of_status("open", "given_up")}
        store, project_id = self._access.store, self._access.project_id
        for wish in store.wishes(project_id, "open"):
            if wish.text in gone - stays - counts:
                store.set_wish(wish.id, "done", None)
                emit(WishQueued(wish.id, wish.text, "done"))
            elif wish.text in skipped - stays:
                ConversationStore(project_id).remove_wish(wish.id)
                emit(WishQueued(wish.id, wish.text, "removed"))
