"""A small app that can be wrong: its type checker finds every comment `// wrong: …`, its config can keep the server down."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.support.model_server import ModelServer
from tests.support.tiny_app import PACKAGES, TINY_TEMPLATE, whole

_CHECKER = """\
import { readdirSync, readFileSync } from "node:fs";

let wrong = 0;
for (const path of readdirSync(".").filter((name) => name.endsWith(".js"))) {
  readFileSync(path, "utf8").split("\\n").forEach((line, number) => {
    const found = /\\/\\/ wrong: (.+)/.exec(line);
    if (found) console.log(`${path}(${number + 1},1): error TS2304: ${found[1]}`), (wrong += 1);
  });
}
process.exit(wrong ? 2 : 0);
"""
_STARTER = """\
// Reads the app's config.mjs before it serves, as real dev servers do.
import { existsSync } from "node:fs";

if (existsSync("config.mjs")) await import("./config.mjs");
await import("./server.mjs");
"""

PAGE = (
    '<!doctype html>\n<html lang="en"><head><title>Counter</title></head>\n<body><main><h1>Counter</h1>\n'
    "<button>Add</button> <output>0</output></main>\n"
    '<script type="module" src="app.js"></script></body></html>\n'
)
GOOD = (
    "const output = document.querySelector('output');\n"
    "document.querySelector('button').onclick = () => (output.value = Number(output.value) + 1);\n"
)
IDLE_BUTTON = "export const nothing = 1;\n"
THROWS = "const total = null;\nconsole.log(total.length);\n"


def wrong(*messages: str) -> str:
    """Return a script in which the checker finds `messages`."""
    return GOOD + "".join(f"// wrong: {message}\n" for message in messages)


MESSAGE = "Cannot find name 'a'."
WRONG = wrong(MESSAGE)
STUCK = [WRONG + f"// try {number}\n" for number in range(3)]
"""Tries that do not help."""
DEBUGGED = "The name is never made.\n\n" + whole("app.js", GOOD)


def make_mendable_template(folder: Path) -> Path:
    """Make a copy of the tiny starter that has a type checker and reads a config; return its folder."""
    shutil.copytree(TINY_TEMPLATE, folder)
    (folder / "types.mjs").write_text(_CHECKER, "utf-8")
    (folder / "start.mjs").write_text(_STARTER, "utf-8")
    description = json.loads((folder / "template.json").read_text("utf-8"))
    description["typecheck_command"] = "node types.mjs"
    description["dev_command"] = "node start.mjs {host} {port}"
    description["dont_touch_files"] += ["types.mjs", "start.mjs"]
    (folder / "template.json").write_text(json.dumps(description), "utf-8")
    return folder


def check(name: str = "Counts", *, button: str = "Add", shown: str = "1") -> dict[str, Any]:
    """Return the acceptance check that the button counts up."""
    return {
        "name": name,
        "phase": 1,
        "steps": [
            {"do": "goto", "path": "/"},
            {"do": "click", "selector": "button", "text": button},
            {"do": "expectText", "selector": "output", "text": shown},
        ],
    }


def script_app(
    server: ModelServer,
    script: str,
    *,
    page: str = PAGE,
    checks: Sequence[dict[str, Any]] = (),
    also: str = "",
    phases: int = 1,
) -> None:
    """Queue the answers of a build whose app.js is `script`; `also` is SCOF that follows it.

    Of several `phases` only the first has its answers.
    """
    phase = {
        "name": "Basics",
        "description": "Counts",
        "files": [{"path": path, "purpose": "it"} for path in ("index.html", "app.js")],
        "install_commands": [],
        "is_last_phase": phases == 1,
    }
    blueprint = {
        "title": "Counter",
        "project_name": "counter",
        "description": "Counts.",
        "initial_phase": phase,
        "implementation_roadmap": [{"phase": "Basics", "description": "Counts"}] * phases,
        "acceptance_checks": list(checks),
    }
    server.answer(json.dumps(blueprint), operation="blueprint")
    answer = PACKAGES + whole("index.html", page) + whole("app.js", script) + also
    server.answer(answer, operation="implement_phase")
