"""What a command in a Docker sandbox gets of the world: its own environment, and a few files of ours."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import certifi

from vibedesk.engine.sandboxes.docker import containers
from vibedesk.engine.sandboxes.environment import common_environment, extra_certificates
from vibedesk.engine.sandboxes.inside import frames

_CONFIG = f"{containers.HOME}/.config/vibedesk"
_CERTIFICATES = "certificates.pem"
_PROXY = f"http://127.0.0.1:{frames.PROXY_PORT}"


def docker_environment(parent: Mapping[str, str]) -> dict[str, str]:
    """Return the whole environment of a command; `parent` is the environment VibeDesk runs in."""
    environment = {
        **common_environment(parent, home=containers.HOME, temporary="/tmp"),
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "npm_config_userconfig": f"{_CONFIG}/npmrc",
        "npm_config_globalconfig": f"{_CONFIG}/global-npmrc",
        # VibeDesk is the registry: what it answers comes from the person's, checked and kept.
        "npm_config_registry": f"{_PROXY}/",
        # The registry is on the other side of a pipe and tries again itself.
        "npm_config_fetch_retries": "1",
        "npm_config_fetch_retry_mintimeout": "200",
        "npm_config_fetch_retry_maxtimeout": "1000",
        # Node's own fetch looks for a proxy only when it is told to.
        "NODE_USE_ENV_PROXY": "1",
    }
    for name in ("HTTP_PROXY", "HTTPS_PROXY"):
        environment |= {name: _PROXY, name.lower(): _PROXY}
    for name in ("NO_PROXY", "no_proxy"):
        environment[name] = "127.0.0.1,localhost,::1"
    if extra_certificates(parent):
        bundle = f"{_CONFIG}/{_CERTIFICATES}"
        for name in ("NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "PIP_CERT"):
            environment[name] = bundle
    return environment


def docker_configuration(parent: Mapping[str, str]) -> dict[str, bytes]:
    """Return the files of ours by name: certificates where the person's network has its own. Blocking."""
    extra = extra_certificates(parent)
    if not extra:
        return {}
    return {_CERTIFICATES: Path(certifi.where()).read_bytes() + b"\n" + extra}


def parent_environment() -> dict[str, str]:
    return dict(os.environ)
