"""A Python project: mended by what it defines itself and by what its checkers say, and confirmed by them."""

from __future__ import annotations

import importlib
import importlib.util
import shutil
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from vibedesk.base.resources import resource
from vibedesk.engine.repair.fixer import repair
from vibedesk.engine.repair.python_repair import PythonRepair
from vibedesk.engine.review.issues import Issue, Source
from vibedesk.engine.sandboxes.driver import SandboxSpec
from vibedesk.engine.sandboxes.local_driver import LocalDriver
from vibedesk.engine.sandboxes.ports import pick_port

pytestmark = pytest.mark.asyncio(loop_scope="module")

MAIN = '''"""The app."""

from app.store import Note  # the notes
import os


def shown(note: Note) -> str:
    # when it was
    return f"{datetime.now(tz=UTC)} {slug(note.title)}"
'''
MENDED = '''"""The app."""

from app.models import Note  # the notes
from datetime import datetime, UTC
from app.text import slug


def shown(note: Note) -> str:
    # when it was
    return f"{datetime.now(tz=UTC)} {slug(note.title)}"
'''
TEXTS = {
    "app/__init__.py": "",
    "app/models.py": "from dataclasses import dataclass\n\n\n@dataclass\nclass Note:\n    title: str\n",
    "app/store.py": "def load() -> None: ...\n",
    "app/text.py": "def slug(text: str) -> str:\n    return text\n",
    "app/main.py": MAIN,
}


def issue(code: str, message: str, file: str = "app/main.py") -> Issue:
    return Issue(source="lint", kind="runtime", code=code, message=message, severity="blocking", file=file)  # fmt: skip


def types(code: str, message: str) -> Issue:
    """What mypy says; it is asked again then."""
    return Issue(source="types", kind="type", code=code, message=message, severity="blocking", file="app/main.py")  # fmt: skip


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def python(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[PythonRepair]:
    place = tmp_path_factory.mktemp("python")
    driver = LocalDriver(place / "state", use_bubblewrap=False)
    spec = SandboxSpec(project_id="python", folder=tmp_path_factory.mktemp("app"), port=pick_port())
    sandbox = await driver.open(spec, on_line=lambda _line: None, on_status=lambda *_: None)
    # This interpreter instead of the starter's, which would have to be installed.
    yield PythonRepair(sandbox, [sys.executable])
    await driver.aclose()


async def test_imports_are_mended_and_confirmed(python: PythonRepair) -> None:
    undefined = [issue("F821", f"Undefined name `{name}`") for name in ("datetime", "UTC", "slug")]
    unused = issue("F401", "`os` imported but unused")
    other = issue("F821", "Undefined name `nowhere`", "app/store.py")
    moved = types("attr-defined", 'Module "app.store" has no attribute "Note"')
    result = await repair([*undefined, unused, other, moved], TEXTS, None, python=python)
    assert result.edits == {"app/main.py": MENDED}
    assert set(result.fixed) >= {each.signature for each in (*undefined, unused)}


async def test_what_cannot_be_known_is_left(python: PythonRepair) -> None:
    texts = {**TEXTS, "app/main.py": "def f() -> int:\n    return compute()\n"}
    wrong = issue("F821", "Undefined name `compute`")
    result = await repair([wrong], texts, None, python=python)
    assert not result.edits
    assert not result.fixed
    assert result.left == (wrong,)


PYPROJECT = (
    '[project]\nname = "app"\ndependencies = []\n'
    '[tool.ruff.lint]\nselect = ["E", "F", "I"]\n[tool.mypy]\nfiles = ["app"]\nstrict = true\n'
)
HEAD = '"""The app."""\n\n'


@dataclass(frozen=True)
class Case:
    """`before` of app/main.py, and what becomes of it; "" where nobody but a model may touch it."""

    name: str
    before: str
    after: str
    code: str = "syntax"
    message: str = ""
    source: Source = "types"


CASES = [
    Case("colon", "def f() -> int  # one\n    return 1\n", "def f() -> int:  # one\n    return 1\n"),
    Case("indent", "def f() -> int:\n    a = 1\n     b = 2\n    return a + b\n", "def f() -> int:\n    a = 1\n    b = 2\n    return a + b\n"),
    Case("a step too deep", "def f() -> int:\n    a = 1\n        b = 2\n    return a + b\n", ""),
    Case("fence", "```python\nONE = 1\n```\n", "ONE = 1\n"),
    Case("bracket", "ONE = (1\nTWO = 2\n", ""),
    Case(
        "imported name by a letter",
        "from app.text import slugg\n\nONE = slugg('a') + slugg('b')  # twice\n",
        "from app.text import slug\n\nONE = slug('a') + slug('b')  # twice\n",
        "attr-defined", 'Module "app.text" has no attribute "slugg"; maybe "slug"?',
    ),
    Case(
        "two names of another module",
        "from app.store import Note, Tag\n\nONE = Note('a'), Tag()\n",
        "from app.models import Note, Tag\n\nONE = Note('a'), Tag()\n",
        "attr-defined", 'Module "app.store" has no attribute "Note"',
    ),
    Case(
        "module that is not there, from here",
        "from .model import Note\n\nONE = Note('a')\n",
        "from app.models import Note\n\nONE = Note('a')\n",
        "import-not-found", 'Cannot find implementation or library stub for module named "app.model"',
    ),
    Case(
        "a name that is only passed on",
        "from app.text import Note\n\nONE = Note('a')\n",
        "from app.models import Note\n\nONE = Note('a')\n",
        "attr-defined", 'Module "app.text" does not explicitly export attribute "Note"',
    ),
    Case(
        "attribute by a letter",
        "from app.models import Note\n\n\ndef f(note: Note) -> str:\n    return note.titel\n",
        "from app.models import Note\n\n\ndef f(note: Note) -> str:\n    return note.title\n",
        "attr-defined", '"Note" has no attribute "titel"; maybe "title"?',
    ),
    Case(
        "attribute of another kind",
        "from app.models import Note\n\n\ndef f(note: Note) -> str:\n    return note.owner\n",
        "", "attr-defined", '"Note" has no attribute "owner"',
    ),
    Case(
        "waits for nothing",
        "def g() -> int:\n    return 1\n\n\ndef f() -> int:\n    return await g()\n",
        "def g() -> int:\n    return 1\n\n\ndef f() -> int:\n    return g()\n",
        "await-not-async", '"await" outside coroutine ("async def")',
    ),
    Case(
        "a module of the standard library",
        "ONE = secrets.token_hex(8)\n", "import secrets\n\nONE = secrets.token_hex(8)\n",
        "F821", "Undefined name `secrets`", "lint",
    ),
    Case("a name like a module's", "ONE = json.shown(1)\n", "", "F821", "Undefined name `json`", "lint"),
    Case(
        "a class that only one module has",
        "import os\n\nONE = ZoneInfo('UTC'), os\n",
        "import os\nfrom zoneinfo import ZoneInfo\n\nONE = ZoneInfo('UTC'), os\n",
        "F821", "Undefined name `ZoneInfo`", "lint",
    ),
    Case("a word that many modules have", "ONE = search('a')\n", "", "F821", "Undefined name `search`", "lint"),
    Case(
        "unused, and said why it is there",
        "import os  # for later\n", "", "F401", "`os` imported but unused", "lint",
    ),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
async def test_what_is_certain_is_mended_and_confirmed(python: PythonRepair, case: Case) -> None:
    models = (
        "class Note:\n    def __init__(self, title: str) -> None:\n        self.title = title\n\n\n"
        'class Tag:\n    """A word."""\n'
    )
    texts = {
        **TEXTS,
        "pyproject.toml": PYPROJECT,
        "app/models.py": models,
        "app/text.py": "from app.models import Note\n\n"
        + TEXTS["app/text.py"]
        + '\n\nONE = Note("a")\n',
        "app/main.py": HEAD + case.before if case.code != "syntax" else case.before,
    }
    wrong = Issue(
        source=case.source, kind="type", code=case.code, message=case.message, severity="blocking", file="app/main.py"
    )  # fmt: skip
    result = await repair([wrong], texts, None, python=python)
    head = HEAD if case.code != "syntax" else ""
    assert result.edits == ({"app/main.py": head + case.after} if case.after else {}), result.log
    assert (wrong.signature in result.fixed) is bool(case.after), result.log
    kept = await repair([wrong], texts, None, python=python, protect=["app/main.py"])
    assert not kept.edits


# Ways in which `app.text` may have the name `slug`, which `app.words` defines too.
HAVING = {
    "taken from another": "from .words import slug\n",
    "taken from another, and said so": 'from .words import slug\n\n__all__ = ["slug"]\n',
    "taken under that name": "from .words import slugs as slug\n",
    "a module": "import string as slug\n",
    "in try": "try:\n    from fast import slug\nexcept ImportError:\n\n    def slug(text: str) -> str:\n        return text\n",
    "in if": "import sys\n\nif sys.platform:\n    slug = str\nelse:\n    slug = repr\n",
    "in for": "for slug in (str, repr):\n    print(slug)\n",
    "in with": "with open(__file__) as slug:\n    pass\n",
    "one of two": "first, (slug, *_) = 1, (str, repr)\n",
    "by the way": "print(slug := str)\n",
    "in match": "match [str]:\n    case [slug]:\n        pass\n",
    "by a function": "def start() -> None:\n    global slug\n    slug = str\n\n\nstart()\n",
    "with everything of another": "from .words import *\n",
    "with everything of what takes everything": "from .more import *\n",
    "with everything of who knows": "from os.path import *\n",
    "when asked": "def __getattr__(name: str) -> object:\n    return str\n",
    "by its own hand": 'globals()["slug"] = str\n',
}


@pytest.mark.parametrize("text", HAVING.values(), ids=HAVING.keys())
async def test_an_import_that_works_stays(python: PythonRepair, text: str) -> None:
    texts = {
        "pyproject.toml": '[project]\nname = "app"\n[tool.mypy]\nfiles = ["app"]\n',
        "app/__init__.py": "",
        "app/text.py": text + "\n\ndef slug_() -> None: ...\n\n\ndef slugg() -> None: ...\n",
        "app/words.py": "def slug(text: str) -> str:\n    return text\n\n\ndef slugs(text: str) -> str:\n    return text\n",
        "app/more.py": "from app.words import *\n",
        "app/main.py": "import os\nfrom app.text import slug\n\nONE = slug\n",
    }
    unused = issue("F401", "`os` imported but unused")
    result = await repair([unused, types("misc", "Something")], texts, None, python=python)
    mended = texts["app/main.py"].removeprefix("import os\n")
    assert result.edits == {"app/main.py": mended}, result.log


async def test_what_another_file_takes_from_here_is_of_use(python: PythonRepair) -> None:
    """Though ruff finds that nobody needs it in its own file; and no mypy is asked."""
    texts = {
        **TEXTS,
        "app/store.py": "import os\nfrom app.models import Note\n",
        "app/main.py": "import os\nfrom app.store import Note\n\nONE = Note\n",
    }
    unused = [issue("F401", f"`{name}` imported but unused") for name in ("os", "app.models.Note")]
    result = await repair(unused, texts, None, python=python)
    assert result.edits == {"app/main.py": texts["app/main.py"].removeprefix("import os\n")}


async def test_an_import_that_nobody_complained_of_stays(python: PythonRepair) -> None:
    """Whatever we think of it: a file that is made while the app is installed is in no project."""
    texts = {
        **TEXTS,
        "app/main.py": "import os\nfrom app.store import Note\nfrom app.made import slug\n\nONE = Note, slug\n",
    }
    result = await repair([issue("F401", "`os` imported but unused")], texts, None, python=python)
    assert result.edits == {"app/main.py": texts["app/main.py"].removeprefix("import os\n")}


async def test_an_import_that_may_fail_stays(python: PythonRepair) -> None:
    texts = {
        **TEXTS,
        "app/main.py": "try:\n    from app.fast import slug\nexcept ImportError:\n    from app.text import slug\n\nONE = slug\n",
    }
    wrong = types("import-not-found", 'Cannot find implementation or library stub for module named "app.fast"')  # fmt: skip
    result = await repair([wrong], texts, None, python=python)
    assert not result.edits


async def test_an_import_that_failed_is_mended_without_mypy(python: PythonRepair) -> None:
    """The server's word is enough."""
    texts = {**TEXTS, "app/main.py": "from app.store import Note\n\nONE = Note('a')\n"}
    wrong = Issue(
        source="server", kind="import", code="ImportError", severity="critical", file="app/main.py", line=1,
        message="ImportError: cannot import name 'Note' from 'app.store' (/app/app/store.py)",
    )  # fmt: skip
    result = await repair([wrong], texts, None, python=python)
    assert result.edits == {"app/main.py": "from app.models import Note\n\nONE = Note('a')\n"}


async def test_the_time_of_a_file_is_that_of_its_text(tmp_path: Path) -> None:
    """mypy takes files of one second and one size for the same, and its cache outlives a repair."""
    spec = importlib.util.spec_from_file_location(
        "vibedesk_repair", resource("repair", "python", "__init__.py")
    )
    assert spec is not None
    sys.modules["vibedesk_repair"] = importlib.util.module_from_spec(spec)
    project = importlib.import_module("vibedesk_repair.project").Project(tmp_path, {}, types=False)
    seen = {}
    for round_ in range(2):
        for text in ("ONE = 1\n", "TWO = 2\n", "ONE = 3\n"):
            project.write("app/main.py", text)
            moment = int((tmp_path / "app/main.py").stat().st_mtime)
            assert seen.setdefault(text, moment) == moment, round_
    assert len(set(seen.values())) == 3


async def test_a_busy_machine_takes_no_time_from_it(python: PythonRepair, tmp_path: Path) -> None:
    """What is counted is its own time: here ruff is kept waiting for longer than all of it may take."""
    (tmp_path / "ruff").mkdir()
    (tmp_path / "ruff" / "__init__.py").touch()
    (tmp_path / "ruff" / "__main__.py").write_text(
        "import os, pathlib, sys, time\n"
        "waited = pathlib.Path(__file__).with_name('waited')\n"
        "if 'check' in sys.argv and not waited.exists():\n"
        "    waited.touch()\n"
        "    time.sleep(6)\n"
        "ruff = os.path.join(os.path.dirname(sys.executable), 'ruff')\n"
        "os.execv(ruff, [ruff, *sys.argv[1:]])\n",
        "utf-8",
    )
    waiting = PythonRepair(python._sandbox, ["env", f"PYTHONPATH={tmp_path}", *python._command])
    texts = {**TEXTS, "app/main.py": "import os\n\nONE = slug('a')\n"}
    wrong = [issue("F821", "Undefined name `slug`"), issue("F401", "`os` imported but unused")]
    result = await waiting.repair(wrong, texts, seconds=5)
    assert (tmp_path / "ruff" / "waited").exists()
    [text] = result.edits.values()
    assert "from app.text import slug\n" in text
    assert "import os" not in text, result.log


async def test_a_package_that_is_not_there_is_asked_for(python: PythonRepair) -> None:
    texts = {**TEXTS, "pyproject.toml": PYPROJECT, "app/main.py": "import bs4\n\nONE = bs4\n"}
    wrong = issue("import-not-found", 'Cannot find implementation … named "bs4"')
    result = await repair([wrong], texts, None, python=python)
    assert (result.edits, result.packages) == ({}, ("beautifulsoup4",))
    assert result.asking == {"beautifulsoup4": (wrong.signature,)}


async def test_without_python_issues_nothing_runs(python: PythonRepair) -> None:
    result = await repair([], TEXTS, None, python=python)
    assert not result.edits


async def test_ruff_is_there() -> None:
    assert shutil.which("ruff", path=str(Path(sys.executable).parent))
