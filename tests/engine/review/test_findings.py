"""What a model's review says becomes issues, however sloppily it names files, lines and severities."""

from __future__ import annotations

import json
from typing import Any

import pytest

from vibedesk.engine.builder.schemas import ReviewAnswer
from vibedesk.engine.review.findings import finding_issues
from vibedesk.engine.review.issues import Issue

TEXTS = {
    "src/x.tsx": "import a from 'a'\n\nexport const b = 1\n  const  total = b\nconst total = b\n",
    "app/[id]/page.tsx": "export {}\n",
}


def issues(*findings: Any) -> list[Issue]:
    answer = ReviewAnswer.model_validate_json(json.dumps({"findings": findings}))
    return finding_issues(answer.findings, TEXTS)


def issue(**said: Any) -> Issue:
    [found] = issues({"file": "src/x.tsx", "message": "It is lost.", **said})
    return found


@pytest.mark.parametrize(
    ("said", "path"),
    [
        ("src/x.tsx", "src/x.tsx"),
        ("./src/x.tsx", "src/x.tsx"),
        ("/src/x.tsx", "src/x.tsx"),
        ("`src/x.tsx`", "src/x.tsx"),
        ("src\\x.tsx", "src/x.tsx"),
        ("src/x.tsx:31", "src/x.tsx"),
        ("./src/x.tsx:31:7", "src/x.tsx"),
        ("src/x.tsx:31-40", "src/x.tsx"),
        ("src/x.tsx#L31-L40", "src/x.tsx"),
        ("src/x.tsx (31)", "src/x.tsx"),
        ("app/[id]/page.tsx", "app/[id]/page.tsx"),
    ],
)
def test_a_file_is_known_however_it_is_written(said: str, path: str) -> None:
    found = issue(file=said)
    assert (found.file, found.message) == (path, "It is lost.")


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ("src/Login.tsx", "It is lost. (src/Login.tsx)"),
        ("", "It is lost."),
        (None, "It is lost."),
    ],
)
def test_a_finding_of_a_file_that_is_not_there_stays(said: str | None, message: str) -> None:
    found = issue(file=said, line=3, quote="x")
    assert (found.file, found.line, found.message) == ("", 0, message)
    [named] = issues({"file": "a.ts", "message": "There is no a.ts."})
    assert named.message == "There is no a.ts."


@pytest.mark.parametrize(
    ("said", "line"),
    [
        ({"quote": "export const b = 1"}, 3),
        ({"quote": "`  export const b = 1 `", "line": 99}, 3),
        ({"quote": "const b"}, 3),
        ({"quote": "const total = b"}, 4),
        ({"quote": "const total = b", "line": 5}, 5),
        ({"quote": "\nexport const b = 1\nconst total = b"}, 3),
        ({"quote": "nowhere", "line": 2}, 2),
        ({"quote": None, "line": "3-4"}, 3),
        ({"line": "L5"}, 5),
        ({"line": 6}, 0),
        ({"line": None}, 0),
        ({"line": True}, 0),
        ({}, 0),
    ],
)
def test_the_line_is_where_the_quote_stands(said: dict[str, Any], line: int) -> None:
    assert issue(**said).line == line


@pytest.mark.parametrize(
    ("said", "severity"),
    [
        *((word, "critical") for word in ("critical", "Critical!", "FATAL", "**critical**", "P0")),
        *(
            (w, "blocking")
            for w in ("blocking", "Blocker", "high", "ERROR", "major", "high (data)")
        ),
        *((word, "warning") for word in ("warning", "low", "minor", "info", "medium", "", None)),
    ],
)
def test_a_severity_is_understood(said: str | None, severity: str) -> None:
    assert issue(severity=said).severity == severity


def test_what_says_nothing_is_left_out_and_the_rest_is_taken() -> None:
    found = issues({"file": "src/x.tsx", "message": None}, {"message": ["One.", "Two."]})
    assert [issue.message for issue in found] == ["One.\nTwo."]
    one = ReviewAnswer.model_validate({"findings": {"message": "Alone."}, "still": ["2", 1]})
    assert ([f.message for f in one.findings], one.still) == (["Alone."], [2, 1])
    assert ReviewAnswer.model_validate({"findings": None, "still": None}).findings == []


def test_findings_that_differ_in_numbers_are_two() -> None:
    three, five = (issue(message=f"Only {count} rows are kept.") for count in (3, 5))
    assert three.signature != five.signature
    assert issue(line=1).signature == issue(line=3).signature
