"""What is kept of issues: when they were seen, what was tried, and what the person decided about them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vibedesk.base.clock import utc_now
from vibedesk.base.paths import Home
from vibedesk.engine.review.issues import Issue
from vibedesk.engine.review.known_issues import shown_issues
from vibedesk.engine.store.code_log import CodeLog
from vibedesk.engine.store.database import Database
from vibedesk.engine.store.issues import NO_MEND, IssueRecord, IssueStatus, IssueStore
from vibedesk.engine.store.projects import ProjectStore
from vibedesk.engine.store.tables import IssueRow


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    root: Path = tmp_path_factory.mktemp("home")
    opened = Database.open(Home(root=root, projects=root), write=True)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def project_id(database: Database) -> str:
    return database.call(lambda: ProjectStore().create({"name": "a", "folder": "a"})).id


@pytest.fixture
def store(database: Database, project_id: str) -> IssueStore:
    database.call(lambda: IssueRow.delete().execute())
    return IssueStore(project_id)


def data(source: str = "types", **others: Any) -> dict[str, Any]:
    return {
        "source": source, "kind": "type", "message": "m", "severity": "blocking", "evidence": {},
        **others,
    }  # fmt: skip


def only(database: Database, store: IssueStore) -> IssueRecord:
    [record] = database.call(store.all)
    return record


def status_of(database: Database, store: IssueStore, signature: str) -> str:
    return {record.signature: record.status for record in database.call(store.all)}[signature]


def written(database: Database, store: IssueStore, *paths: str) -> None:
    """Note that files were written, later than anything before."""

    def work() -> None:
        log, seen = CodeLog(store.project_id), utc_now()
        while utc_now() == seen:
            pass  # times are kept in milliseconds
        for path in paths:
            log.put_file(path, size=1, diff=None, blob=None)

    database.call(work)


class TestReports:
    def test_what_is_not_found_any_more_is_fixed_and_comes_back_open(
        self, database: Database, store: IssueStore
    ) -> None:
        database.call(lambda: store.report([("s", data())], {"types"}, 1))
        assert (only(database, store).status, only(database, store).phase) == ("open", 1)
        database.call(lambda: store.report([], {"types"}, 1))
        assert only(database, store).status == "fixed"
        database.call(lambda: store.report([("s", data(line=9))], {"types"}, 2))
        again = only(database, store)
        assert (again.status, again.times_seen, again.phase) == ("open", 2, 1)
        assert again.data["line"] == 9

    def test_only_what_was_looked_at_can_be_fixed(
        self, database: Database, store: IssueStore
    ) -> None:
        database.call(lambda: store.report([("s", data("check"))], {"check"}, 1))
        database.call(lambda: store.report([], {"types", "lint"}, 1))
        assert only(database, store).status == "open"

    @pytest.mark.parametrize(
        "issue",
        [data("check"), data("server", evidence={"check": "Counts"})],
        ids=["check", "server"],
    )
    def test_what_a_check_showed_is_fixed_only_where_that_check_ran_again(
        self, issue: dict[str, Any], database: Database, store: IssueStore
    ) -> None:
        database.call(lambda: store.report([("s", issue)], (), 1))
        database.call(lambda: store.report([], {"check", "server"}, 1, whole=True))
        assert only(database, store).status == "open"
        database.call(lambda: store.report([], {"check", "server"}, 1, again={"s"}, whole=True))
        assert only(database, store).status == "fixed"

    def test_what_was_looked_at_again_by_itself_is_fixed_and_nothing_else_of_its_source(
        self, database: Database, store: IssueStore
    ) -> None:
        found = [("s", data("check")), ("t", data("check")), ("u", data("check"))]
        database.call(lambda: store.report(found, {"check"}, 1))
        database.call(lambda: store.report(found[1:2], (), 1, again={"s", "t"}))
        assert [status_of(database, store, s) for s in "stu"] == ["fixed", "open", "open"]

    def test_of_what_a_model_found_it_is_known_where_its_file_changed(
        self, database: Database, store: IssueStore
    ) -> None:
        written(database, store, "a.ts", "b.ts")
        found = [
            ("a", data("review", file="a.ts")), ("b", data("review", file="b.ts")),
            ("gone", data("review", file="deleted.ts")), ("t", data(file="b.ts")),
        ]  # fmt: skip
        database.call(lambda: store.report(found, (), 1))
        written(database, store, "b.ts")
        changed = {"b": "b.ts", "gone": "deleted.ts"}
        assert database.call(store.changed_findings) == changed
        database.call(lambda: store.set_status(["b"], "fixed"))
        assert set(database.call(store.changed_findings)) == {"gone"}

    @pytest.mark.parametrize("status", ["skipped", "given_up"])
    def test_what_was_decided_stays_while_it_is_found(
        self, status: IssueStatus, database: Database, store: IssueStore
    ) -> None:
        database.call(lambda: store.report([("s", data())], {"types"}, 1))
        database.call(lambda: store.set_status(["s"], status))
        database.call(lambda: store.report([("s", data())], {"types"}, 1))
        assert only(database, store).status == status
        database.call(lambda: store.report([], {"types"}, 1))
        assert only(database, store).status == "fixed"

    def test_what_was_left_for_later_keeps_the_words_in_which_it_is_wished(
        self, database: Database, store: IssueStore
    ) -> None:
        database.call(lambda: store.report([("s", data(message="3 tasks"))], {"types"}, 1))
        database.call(lambda: store.set_status(["s"], "skipped"))
        found = data(message="4 tasks", line=7)
        database.call(lambda: store.report([("s", found)], {"types"}, 1))
        assert only(database, store).data == {**found, "message": "3 tasks"}
        database.call(lambda: store.set_status(["s"], "open"))
        database.call(lambda: store.report([("s", data(message="5 tasks"))], {"types"}, 1))
        assert only(database, store).data["message"] == "5 tasks"

    def test_what_the_person_met_stays_until_something_was_tried(
        self, database: Database, store: IssueStore
    ) -> None:
        live = data("runtime", evidence={"live": True})
        database.call(lambda: store.report([("s", live)], (), 1))
        database.call(lambda: store.report([], {"runtime"}, 1))
        assert only(database, store).status == "open"
        database.call(lambda: store.note_try("s", {"strategy": "debug", "outcome": NO_MEND}))
        database.call(lambda: store.report([], {"runtime"}, 1))
        assert only(database, store).status == "open", "nothing was changed"
        database.call(lambda: store.note_try("s", {"strategy": "model"}))
        database.call(lambda: store.report([], {"runtime"}, 1))
        assert only(database, store).status == "fixed"

    @pytest.mark.parametrize(
        ("file", "changed", "seen", "status"),
        [
            ("a.ts", "a.ts", [], "fixed"),
            ("a.ts", "b.ts", [], "open"),
            ("", "b.ts", [], "fixed"),
            ("", "", [], "open"),
            ("a.ts", "a.ts", ["page"], "open"),
            ("a.ts", "a.ts", ["types"], "fixed"),
            ("deleted.ts", "", [], "fixed"),
        ],
    )
    def test_what_the_person_met_is_gone_where_a_clean_visit_followed_a_change(
        self,
        file: str,
        changed: str,
        seen: list[str],
        status: str,
        database: Database,
        store: IssueStore,
    ) -> None:
        """`file` has the error, `changed` was written since, and the visit found what is wrong in `seen`."""
        written(database, store, "a.ts", "b.ts")
        live = data("runtime", file=file, evidence={"live": True})
        database.call(lambda: store.report([("s", live)], (), 1))
        if changed:
            written(database, store, changed)
        found = [(source, data(source)) for source in seen]
        database.call(lambda: store.report(found, {"types", "lint"}, 1))
        assert status_of(database, store, "s") == "open", "nobody visited the page"
        database.call(lambda: store.report(found, {"runtime", "page", "types"}, 1))
        assert status_of(database, store, "s") == status

    def test_that_the_person_met_it_too_makes_nothing_uncheckable(
        self, database: Database, store: IssueStore
    ) -> None:
        live = data("runtime", evidence={"live": True})
        database.call(lambda: store.report([("s", data("runtime", line=3))], {"runtime"}, 1))
        database.call(lambda: store.report([("s", live)], (), 1))
        known = only(database, store)
        assert (known.data, known.times_seen) == (data("runtime", line=3), 2)
        database.call(lambda: store.report([], {"runtime"}, 1))
        assert only(database, store).status == "fixed"
        # The visit does not show it: where the person meets it again, only they can.
        database.call(lambda: store.report([("s", live)], (), 1))
        assert (only(database, store).status, only(database, store).data) == ("open", live)

    def test_projects_do_not_share_issues(self, database: Database, store: IssueStore) -> None:
        other = IssueStore(
            database.call(lambda: ProjectStore().create({"name": "b", "folder": "b"})).id
        )
        database.call(lambda: store.report([("s", data())], {"types"}, 1))
        database.call(lambda: other.report([], {"types"}, 1))
        database.call(lambda: other.set_status(["s"], "skipped"))
        assert only(database, store).status == "open"
        assert database.call(other.all) == []


class TestEarlyFindings:
    """What a look at one file found while others are still written."""

    def test_they_are_replaced_by_the_next_look_at_their_file_only(
        self, database: Database, store: IssueStore
    ) -> None:
        def of(path: str) -> dict[str, Any]:
            return data(file=path)

        database.call(lambda: store.report_early("a.ts", [("a", of("a.ts")), ("x", of("a.ts"))], 1))
        database.call(lambda: store.report_early("b.ts", [("b", of("b.ts"))], 1))
        database.call(lambda: store.report_early("a.ts", [("a", {**of("a.ts"), "line": 7})], 1))
        known = {record.signature: record for record in database.call(store.all)}
        assert {s: r.status for s, r in known.items()} == {"a": "open", "x": "fixed", "b": "open"}
        assert (known["a"].data["line"], known["a"].times_seen) == (7, 1)

    @pytest.mark.parametrize("sources", [{"types"}, {"build"}])
    def test_a_review_decides_whatever_it_looked_at(
        self, sources: set[str], database: Database, store: IssueStore
    ) -> None:
        database.call(lambda: store.report_early("a.ts", [("s", data(file="a.ts"))], 1))
        database.call(lambda: store.report([], {"runtime"}, 1))
        assert only(database, store).status == "open", "that was no review"
        database.call(lambda: store.report([], sources, 1, whole=True))
        assert only(database, store).status == "fixed"

    def test_what_a_review_found_too_is_like_any_other_and_was_seen_once(
        self, database: Database, store: IssueStore
    ) -> None:
        found = ("s", data(file="a.ts"))
        database.call(lambda: store.report_early("a.ts", [found], 1))
        database.call(lambda: store.report([found], {"types"}, 1, whole=True))
        assert only(database, store).times_seen == 1
        # A later look at one file says nothing about what a review knows.
        database.call(lambda: store.report_early("a.ts", [], 1))
        database.call(lambda: store.report([], {"runtime"}, 1, whole=True))
        assert only(database, store).status == "open"
        database.call(lambda: store.report([], {"types"}, 1, whole=True))
        database.call(lambda: store.report_early("a.ts", [found], 2))
        assert (only(database, store).status, only(database, store).times_seen) == ("open", 2)

    @pytest.mark.parametrize("status", ["skipped", "given_up"])
    def test_what_was_decided_stays(
        self, status: IssueStatus, database: Database, store: IssueStore
    ) -> None:
        found = ("s", data(file="a.ts"))
        database.call(lambda: store.report([found], {"types"}, 1))
        database.call(lambda: store.set_status(["s"], status))
        database.call(lambda: store.report_early("a.ts", [found], 2))
        database.call(lambda: store.report_early("a.ts", [], 2))
        assert only(database, store).status == status

    def test_what_was_skipped_keeps_the_words_of_its_wish(
        self, database: Database, store: IssueStore
    ) -> None:
        def said(message: str) -> tuple[str, dict[str, Any]]:
            return "s", {**data(file="a.ts"), "message": message}

        database.call(lambda: store.report_early("a.ts", [said("Expected 1 argument.")], 1))
        database.call(lambda: store.set_status(["s"], "skipped"))
        database.call(lambda: store.report_early("a.ts", [said("Expected 2 arguments.")], 1))
        assert only(database, store).data["message"] == "Expected 1 argument."
        database.call(lambda: store.report([said("Expected 3 arguments.")], {"types"}, 1))
        assert only(database, store).data["message"] == "Expected 1 argument."


class TestTries:
    def test_each_try_gets_its_own_outcome(self, database: Database, store: IssueStore) -> None:
        database.call(lambda: store.report([("s", data())], {"types"}, 1))
        database.call(lambda: store.settle_tries({"s": "fixed"}))
        assert only(database, store).fixes == ()
        database.call(lambda: store.note_try("s", {"strategy": "model", "attempt": 1}))
        database.call(lambda: store.settle_tries({"s": "still there"}))
        database.call(lambda: store.note_try("s", {"strategy": "debug"}))
        database.call(lambda: store.settle_tries({"s": "fixed"}))
        database.call(lambda: store.settle_tries({"s": "still there"}))
        told = [(f["strategy"], f["outcome"]) for f in only(database, store).fixes]
        assert told == [("model", "still there"), ("debug", "fixed")]
        assert all(f["at"].endswith("Z") for f in only(database, store).fixes)

    def test_of_what_is_not_known_nothing_is_kept(
        self, database: Database, store: IssueStore
    ) -> None:
        database.call(lambda: store.note_try("nobody", {"strategy": "model"}))
        database.call(lambda: store.settle_tries({"nobody": "fixed"}))
        database.call(lambda: store.set_status(["nobody"], "skipped"))
        assert database.call(store.all) == []


def test_issues_are_told_with_their_history_the_gravest_first(
    database: Database, store: IssueStore
) -> None:
    def issue(message: str, severity: Any) -> Issue:
        return Issue(source="types", kind="type", message=message, severity=severity)

    found = [
        issue("one", "warning"), issue("two", "critical"), issue("three", "blocking"),
        issue("gone", "critical"),
    ]  # fmt: skip

    def work() -> list[dict[str, Any]]:
        store.report([(i.signature, i.to_dict()) for i in found], {"types"}, 1)
        store.report([(i.signature, i.to_dict()) for i in found[:3]], {"types"}, 1)
        store.set_status([found[2].signature], "skipped")
        store.note_try(found[1].signature, {"strategy": "model"})
        return shown_issues(store)

    told = database.call(work)
    assert [(i["message"], i["status"]) for i in told] == [
        ("two", "open"), ("three", "skipped"), ("one", "open"),
    ]  # fmt: skip
    assert [i["times_seen"] for i in told] == [2, 2, 2]
    assert [t["strategy"] for t in told[0]["fixes_tried"]] == ["model"]


def test_a_check_has_the_result_of_its_last_run_until_the_blueprint_drops_it(
    database: Database, store: IssueStore
) -> None:
    def put(name: str, passed: bool) -> None:
        store.put_check(
            name, passed=passed, phase=1, code_version=3, seconds=0.5, picture="",
            data={"step": None if passed else 2},
        )  # fmt: skip

    def work() -> None:
        put("Adds", False)
        put("Adds", True)
        put("Removes", False)

    database.call(work)
    known = {c.name: (c.passed, c.data["step"]) for c in database.call(store.checks)}
    assert known == {"Adds": (True, None), "Removes": (False, 2)}
    database.call(lambda: store.forget_checks(["Removes", "New"]))
    assert [c.name for c in database.call(store.checks)] == ["Removes"]
    database.call(lambda: store.forget_checks([]))
    assert database.call(store.checks) == []


def test_why_a_check_was_corrected_stays_with_it(database: Database, store: IssueStore) -> None:
    def work() -> None:
        store.put_check(
            "Adds",
            passed=False,
            phase=1,
            code_version=3,
            seconds=0.5,
            picture="p",
            data={"step": 2},
        )
        store.note_correction("Adds", "The button is called Add.")
        store.note_correction("Later", "Its page is called Archive.")

    database.call(work)
    adds, later = sorted(database.call(store.checks), key=lambda check: check.name)
    assert (adds.passed, adds.picture, adds.data, adds.why) == (
        False, "p", {"step": 2}, "The button is called Add.",
    )  # fmt: skip
    assert (later.passed, later.at, later.why) == (None, "", "Its page is called Archive.")

    def run() -> None:
        for name in ("Adds", "Later"):
            store.put_check(
                name, passed=True, phase=1, code_version=4, seconds=0.5, picture="", data={}
            )

    database.call(run)
    after = {
        check.name: (check.passed, check.picture, check.why)
        for check in database.call(store.checks)
    }
    assert after == {
        "Adds": (True, "", "The button is called Add."),
        "Later": (True, "", "Its page is called Archive."),
    }
    database.call(lambda: store.forget_checks([]))


def test_debugging_sessions_are_kept_in_order(database: Database, store: IssueStore) -> None:
    turn = {"turn": 1, "role": "model", "text": "It is the loop."}

    def work() -> tuple[str, str]:
        first, second = store.begin_debugging("s"), store.begin_debugging("t")
        store.put_debugging(first, [turn], "failed")
        return first, second

    first, second = database.call(work)
    assert database.call(lambda: store.debugging("s")) == [(first, "s", [turn], "failed")]
    assert [s[0] for s in database.call(store.debugging)] == [first, second]


# -- any order of reports and decisions ---------------------------------------------------------------------

_SIGNATURES = ("a", "b", "c")
_SOURCE = {"a": "types", "b": "types", "c": "page"}
_signatures = st.frozensets(st.sampled_from(_SIGNATURES))
_happenings = st.lists(
    st.tuples(st.just("report"), _signatures, st.frozensets(st.sampled_from(["types", "page"])))
    | st.tuples(st.sampled_from(["skipped", "given_up"]), _signatures, st.just(frozenset())),
    max_size=12,
)


@given(happenings=_happenings)
def test_no_order_of_reports_and_decisions_loses_what_is_known(
    database: Database,
    project_id: str,
    happenings: list[tuple[str, frozenset[str], frozenset[str]]],
) -> None:
    store = IssueStore(project_id)

    def work() -> list[dict[str, IssueRecord]]:
        IssueRow.delete().execute()
        after = []
        for what, signatures, sources in happenings:
            if what == "report":
                store.report([(s, data(_SOURCE[s])) for s in sorted(signatures)], sources, 1)
            else:
                store.set_status(signatures, what)  # type: ignore[arg-type]
            after.append({record.signature: record for record in store.all()})
        return after

    known: dict[str, tuple[str, int]] = {}
    for (what, signatures, sources), records in zip(happenings, database.call(work), strict=True):
        for signature in _SIGNATURES:
            status, seen = known.get(signature, ("", 0))
            if what != "report":
                if signature in signatures and seen:
                    known[signature] = (what, seen)
            elif signature in signatures:
                known[signature] = (
                    status if status in ("skipped", "given_up") else "open",
                    seen + 1,
                )
            elif seen and _SOURCE[signature] in sources:
                known[signature] = ("fixed", seen)
        assert {s: (r.status, r.times_seen) for s, r in records.items()} == known
        assert all(r.first_seen <= r.last_seen for r in records.values())
