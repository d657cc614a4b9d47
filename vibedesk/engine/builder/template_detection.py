"""Describes a starter that brings no description, by its own package.json or pyproject.toml."""

from __future__ import annotations

import json
import re
import shlex
import tomllib
from pathlib import Path
from typing import Any

from vibedesk.base.errors import InvalidInputError

_MOST_BYTES = 1_000_000
_START_SCRIPTS = ("dev", "start", "serve")
# Tools that are told host and port by arguments; every other script gets them as HOST and PORT.
_NODE_TOOLS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"\bnext\b"), "--hostname {host} --port {port}"),
    (
        re.compile(
            r"\b(vite|vinxi|astro|nuxt|nuxi|ng serve|webpack(-dev-server)? serve|storybook)\b"
        ),
        "--host {host} --port {port}",
    ),
)
_ASGI = re.compile(r"^(\w+)\s*(?::[^=\n]+)?=\s*(?:fastapi\.)?(?:FastAPI|Starlette)\(", re.M)
_FLASK = re.compile(r"^(\w+)\s*(?::[^=\n]+)?=\s*(?:flask\.)?Flask\(", re.M)
_PLACES = (
    "main.py",
    "app.py",
    "server.py",
    "app/main.py",
    "app/__init__.py",
    "src/main.py",
    "api/main.py",
)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def detect(folder: Path) -> dict[str, Any]:
    """Return what a template.json would say. Blocking.

    Raises:
        InvalidInputError: the files do not say how the app is started.
    """
    if (folder / "package.json").is_file():
        return _node(folder)
    if (folder / "pyproject.toml").is_file():
        return _python(folder)
    raise _unclear(folder, "it has no template.json, package.json or pyproject.toml")


def _node(folder: Path) -> dict[str, Any]:
    try:
        manifest = json.loads(_read(folder / "package.json"))
        scripts = {str(k): str(v) for k, v in dict(manifest.get("scripts") or {}).items()}
        needed = {
            **dict(manifest.get("dependencies") or {}),
            **dict(manifest.get("devDependencies") or {}),
        }
    except (ValueError, TypeError, AttributeError) as error:
        raise _unclear(folder, "its package.json cannot be read") from error
    started = next((name for name in _START_SCRIPTS if scripts.get(name)), None)
    if started is None:
        raise _unclear(folder, "its package.json has no script `dev` or `start`")
    return {
        "name": folder.name,
        "description": str(manifest.get("description") or f"The template {folder.name}."),
        "language": "typescript",
        "frameworks": sorted(needed)[:8],
        "important_files": ["package.json"],
        "dont_touch_files": [
            name for name in ("package-lock.json", "pnpm-lock.yaml") if (folder / name).is_file()
        ],
        **_node_installs(folder, manifest),
        "dev_command": _node_start(started, scripts[started]),
        "build_command": "npm run build" if "build" in scripts else "",
        "typecheck_command": _script(scripts, "typecheck", "type-check", "check", "tsc"),
        "lint_command": _script(scripts, "lint"),
        "test_command": _script(scripts, "test"),
    }


def _node_installs(folder: Path, manifest: dict[str, Any]) -> dict[str, str]:
    if (folder / "pnpm-lock.yaml").is_file() and not (folder / "package-lock.json").is_file():
        named = str(manifest.get("packageManager") or "")
        tool = named.split("+")[0] if re.fullmatch(r"pnpm@[\w.+-]+", named) else "pnpm@10"
        pnpm = f"npx --yes {tool}"
        return {
            "install_command": f"{pnpm} install --frozen-lockfile",
            "add_command": f"{pnpm} add --save-exact {{packages}}",
            "sync_command": f"{pnpm} install --no-frozen-lockfile",
            "packages_marker": "node_modules/.modules.yaml",
        }
    locked = (folder / "package-lock.json").is_file()
    return {"install_command": "npm ci" if locked else "npm install"}


def _node_start(name: str, script: str) -> str:
    for tool, arguments in _NODE_TOOLS:
        if tool.search(script):
            return f"npm run {name} -- {arguments}"
    return f"env HOST={{host}} PORT={{port}} npm run {name}"


def _script(scripts: dict[str, str], *names: str) -> str:
    return next((f"npm run {name}" for name in names if name in scripts), "")


def _python(folder: Path) -> dict[str, Any]:
    try:
        project = dict(tomllib.loads(_read(folder / "pyproject.toml")).get("project") or {})
        needed = [
            m[0].lower() for d in project.get("dependencies") or () if (m := _NAME.match(str(d)))
        ]
        grouped = _read(folder / "pyproject.toml")
    except (ValueError, TypeError, AttributeError) as error:
        raise _unclear(folder, "its pyproject.toml cannot be read") from error
    locked = (folder / "uv.lock").is_file()
    return {
        "name": folder.name,
        "description": str(project.get("description") or f"The template {folder.name}."),
        "language": "python",
        "frameworks": needed[:8],
        "important_files": ["pyproject.toml"],
        "dont_touch_files": ["uv.lock"] if locked else [],
        "install_command": "uv sync --frozen" if locked else "uv sync",
        "dev_command": _python_start(folder, needed),
        "build_command": "uv run python -m compileall -q -x /[.]venv/ .",
        "typecheck_command": next(
            (f"uv run {tool}" for tool in ("pyright", "mypy") if tool in grouped), ""
        ),
        "lint_command": "uv run ruff check ." if "ruff" in grouped else "",
        "test_command": "uv run pytest" if "pytest" in grouped else "",
    }


def _python_start(folder: Path, needed: list[str]) -> str:
    if "streamlit" in needed and (script := _first(folder, re.compile(r"\bstreamlit\b"))):
        return (
            f"uv run streamlit run {shlex.quote(script[0])} --server.headless true "
            "--server.address {host} --server.port {port}"
        )
    if (folder / "manage.py").is_file():
        return "uv run python manage.py runserver {host}:{port}"
    if asgi := _first(folder, _ASGI):
        module = asgi[0].removesuffix("/__init__.py").removesuffix(".py").replace("/", ".")
        return f"uv run uvicorn {module}:{asgi[1]} --reload --host {{host}} --port {{port}}"
    if flask := _first(folder, _FLASK):
        return f"uv run flask --app {shlex.quote(flask[0])} run --debug --host {{host}} --port {{port}}"
    raise _unclear(folder, "no FastAPI, Flask, Django or Streamlit app was found in it")


def _first(folder: Path, pattern: re.Pattern[str]) -> tuple[str, str] | None:
    """Return the first place that fits and the name that the pattern's group caught."""
    for place in _PLACES:
        if (folder / place).is_file() and (found := pattern.search(_read(folder / place))):
            return place, found.group(1) if pattern.groups else ""
    return None


def _read(path: Path) -> str:
    with path.open("rb") as file:
        return file.read(_MOST_BYTES).decode("utf-8", "replace")


def _unclear(folder: Path, why: str) -> InvalidInputError:
    return InvalidInputError(
        f"The template {folder.name!r} does not say how it is started: {why}.",
        remedy="Put a template.json into it with description, install_command, dev_command "
        "(with {host} and {port}) and build_command.",
    )
