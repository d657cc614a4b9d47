"""A small app that a scripted model builds on `tiny_template`, in two phases: quick to build, no registry needed."""

from __future__ import annotations

import json
from pathlib import Path

from tests.support.model_server import ModelServer

TINY_TEMPLATE = Path(__file__).with_name("tiny_template")

PAGE = "<!doctype html>\n<title>Counter</title>\n<h1>Counter</h1>\n<script type=module src=app.js></script>\n"
APP = "".join(f"export const line{n} = {n};\n" for n in range(60))
STYLE = "".join(f".rule-{n} {{ order: {n}; }}\n" for n in range(40))
LATER = "".join(f"// later {n}\n" for n in range(40))
MARK = "/* said */\n"
PACKAGES = "npm install left-pad@1.3.0\n"


def whole(path: str, text: str) -> str:
    """Return the SCOF that writes one file."""
    return f"cat > {path} <<'EOF_{len(text)}'\n{text}EOF_{len(text)}\n"


def misfit(path: str) -> str:
    """Return the SCOF of a patch that fits nowhere."""
    return f"cat <<'EOF_P' | patch {path}\n@@ -1,2 +1,2 @@\n nothing like this\n-is there\n+is here\nEOF_P\n"


FIRST = [PACKAGES, whole("index.html", PAGE), whole("app.js", APP), whole("style.css", STYLE)]
SECOND = [
    whole("later.js", LATER),
    "cat <<'EOF_P' | patch app.js\n@@ -1,2 +1,3 @@\n export const line0 = 0;\n"
    "+export const patched = true;\n export const line1 = 1;\nEOF_P\n",
]
SAID = "I marked the style.\n\n" + whole("said.css", MARK)


def phase(name: str, paths: list[str], *, last: bool, packages: str = "") -> dict[str, object]:
    return {
        "name": name,
        "description": f"{name} of the counter",
        "files": [{"path": path, "purpose": f"what {path} does"} for path in paths],
        "install_commands": [packages] if packages else [],
        "is_last_phase": last,
    }


FIRST_PHASE = phase("Basics", ["index.html", "app.js", "style.css"], last=False)
SECOND_PHASE = phase("More", ["later.js", "app.js"], last=True)
BLUEPRINT: dict[str, object] = {
    "title": "Counter",
    "project_name": "counter",
    "description": "Counts.",
    "color_palette": ["#112233"],
    "initial_phase": FIRST_PHASE,
}


INSIDE_FIRST_FILE = len(FIRST[0]) + len("cat > index.html <<'EOF_000'\n") + 40
"""How many characters of the first answer reach into its first file."""


def script_tiny_app(
    server: ModelServer,
    *,
    blueprint: dict[str, object] = BLUEPRINT,
    first: str = "".join(FIRST),
    plan: dict[str, object] = SECOND_PHASE,
    second: str = "".join(SECOND),
    said: str = SAID,
) -> None:
    """Queue every answer of an undisturbed build, and one for a message after it."""
    server.answer(json.dumps(blueprint), operation="blueprint")
    server.answer(first, operation="implement_phase")
    server.answer(json.dumps(plan), operation="plan_phase")
    server.answer(second, operation="implement_phase")
    server.answer(said, operation="converse")
