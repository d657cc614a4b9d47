"""What the killed lives are about: an app in two phases with a fix, a change by conversation, and a file written anew.

The model has no memory: what it answers follows from the request alone, as a real model's does. So how often it was
asked before a kill changes nothing of what it says after it.
"""

from __future__ import annotations

import json
import re
from typing import Final

from tests.support.model_http import ReceivedRequest
from tests.support.tiny_app import BLUEPRINT, LATER, PACKAGES, PAGE, SECOND_PHASE, STYLE, whole

WISH: Final = "Count things for me"
SAYING: Final = "Mark the style"
INSTRUCTIONS: Final = "Count downwards"
ANEW: Final = "later.js"
WRITTEN_ANEW: Final = "".join(f"// earlier {n}\n" for n in reversed(range(100)))

_APP = "".join(f"export const line{n} = {n};\n" for n in range(100))
_ANSWERS: Final[dict[str, dict[str, str]]] = {
    "implement phase 1": {
        "index.html": whole("index.html", PAGE),
        "app.js": whole("app.js", _APP),
        "style.css": whole("style.css", STYLE * 2),
    },
    "implement phase 2": {
        "later.js": whole("later.js", LATER * 4),
        "app.js": "cat <<'EOF_P' | patch app.js\n@@ -1,2 +1,3 @@\n export const line0 = 0;\n"
        "+export const patched = true;\n export const line1 = 1;\nEOF_P\n",
    },
    "mend the app": {"index.html": whole("index.html", PAGE + "<main></main>\n" * 60)},
    "write one file anew": {ANEW: whole(ANEW, WRITTEN_ANEW)},
    "answer the person": {
        "style.css": "cat <<'EOF_S' | patch style.css\n@@ -1,2 +1,3 @@\n .rule-0 { order: 0; }\n"
        "+/* marked */\n .rule-1 { order: 1; }\nEOF_S\n",
        "said.css": whole("said.css", "/* said */\n" * 60),
    },
}
_PACKAGES: Final = {
    "implement phase 1": PACKAGES,
    "implement phase 2": "npm install no-such-package@1.0.0\n",
}
_WORDS: Final = {"answer the person": "I mark the style, as you said.\n\n"}
_JUDGEMENTS: Final = {"review": {"findings": []}, "checks": {"checks": [], "corrected": []}}
_TASK = re.compile(r"# Your task: ([^,\n]+)")
_FINISHED = re.compile(r"These files are finished: (.*?)\. ")


def model(request: ReceivedRequest) -> str:
    """Answer one request; files that it calls finished are not sent again."""
    if request.operation == "blueprint":
        return json.dumps({**BLUEPRINT, "description": "Counts. " * 60})
    if request.operation == "plan_phase":
        return json.dumps(SECOND_PHASE)
    if request.operation in _JUDGEMENTS:
        return json.dumps(_JUDGEMENTS[request.operation])
    said = "\n".join(_text(turn["content"]) for turn in request.messages)
    [task] = _TASK.findall(said)
    if request.operation != "continue":
        before = _PACKAGES.get(task, "") + _WORDS.get(task, "")
        return before + "".join(_ANSWERS[task].values())
    finished = ", ".join(_FINISHED.findall(said)).split(", ")
    left = [scof for path, scof in _ANSWERS[task].items() if path not in finished]
    return "".join(left) or "Everything is there.\n"


def _text(content: str | list[dict[str, str]]) -> str:
    if isinstance(content, str):
        return content
    return "".join(part.get("text", "") for part in content)
