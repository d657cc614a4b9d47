"""Which package registries the person's own tools use: asked of those tools, so that no address stands here."""

from __future__ import annotations

import ast
import contextlib
import ensurepip
import importlib.util
import json
import logging
import subprocess
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from vibedesk.base.hosts import Place, canonical_host
from vibedesk.base.python_syntax import parse_python
from vibedesk.engine.sandboxes.npmrc import registry_lines, without_credentials

_log = logging.getLogger(__name__)

NOT_ASKED = "VibeDesk asks nobody what is known against packages of other registries: "
"""How the relay of npm's registry begins the notice that names what an audit leaves out; names with `, ` follow."""
_PORTS = {"http": 80, "https": 443}
_NPM_SECONDS = 30.0
_PYTHON_INDEX_NAMES = ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "PIP_INDEX_URL")
_PIP_CONSTANTS = "_internal/models/index.py"


@dataclass(frozen=True, slots=True, kw_only=True)
class Registries:
    """The registries' addresses, without credentials."""

    npm: str = ""
    """With a slash at the end; empty where it is not known."""
    npm_scopes: Mapping[str, str] = field(default_factory=dict)
    """The registry of a scope, as in `@acme`; each with a slash at the end."""
    python: tuple[str, ...] = ()
    """The package index of pip and uv, and where its files lie."""
    tls_places: frozenset[Place] = field(init=False)
    """What apps may tunnel to: the npm registries need no tunnel, the relay serves them."""
    relayed_places: frozenset[Place] = field(init=False)
    """The npm registries with encryption."""
    plain_places: frozenset[Place] = field(init=False)

    def __post_init__(self) -> None:
        npm = [self.npm, *self.npm_scopes.values()]
        object.__setattr__(self, "tls_places", _places(self.python, "https"))
        object.__setattr__(self, "relayed_places", _places(npm, "https"))
        object.__setattr__(self, "plain_places", _places([*npm, *self.python], "http"))

    def npm_registry_of(self, package: str) -> str:
        """Return the registry that a package comes from; empty where none is known."""
        scope = package.partition("/")[0] if package.startswith("@") else ""
        return self.npm_scopes.get(scope, self.npm)


def find_registries(npm: Sequence[str], parent: Mapping[str, str]) -> Registries:
    """Ask the person's npm and pip. Blocking: npm is run once, for about half a second.

    Args:
        npm: The command that runs npm, ending with its script (`NodeToolchain.npm`).
        parent: The environment VibeDesk runs in.
    """
    default, scopes = _npm_registries(npm, parent)
    return Registries(npm=default, npm_scopes=scopes, python=_python_indexes(parent))


def _npm_registries(npm: Sequence[str], parent: Mapping[str, str]) -> tuple[str, dict[str, str]]:
    """Return what npm would use after all its configuration files, variables and defaults."""
    environment = {name: value for name, value in parent.items() if name != "NODE_OPTIONS"}
    try:
        done = subprocess.run(
            [*npm, "config", "list", "--json"],
            env={**environment, "npm_config_update_notifier": "false"},
            cwd=Path(npm[-1]).parent,  # no project's configuration
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_NPM_SECONDS,
            check=True,
        )
        settings = json.loads(done.stdout)
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        _log.warning("npm does not say which registry it uses: %s", error)
        return "", {}
    # npm tells nothing of an address that has credentials in it; its files do.
    hidden = "" if "registry" in settings else _configuration_text(settings, parent)
    told = "\n".join(f"{name}={value}" for name, value in settings.items() if value)
    found = dict(line.split("=", 1) for line in registry_lines(f"{hidden}\n{told}"))
    default = found.pop("registry", "")
    return _with_slash(default), {
        name.removesuffix(":registry"): _with_slash(address) for name, address in found.items()
    }


def _configuration_text(settings: Mapping[str, object], parent: Mapping[str, str]) -> str:
    """Return the lines of npm's own configuration files, the stronger ones last."""
    texts = []
    for name in ("globalconfig", "userconfig"):
        with contextlib.suppress(OSError):
            texts.append(Path(str(settings.get(name))).read_text(errors="replace"))
    variables = {name.lower(): value for name, value in parent.items()}
    texts.append(f"registry={variables.get('npm_config_registry', '')}")
    return "\n".join(texts)


def _python_indexes(parent: Mapping[str, str]) -> tuple[str, ...]:
    named = [parent[name] for name in _PYTHON_INDEX_NAMES if parent.get(name)]
    if named:
        return tuple(address for name in named if (address := without_credentials(name)))
    return _pip_defaults()


def default_python_index() -> str:
    """Return the simple API of the index that pip and uv use where nothing names one; empty where it is not known.

    Blocking: pip's files are read.
    """
    return "".join(f"{_with_slash(index)}simple/" for index in _pip_defaults()[:1])


def _pip_defaults() -> tuple[str, ...]:
    """Read the default index and its file host from pip's own constants: `PyPI = PackageIndex(url, files)`."""
    try:
        for node in parse_python(_pip_constants()).body:
            match node:
                case ast.Assign(
                    targets=[ast.Name(id="PyPI")],
                    value=ast.Call(
                        args=[ast.Constant(value=str(index))],
                        keywords=[
                            ast.keyword(
                                arg="file_storage_domain", value=ast.Constant(value=str(files))
                            )
                        ],
                    ),
                ):
                    return (index, f"https://{files}/")
    except (OSError, SyntaxError, LookupError, zipfile.BadZipFile) as error:
        _log.warning("pip does not say which package index it uses: %s", error)
    return ()


def _pip_constants() -> str:
    found = importlib.util.find_spec("pip")
    for folder in (found.submodule_search_locations or []) if found else []:
        return (Path(folder) / _PIP_CONSTANTS).read_text()
    # Environments made by other tools have no pip, but Python carries one to install.
    wheels = sorted((Path(ensurepip.__file__).parent / "_bundled").glob("pip-*.whl"))
    if not wheels:
        raise LookupError("there is no pip")
    with zipfile.ZipFile(wheels[-1]) as wheel:
        return wheel.read(f"pip/{_PIP_CONSTANTS}").decode()


def _places(addresses: Iterable[str], scheme: str) -> frozenset[Place]:
    places: set[Place] = set()
    for address in addresses:
        parts = urlsplit(address)
        if parts.scheme != scheme or not parts.hostname:
            continue
        host = canonical_host(f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname)
        if host is not None:
            places.add((host, parts.port or _PORTS[scheme]))
    return frozenset(places)


def _with_slash(address: str) -> str:
    return address if not address or address.endswith("/") else f"{address}/"
