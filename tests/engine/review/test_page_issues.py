"""What a visit of a page, or a failed check, says is wrong."""

from __future__ import annotations

from dataclasses import replace

import pytest

from vibedesk.engine.browser.reports import (
    CheckOutcome,
    ConsoleMessage,
    FailedRequest,
    Finding,
    PageError,
    PageReport,
)
from vibedesk.engine.review.issues import Issue
from vibedesk.engine.review.page_issues import check_issue, page_issues
from vibedesk.engine.review.served_app import served_app_issues

URL = "http://127.0.0.1:4001"
STACK = (
    "TypeError: Cannot read properties of null (reading 'filter')\n"
    f"    at Summary ({URL}/src/Summary.tsx?t=17:5:20)\n"
    f"    at render ({URL}/node_modules/.vite/deps/react-dom_client.js?v=b2db9ffa:41:12)"
)
SOUND = PageReport(
    status=200, reason="", url=URL, title="App", text="Hello", console=(), errors=(),
    failed_requests=(), blocked=(), blank=False, restless=False, overlay="", accessibility=(), picture=b"",
)  # fmt: skip


def console(text: str, level: str = "error") -> ConsoleMessage:
    return ConsoleMessage(level, text, f"{URL}/src/x.ts", 1, 1)


def thrown(stack: str = STACK) -> PageError:
    return PageError("exception", stack.split("\n")[0], stack, URL, 1, 1)


def told(issues: list[Issue]) -> list[tuple[str, str]]:
    return [(issue.code, issue.severity) for issue in issues]


def test_a_sound_page_has_none() -> None:
    assert page_issues(SOUND) == []
    assert page_issues(replace(SOUND, status=304)) == []
    assert (
        page_issues(replace(SOUND, console=(console("hm", "warning"), console("x", "log")))) == []
    )


@pytest.mark.parametrize(
    ("report", "message"),
    [
        (replace(SOUND, status=500, text="Error: no table"), "the page answers 500"),
        (replace(SOUND, status=0, reason="connection refused", blank=True), "connection refused"),
    ],
    ids=["500", "away"],
)
def test_a_page_that_cannot_be_opened_is_all_there_is_to_say(
    report: PageReport, message: str
) -> None:
    broken = replace(report, errors=(thrown(),))
    [issue] = page_issues(broken)
    assert (issue.code, issue.severity, issue.message) == (
        "page_unreachable", "critical", message,
    )  # fmt: skip
    assert issue.stack == report.text


def test_a_blank_page_is_critical_and_says_why() -> None:
    assert told(page_issues(replace(SOUND, blank=True))) == [("blank_page", "critical")]
    both = page_issues(replace(SOUND, blank=True, errors=(thrown(),)))
    assert told(both) == [("blank_page", "critical"), ("TypeError", "blocking")]


def test_an_overlay_is_read_and_replaces_the_blankness() -> None:
    overlay = '[plugin:vite:import-analysis] Failed to resolve import "./x" from "src/App.tsx".'
    [issue] = page_issues(replace(SOUND, blank=True, overlay=overlay))
    assert (issue.source, issue.kind, issue.file) == ("page", "import", "src/App.tsx")
    assert issue.blocks
    [thrown_one] = page_issues(replace(SOUND, overlay=STACK))
    assert (thrown_one.severity, thrown_one.place) == ("critical", "src/Summary.tsx:5:20")
    [unread] = page_issues(replace(SOUND, overlay="\n  Something is off\nTry again"))
    assert unread.message == "The page shows an error: Something is off"
    assert unread.severity == "critical"


def test_an_error_that_is_thrown_logged_and_caught_is_one_and_the_gravest() -> None:
    report = replace(
        SOUND,
        errors=(thrown(),),
        console=(console(f"[app-error] {STACK}"), console(STACK)),
    )
    [issue] = page_issues(report)
    assert (issue.source, issue.severity, issue.place) == (
        "runtime", "critical", "src/Summary.tsx:5:20",
    )  # fmt: skip
    assert issue.message == "TypeError: Cannot read properties of null (reading 'filter')"


def test_a_place_is_looked_up_in_the_source_map() -> None:
    def locate(place: str, _line: int, _column: int) -> tuple[str, int, int]:
        return place, 50, 3

    [issue] = page_issues(replace(SOUND, errors=(thrown(),)), locate=locate)
    assert issue.place == "src/Summary.tsx:50:3"


def test_a_console_error_without_a_stack_is_told_by_its_first_line() -> None:
    [issue] = page_issues(replace(SOUND, console=(console("\nThe key is twice\nin the list"),)))
    assert (issue.code, issue.severity, issue.message) == (
        "console",
        "blocking",
        "The key is twice",
    )
    [silent] = page_issues(replace(SOUND, console=(console("  "),)))
    assert silent.message


def test_react_s_warnings_say_in_which_component() -> None:
    said = 'Each child in a list should have a unique "key" prop.\n\nCheck the render method of `TodoForm`. See https://react.dev for more.'
    [issue] = page_issues(replace(SOUND, console=(console(said),)))
    assert issue.message == (
        'Each child in a list should have a unique "key" prop. Check the render method of `TodoForm`.'
    )


def test_a_blank_page_tells_what_the_console_warned_of() -> None:
    warned = (
        console('No routes matched location "/"', "warning"),
        console("[vite] connected.", "debug"),
    )
    [issue] = page_issues(replace(SOUND, blank=True, console=warned))
    assert issue.stack == 'No routes matched location "/"'


@pytest.mark.parametrize("blank", [True, False])
def test_a_page_that_stops_after_it_was_opened_says_why(blank: bool) -> None:
    reason = "The page does not answer: its scripts never end."
    report = replace(SOUND, reason=reason, blank=blank, errors=(thrown(),))
    stopped, error = page_issues(report)
    assert (stopped.code, stopped.severity, stopped.message) == ("page_stopped", "critical", reason)
    assert error.code == "TypeError"


def test_a_page_that_never_rests_is_told() -> None:
    assert told(page_issues(replace(SOUND, restless=True))) == [("restless_page", "warning")]


def test_a_page_s_error_belongs_to_what_was_written() -> None:
    stack = f"Error: no router\n    at use ({URL}/src/lib/session.ts:3:1)\n    at App ({URL}/src/App.tsx:9:2)"
    [issue] = page_issues(replace(SOUND, errors=(thrown(stack),)), given=["src/lib/session.ts"])
    assert issue.place == "src/App.tsx:9:2"


def request(path: str, status: int, method: str = "GET") -> FailedRequest:
    return FailedRequest(method, URL + path, status, "" if status else "connection reset")


@pytest.mark.parametrize(
    ("failed", "severity"),
    [
        (request("/favicon.ico", 404), None),
        (request("/api/login", 401, "POST"), None),
        (request("/api/tasks", 404), "warning"),
        (request("/api/tasks/7", 404, "DELETE"), None),
        (request("/api/tasks", 500), "blocking"),
        (request("/api/tasks", 0), "blocking"),
        (request("/logo.svg", 404), "warning"),
        (request("/logo.svg", 503), "blocking"),
    ],
)
def test_failed_requests(failed: FailedRequest, severity: str | None) -> None:
    console_too = (console(f"Failed to load resource: {failed.status} ({failed.url})"),)
    report = replace(SOUND, failed_requests=(failed,), console=console_too)
    issues = page_issues(report, api_paths=["/api"])
    assert [issue.severity for issue in issues] == ([severity] if severity else [])
    assert all(issue.code == "request_failed" for issue in issues)
    assert all(URL not in issue.message for issue in issues)


def test_other_hosts_and_accessibility_only_warn() -> None:
    report = replace(
        SOUND,
        blocked=("https://cdn.example/a.js", "https://cdn.example/b.js", "https://fonts.example/c"),
        accessibility=(Finding("label", "A field has no label.", "#name"),),
    )
    issues = page_issues(report)
    assert told(issues) == [
        ("other_host", "warning"), ("other_host", "warning"), ("a11y-label", "warning"),
    ]  # fmt: skip
    assert issues[-1].evidence == {"selector": "#name"}
    assert issues[-1].kind == "style"


FAILED = CheckOutcome(
    name="Adds", passed=False, step=2, sentence="see “milk” in li", error="there is none",
    started=(), console=(console("bad"), console("fine", "log")), errors=(thrown(),),
    failed_requests=(request("/api/tasks", 500, "POST"),), blocked=(), picture=b"", seconds=1.0,
)  # fmt: skip


def test_a_failed_check_says_where_and_shows_what_it_saw() -> None:
    issue = check_issue(FAILED, picture="p1")
    assert issue.message == "The check “Adds” fails. Step 3, see “milk” in li: there is none"
    assert (issue.source, issue.severity, issue.place) == (
        "check", "blocking", "src/Summary.tsx:5:20",
    )  # fmt: skip
    assert issue.stack == STACK
    assert issue.evidence == {
        "check": "Adds", "step": 2, "console": ["bad"],
        "requests": [f"POST {URL}/api/tasks 500"], "picture": "p1",
    }  # fmt: skip


def test_a_check_whose_steps_all_held_names_its_trouble() -> None:
    issue = check_issue(replace(FAILED, step=None, sentence="", errors=()), picture="")
    assert issue.message == "The check “Adds” fails. there is none"
    assert issue.place == ""


def test_a_check_whose_page_breaks_names_the_error_alone() -> None:
    logged = PageError("console", f"[app-error] {STACK}", "", URL, 1, 1)
    broken = replace(FAILED, step=None, sentence="", error=logged.message, errors=(logged,))
    issue = check_issue(broken, picture="")
    assert issue.message == (
        "The check “Adds” fails. TypeError: Cannot read properties of null (reading 'filter')"
    )
    assert issue.place == "src/Summary.tsx:5:20"


def test_a_check_that_the_server_fails_says_where_in_the_server() -> None:
    why = Issue(
        source="server", kind="runtime", code="Error", message="Error: no such column: state",
        stack="Error: no such column: state\n    at …", severity="blocking", file="server/a.ts", line=7,
    )  # fmt: skip
    issue = check_issue(replace(FAILED, errors=()), picture="", server=[why])
    assert (issue.place, issue.stack) == ("server/a.ts:7", why.stack)
    refused = replace(FAILED, errors=(), failed_requests=(request("/api/tasks", 404),))
    assert check_issue(refused, picture="", server=[why]).place == ""


def test_two_checks_that_fail_alike_are_two_issues() -> None:
    other = check_issue(replace(FAILED, name="Removes"), picture="")
    assert other.signature != check_issue(FAILED, picture="").signature


def test_a_check_that_fails_at_another_step_is_another_issue() -> None:
    known = check_issue(FAILED, picture="").signature
    later = replace(FAILED, step=4)
    assert check_issue(later, picture="").signature != known
    reworded = replace(FAILED, sentence="see “bread” in li")
    assert check_issue(reworded, picture="").signature == known


def _thrown(message: str) -> str:
    text = f"{message}\n    at main ({URL}/src/App.tsx:5:20)"
    [issue] = page_issues(replace(SOUND, errors=(replace(thrown(), stack=text),)))
    assert issue.file == "src/App.tsx"
    return issue.signature


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("0b7f3a52-94a3-4d1c-8f5e-1a2b3c4d5e6f", "F81D4FAE-7DEC-11D0-A765-00A0C91E6BF6"),
        ("9f86d081884c7d65", "60303ae22b998861bce3"),
        ("V1StGXR8_Z5jdHi6B-myT", "01ARZ3NDEKTSV4RRFFQ69G5FAV"),
        ("'milk'", "'it is bread'"),
        ('"milk"', '""'),
        ("“milk”", "“bread”"),
    ],
)
def test_an_error_is_the_same_whatever_data_it_names(one: str, other: str) -> None:
    assert _thrown(f"Error: No item {one} here") == _thrown(f"Error: No item {other} here")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Error: It can't add what isn't there", "Error: It can't take what isn't there"),
        ("ReferenceError: facade is not defined", "ReferenceError: decade is not defined"),
        ("TypeError: onlyRenderThisOnceEverywhere is not a function", "TypeError: a is not a function"),
        ("Error: Cannot find module './a'", "Error: Cannot find module './b'"),
    ],
)  # fmt: skip
def test_errors_of_other_words_are_other_issues(one: str, other: str) -> None:
    assert _thrown(one) != _thrown(other)


@pytest.mark.parametrize("status", [200, 204, 302, 307])
def test_a_page_that_sends_its_visitors_elsewhere_answers(status: int) -> None:
    assert served_app_issues([SOUND], status=status, log="", root="/app") == []


@pytest.mark.parametrize("status", [0, 404, 500])
def test_a_page_that_does_not_answer_is_critical(status: int) -> None:
    [issue] = served_app_issues((), status=status, log="", root="/app")
    assert (issue.code, issue.severity) == ("page_status", "critical")


def test_what_is_wrong_on_a_phone_only_is_told_as_that_and_everything_once() -> None:
    button = Finding("button-name", "A button has no name.", "#b")
    desktop = replace(SOUND, errors=(thrown(),), accessibility=(button,))
    narrow = thrown(f"TypeError: menu is null\n    at open ({URL}/src/Menu.tsx:3:5)")
    phone = replace(
        SOUND,
        errors=(thrown(), narrow),
        console=(console("no room"),),
        failed_requests=(request("/small.png", 500),),
        accessibility=(button, Finding("horizontal-overflow", "It has to be moved sideways.", "p")),
    )
    issues = served_app_issues([desktop, phone], status=200, log="", root="/app")
    on_phone = [issue for issue in issues if issue.stack.startswith("Only on a screen 375 pixels")]
    assert told(on_phone) == [
        ("TypeError", "blocking"), ("console", "blocking"), ("request_failed", "blocking"),
        ("a11y-horizontal-overflow", "warning"),
    ]  # fmt: skip
    assert on_phone[0].place == "src/Menu.tsx:3:5"
    others = [issue for issue in issues if issue not in on_phone]
    assert told(others) == [("TypeError", "blocking"), ("a11y-button-name", "warning")]
    # The same error that is met elsewhere is no other one.
    assert on_phone[0].signature == page_issues(replace(SOUND, errors=(narrow,)))[0].signature


@pytest.mark.parametrize(
    ("phone", "code"),
    [
        (replace(SOUND, blank=True), "blank_page"),
        (replace(SOUND, reason="The page has crashed."), "page_stopped"),
        (replace(SOUND, overlay="Something is off"), "error_page"),
    ],
)
def test_a_page_that_shows_nothing_on_a_phone_is_critical(phone: PageReport, code: str) -> None:
    issues = served_app_issues([SOUND, phone], status=200, log="", root="/app")
    assert told(issues) == [(code, "critical")]
