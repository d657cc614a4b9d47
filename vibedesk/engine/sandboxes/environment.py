"""The environment a local sandbox gets: an allow-list, and what a registry behind a proxy or an own CA needs.

Nothing else of VibeDesk's own environment reaches an app: no keys, no tokens, no session buses. npm keeps its
cache in the sandbox's private home. One cache for all projects would be faster on a slow line, but npm trusts
the package descriptions in it, so one app could change what another installs.
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Mapping
from pathlib import Path

import certifi

from vibedesk.engine.sandboxes.layout import SandboxLayout
from vibedesk.engine.sandboxes.npmrc import registry_lines, without_credentials
from vibedesk.engine.sandboxes.python import SYSTEM_PATH

_log = logging.getLogger(__name__)

_PROXY_NAMES = ("HTTP_PROXY", "HTTPS_PROXY")
_CERTIFICATE = re.compile(rb"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)
_MAX_CONFIG_BYTES = 16 * 1024 * 1024
_USERCONFIG = "npmrc"
_CERTIFICATES = "extra-ca.pem"
_ALL_CERTIFICATES = "certificates.pem"
_PYTHON_INDEX_NAMES = ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "PIP_INDEX_URL")


def write_config(layout: SandboxLayout, parent: Mapping[str, str]) -> None:
    """Write the registry lines and extra certificates into the sandbox's configuration folder. Blocking.

    `parent` is the environment VibeDesk runs in.
    """
    lines = registry_lines(_read_persons_npmrc(parent))
    (layout.config.outside / _USERCONFIG).write_text("".join(f"{line}\n" for line in lines))
    certificates = extra_certificates(parent)
    if certificates:
        (layout.config.outside / _CERTIFICATES).write_bytes(certificates)
        # Python's programs take one file, in the place of their own.
        bundle = Path(certifi.where()).read_bytes() + b"\n" + certificates
        (layout.config.outside / _ALL_CERTIFICATES).write_bytes(bundle)


def sandbox_environment(layout: SandboxLayout, parent: Mapping[str, str]) -> dict[str, str]:
    """Return the whole environment of a command in the local sandbox; `write_config` comes first."""
    config = layout.config.inside
    environment = {
        **common_environment(
            parent, home=str(layout.home.inside), temporary=str(layout.tmp.inside)
        ),
        "PATH": os.pathsep.join([str(layout.bin.inside), *SYSTEM_PATH, *_python_path(layout)]),
        "npm_config_userconfig": str(config / _USERCONFIG),
        # Absent: the machine's is not for apps.
        "npm_config_globalconfig": str(config / "global-npmrc"),
        **_proxies(parent),
    }
    if (layout.config.outside / _CERTIFICATES).exists():
        environment["NODE_EXTRA_CA_CERTS"] = str(config / _CERTIFICATES)
        for name in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "PIP_CERT"):
            environment[name] = str(config / _ALL_CERTIFICATES)
    return environment


def common_environment(parent: Mapping[str, str], *, home: str, temporary: str) -> dict[str, str]:
    """Return what commands in every kind of sandbox get."""
    environment = {
        "HOME": home,
        "TMPDIR": temporary,
        "USER": "app",
        "LOGNAME": "app",
        "SHELL": "/bin/sh",
        "LANG": _utf8_language(parent),
        "TERM": "dumb",
        "NO_COLOR": "1",
        "BROWSER": "none",  # a dev server must not open the person's browser
        "npm_config_cache": f"{home}/.npm",
        "npm_config_audit": "false",
        "npm_config_fund": "false",
        "npm_config_update_notifier": "false",
        # npm's own waits add up to minutes before it admits that there is no network.
        "npm_config_fetch_retry_mintimeout": "1000",
        "npm_config_fetch_retry_maxtimeout": "8000",
        "npm_config_progress": "false",
        # On a full disk npm would break off at its own log, and leave behind a package that is half unpacked.
        "npm_config_logs_max": "0",
        # The address of a company's mirror does not belong into an app's lock file.
        "npm_config_omit_lockfile_registry_resolved": "true",
        "UV_CACHE_DIR": f"{home}/.cache/uv",
        "UV_LINK_MODE": "copy",
        "UV_NO_PROGRESS": "1",
        "UV_PYTHON_DOWNLOADS": "never",
        "UV_PYTHON_PREFERENCE": "only-system",
        "PYTHONUNBUFFERED": "1",
        **_python_index(parent),
    }
    if "TZ" in parent:
        environment["TZ"] = parent["TZ"]
    return environment


def _python_path(layout: SandboxLayout) -> tuple[str, ...]:
    return (str(layout.python.inside / "bin"),) if layout.python is not None else ()


def _python_index(parent: Mapping[str, str]) -> dict[str, str]:
    """Return the package index that the person's own tools use, where one is named."""
    for name in _PYTHON_INDEX_NAMES:
        if address := without_credentials(parent.get(name, "")):
            # The newer UV_DEFAULT_INDEX would be written into the app's pyproject.toml with every `uv add`.
            return {"UV_INDEX_URL": address}
    return {}


def _utf8_language(parent: Mapping[str, str]) -> str:
    language = parent.get("LC_ALL") or parent.get("LANG") or ""
    return language if language.lower().replace("-", "").endswith("utf8") else "C.UTF-8"


def _proxies(parent: Mapping[str, str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name in _PROXY_NAMES:
        address = parent.get(name.lower()) or parent.get(name) or ""
        plain = _proxy_without_credentials(address)
        if address and not plain:
            _log.warning("%s is not passed to the sandbox: it is not an http(s) address", name)
        elif plain:
            found |= {name: plain, name.lower(): plain}
    exceptions = parent.get("no_proxy") or parent.get("NO_PROXY") or ""
    if exceptions:
        found |= {"NO_PROXY": exceptions, "no_proxy": exceptions}
    return found


def _proxy_without_credentials(address: str) -> str:
    if not address:
        return ""
    plain = without_credentials(address if "://" in address else f"http://{address}")
    if plain and "@" in address:
        _log.warning("the proxy's user and password are not passed to the sandbox")
    return plain


def _read_persons_npmrc(parent: Mapping[str, str]) -> str:
    named = parent.get("NPM_CONFIG_USERCONFIG") or parent.get("npm_config_userconfig")
    home = Path(parent["HOME"]) if "HOME" in parent else Path.home()
    return _read(Path(named) if named else home / ".npmrc").decode(errors="replace")


def extra_certificates(parent: Mapping[str, str]) -> bytes:
    """Return the certificates alone: the file may hold a private key as well."""
    named = parent.get("NODE_EXTRA_CA_CERTS")
    found = _CERTIFICATE.findall(_read(Path(named))) if named else []
    if named and not found:
        _log.warning("NODE_EXTRA_CA_CERTS names no readable certificates: %s", named)
    return b"".join(certificate + b"\n" for certificate in found)


def _read(path: Path) -> bytes:
    try:
        if not path.is_file() or path.stat().st_size > _MAX_CONFIG_BYTES:
            return b""
        return path.read_bytes()
    except OSError as error:
        _log.warning("%s could not be read: %s", path, error.strerror)
        return b""
