from __future__ import annotations

import os
from pathlib import Path

import pytest

from vibedesk.engine.sandboxes.egress import registries as module
from vibedesk.engine.sandboxes.egress.registries import (
    Registries,
    default_python_index,
    find_registries,
)
from vibedesk.engine.sandboxes.node import find_toolchains


@pytest.fixture(scope="module")
def npm() -> tuple[str, ...]:
    return find_toolchains()[0].npm


def parent(home: Path, **more: str) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "HOME": str(home), **more}


def test_npm_and_pip_are_asked(npm: tuple[str, ...], tmp_path: Path) -> None:
    found = find_registries(npm, parent(tmp_path))
    assert found.npm.startswith("https://")
    assert found.npm.endswith("/")
    assert len(found.python) == 2, "the index and the host of its files"
    assert len(found.tls_places) == 2
    assert len(found.relayed_places) == 1
    assert not found.plain_places


def test_the_persons_npmrc_is_heeded_and_its_credentials_stay_there(
    npm: tuple[str, ...], tmp_path: Path
) -> None:
    (tmp_path / ".npmrc").write_text(
        "registry=https://me:secret@mirror.example.org/npm\n"
        "@acme:registry=http://10.0.0.7:4873\n"
        "//mirror.example.org/npm/:_authToken=secret\n"
    )
    found = find_registries(npm, parent(tmp_path, PIP_INDEX_URL="https://u:secret@py.example/x"))
    assert found == Registries(
        npm="https://mirror.example.org/npm/",
        npm_scopes={"@acme": "http://10.0.0.7:4873/"},
        python=("https://py.example/x",),
    )
    assert found.npm_registry_of("@acme/ui") == "http://10.0.0.7:4873/"
    assert found.npm_registry_of("@other/ui") == found.npm_registry_of("zod") == found.npm


def test_an_npm_that_does_not_answer_leaves_no_registry(tmp_path: Path) -> None:
    script = tmp_path / "npm-cli.js"
    script.write_text("process.exit(1)")
    found = find_registries((str(find_toolchains()[0].node), str(script)), parent(tmp_path))
    assert (found.npm, found.npm_scopes) == ("", {})


def test_without_pip_the_one_that_python_carries_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = module._pip_defaults()
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert module._pip_defaults() == expected
    assert len(expected) == 2


def test_the_default_index_is_known_with_its_simple_api() -> None:
    index, _ = module._pip_defaults()
    assert default_python_index() == f"{index.rstrip('/')}/simple/"
