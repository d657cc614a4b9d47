"""Problems and checks as the engine tells them, for tests and pictures of what shows them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from vibedesk.engine.views import CheckResultView

TODAY = datetime.now().astimezone().replace(hour=0, minute=7, second=0, microsecond=0)
# Of an earlier year: how it is said does not change at midnight, while tests run.
_AT = datetime(2025, 3, 5, 0, 7).astimezone().isoformat()

TSX = """import { useMemo } from "react";
import { isSameDay, weekFrom } from "@/lib/schedule";
import { usePlants } from "@/hooks/usePlants";

interface WeekStripProps {
  start: Date;
}

export function WeekStrip({ start }: WeekStripProps) {
  const { plants } = usePlants();
  const days = useMemo(() => weekFrom(start), [start]);

  const load = useMemo(() => {
    return days.map((day) =>
      plants.filter((p) =>
        isSameDay(p.schedule.next, day),
      ).length,
    );
  }, [days, plants]);

  return (
    <ol className="week" aria-label="This week">
      {days.map((day, i) => (
        <li key={day.toISOString()}>{load[i]}</li>
      ))}
    </ol>
  );
}
"""


def issue(signature: str, message: str, **more: Any) -> dict[str, Any]:
    """Return an issue as `diagnostics` has it."""
    return {
        "signature": signature,
        "source": "types",
        "kind": "type",
        "code": "",
        "file": "",
        "line": 0,
        "column": 0,
        "message": message,
        "stack": "",
        "severity": "blocking",
        "evidence": {},
        "status": "open",
        "first_seen": _AT,
        "times_seen": 1,
        "fixes_tried": [],
        **more,
    }


ISSUES = [
    issue(
        "aa",
        "TypeError: Cannot read properties of undefined (reading 'next')",
        source="runtime",
        code="TypeError",
        severity="critical",
        file="src/components/WeekStrip.tsx",
        line=16,
        column=30,
        times_seen=4,
        stack="TypeError: Cannot read properties of undefined (reading 'next')\n"
        "    at src/components/WeekStrip.tsx:16:30\n    at Array.filter (<anonymous>)",
        fixes_tried=[
            {"strategy": "deterministic", "outcome": "still there", "at": _AT},
            {
                "strategy": "model",
                "outcome": "still there",
                "at": _AT,
                "attempt": 1,
                "paths": ["src/components/WeekStrip.tsx"],
                "cost": 0.04,
                "tokens": 11_200,
            },
            {
                "strategy": "debug",
                "outcome": "no mend",
                "at": _AT,
                "session": "01JDEBUGGING",
                "paths": [],
                "cost": 0.17,
                "tokens": 42_000,
            },
        ],
    ),
    issue(
        "bb",
        "Property 'schedule' does not exist on type 'Plant'.",
        code="TS2339",
        file="src/components/WeekStrip.tsx",
        line=16,
        column=21,
        status="given_up",
    ),
    issue(
        "cc",
        "'rooms' is declared but never read.",
        source="lint",
        code="no-unused-vars",
        severity="warning",
        file="src/App.tsx",
        line=1,
        column=25,
    ),
    issue(
        "dd",
        "The picture has no text for those who do not see it.",
        source="page",
        code="a11y-image-alt",
        severity="warning",
    ),
    issue(
        "ee",
        "The sign-in does not limit how often a password may be tried.",
        source="security",
        severity="warning",
        file="server/auth.ts",
        line=12,
        status="skipped",
    ),
]

CHECKS = [
    CheckResultView(
        "A plant is added and found again",
        ("Open the page “/”", "Click “Add a plant”", "Fill “Name” with “Monty”", "See “Monty”"),
        1,
        passed=True,
        picture="pic0",
        at=_AT,
    ),
    CheckResultView(
        "A watered plant leaves the list of today",
        ("Open the page “/today”", "Click “Watered”", "Do not see “Monty” in main", "Reload"),
        2,
        passed=False,
        step=2,
        sentence="Do not see “Monty” in main",
        error="“Monty” is still there after 5 s.",
        picture="pic",
        at=_AT,
    ),
    CheckResultView("The week strip shows seven days", ("Open the page “/today”",), 2),
    CheckResultView("Another person sees their own plants only", ("Sign in as “Ben”",), None),
]

TRANSCRIPT = [
    {"turn": 1, "role": "model", "text": "Plants of phase 1 have no schedule. I want to see what the store saves.\n\n"
     "[show src/lib/db.ts]\n[run npx tsc --noEmit]"},
    {"turn": 1, "role": "facts", "text": '<file path="src/lib/db.ts">\nexport const version = 1;\n</file>\n\n'
     "`npx tsc --noEmit` ended with 2:\nsrc/components/WeekStrip.tsx(16,21): error TS2339: Property 'schedule' does "
     "not exist on type 'Plant'."},
    {"turn": 2, "role": "model", "text": "The store has version 1 for both shapes, so old plants are read as they were. "
     "The upgrade has to fill in the date."},
]  # fmt: skip
