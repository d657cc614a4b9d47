"""Where names come from outside of the project: the standard library and the packages that the app asks for."""

from __future__ import annotations

import importlib
import importlib.util
import re
import sys
import tomllib
from functools import cache
from types import ModuleType

# What models forget most, and where several modules have it.
KNOWN = {
    "datetime": "datetime", "timedelta": "datetime", "date": "datetime", "timezone": "datetime", "UTC": "datetime",
    "Path": "pathlib", "Decimal": "decimal", "Annotated": "typing", "Any": "typing", "Literal": "typing", "Optional": "typing",
    "TypedDict": "typing", "NamedTuple": "typing", "Enum": "enum", "StrEnum": "enum", "dataclass": "dataclasses",
    "field": "dataclasses", "defaultdict": "collections", "Counter": "collections", "Iterator": "collections.abc",
    "Sequence": "collections.abc", "Mapping": "collections.abc", "Callable": "collections.abc", "lru_cache": "functools",
    "partial": "functools", "uuid4": "uuid", "contextmanager": "contextlib", "Depends": "fastapi", "Form": "fastapi",
    "HTTPException": "fastapi", "Query": "fastapi", "Request": "fastapi", "APIRouter": "fastapi", "BaseModel": "pydantic",
}  # fmt: skip
_STANDARD = (
    "typing", "collections", "collections.abc", "datetime", "pathlib", "decimal", "fractions", "enum", "dataclasses",
    "functools", "contextlib", "uuid", "http", "abc", "io", "string", "threading", "tempfile", "zoneinfo", "sqlite3",
    "itertools", "logging", "urllib.parse", "html.parser", "concurrent.futures", "types",
)  # fmt: skip
# Packages whose modules are called otherwise.
_PACKAGES = {
    "bs4": "beautifulsoup4", "cv2": "opencv-python", "dateutil": "python-dateutil", "docx": "python-docx",
    "dotenv": "python-dotenv", "fitz": "pymupdf", "jose": "python-jose", "jwt": "pyjwt", "magic": "python-magic",
    "multipart": "python-multipart", "PIL": "pillow", "pptx": "python-pptx", "sklearn": "scikit-learn",
    "slugify": "python-slugify", "yaml": "pyyaml",
}  # fmt: skip
_CLASS = re.compile(r"_?[A-Z]\w*[a-z]\w*")


def home_outside(name: str, manifest: str) -> str | None:
    """Return the module to import a name from: a known one, or for a class the only one that has it."""
    if name in KNOWN:
        return KNOWN[name] if has(KNOWN[name], name) else None
    if not _CLASS.fullmatch(name):
        return None  # words like `search` and `copy` are in many places, and may be meant to be the app's own
    found: dict[int, str] = {}
    for module in (*_STANDARD, *asked_for(manifest)):
        if has(module, name):
            found.setdefault(id(getattr(_module(module), name)), module)
    return next(iter(found.values())) if len(found) == 1 else None


def is_standard(name: str) -> bool:
    return name in sys.stdlib_module_names and not name.startswith("_")


def has(module: str, name: str) -> bool:
    loaded = _module(module)
    return loaded is not None and hasattr(loaded, name)


def is_there(module: str) -> bool:
    """Whether a top-level module can be imported."""
    return module in sys.builtin_module_names or importlib.util.find_spec(module) is not None


def asked_for(manifest: str) -> tuple[str, ...]:
    """Return the modules of the packages that pyproject.toml names."""
    try:
        wanted = tomllib.loads(manifest).get("project", {}).get("dependencies", [])
    except tomllib.TOMLDecodeError:
        return ()
    names = [re.split(r"[\s\[<>=!~;]", each, maxsplit=1)[0] for each in wanted]
    return tuple(name.replace("-", "_") for name in names)


def package_of(module: str) -> str:
    """Return the package that brings a module."""
    return _PACKAGES.get(module, module.replace("_", "-"))


@cache
def _module(name: str) -> ModuleType | None:
    try:
        return importlib.import_module(name)
    except Exception:  # noqa: BLE001 - a package's own code
        return None
