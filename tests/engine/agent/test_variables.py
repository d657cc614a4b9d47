"""The app's own variables: asked for, kept where secrets are kept, and given to the app by consent only."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import psutil
import pytest

from tests.engine.agent.conftest import Desk
from tests.support.keychains import MemoryKeychain, PlainFileKeychain, in_use
from tests.support.tiny_app import FIRST, whole
from vibedesk.base.errors import InvalidInputError, NotFoundError
from vibedesk.base.paths import Home
from vibedesk.base.secret_store import SecretsLockedError, WrongPassphraseError
from vibedesk.engine.agent.variable_requests import WantedVariable, wanted_variables
from vibedesk.engine.builder.prompts import system_prompt
from vibedesk.engine.variables import check_name
from vibedesk.engine.views import VariableView

SECRET = "s3cret-of-the-app"

EXAMPLE = """\
# The payment provider's key,
# from its dashboard
PAYMENT_KEY=
PAGE_TITLE=Counter
VITE_MAP_STYLE=<style> # what the map looks like
PORT=
"""


@pytest.fixture
def keychain() -> Iterator[MemoryKeychain]:
    with in_use(MemoryKeychain()) as chain:
        yield chain


async def variable(desk: Desk, project_id: str, name: str) -> VariableView:
    [found] = [v for v in await desk.engine.variables(project_id) if v.name == name]
    return found


async def seen_by_the_app(desk: Desk, project_id: str, name: str) -> str:
    url = (await desk.engine.project(project_id)).preview_url
    async with httpx.AsyncClient(trust_env=False) as client:
        return (await client.get(f"{url}/environment/{name}")).text


async def until_it_runs(desk: Desk, project_id: str) -> None:
    if not desk.agent(project_id).runtime.serving:
        await desk.engine.start_preview(project_id)


async def test_a_secret_reaches_the_app_by_consent_and_nobody_else(
    desk: Desk, keychain: MemoryKeychain, home: Home
) -> None:
    project_id = await desk.build()
    await desk.engine.set_variable(project_id, "API_KEY", SECRET)
    await until_it_runs(desk, project_id)
    assert await seen_by_the_app(desk, project_id, "API_KEY") == "(none)"
    assert keychain.kept == {("vibedesk-app", f"{project_id}/API_KEY"): SECRET}
    await desk.engine.set_variable(project_id, "API_KEY", None, consent=True)
    await until_it_runs(desk, project_id)
    assert await seen_by_the_app(desk, project_id, "API_KEY") == SECRET
    shown = await variable(desk, project_id, "API_KEY")
    assert (shown.secret, shown.value, shown.has_value, shown.consent) == (True, "", True, True)
    # The app printed it: what is kept of that has not the secret.
    await desk.until(lambda e: e.type == "sandbox_log" and "it is •••" in e.payload.line)  # type: ignore[attr-defined]
    commands = [" ".join(p.info["cmdline"] or ()) for p in psutil.process_iter(["cmdline"])]
    assert not any(SECRET in command for command in commands)
    assert not any(SECRET in str(event.to_dict()) for event in desk.events)
    assert not any(SECRET in str(request) for request in desk.server.requests)
    await desk.engine.set_variable(project_id, "API_KEY", None, consent=False)
    await until_it_runs(desk, project_id)
    assert await seen_by_the_app(desk, project_id, "API_KEY") == "(none)"
    await desk.engine.remove_variable(project_id, "API_KEY")
    assert keychain.kept == {}
    assert await desk.engine.variables(project_id) == []
    with pytest.raises(NotFoundError):
        await desk.engine.remove_variable(project_id, "API_KEY")
    await desk.engine.shutdown()
    stored = b"".join(path.read_bytes() for path in home.root.rglob("*") if path.is_file())
    assert SECRET.encode() not in stored


async def test_a_value_moves_when_it_becomes_a_secret_or_is_none_any_more(
    desk: Desk, keychain: MemoryKeychain
) -> None:
    project_id = await desk.create()
    await desk.engine.set_variable(project_id, "MODE", "loud", secret=False)
    assert (await variable(desk, project_id, "MODE")).value == "loud"
    assert keychain.kept == {}
    await desk.engine.set_variable(project_id, "MODE", None, secret=True)
    assert (await variable(desk, project_id, "MODE")).value == ""
    assert list(keychain.kept.values()) == ["loud"]
    await desk.engine.set_variable(project_id, "MODE", None, secret=False)
    assert (await variable(desk, project_id, "MODE")).value == "loud"
    assert keychain.kept == {}
    await desk.engine.set_variable(project_id, "TOKEN", SECRET)
    await desk.engine.delete_project(project_id)
    assert keychain.kept == {}


async def test_without_a_keychain_a_passphrase_is_needed_first(desk: Desk, home: Home) -> None:
    with in_use(PlainFileKeychain()):
        project_id = await desk.create()
        assert (await desk.engine.secrets_state()).locked
        with pytest.raises(SecretsLockedError):
            await desk.engine.set_variable(project_id, "API_KEY", SECRET)
        assert await desk.engine.variables(project_id) == []
        state = await desk.engine.unlock_secrets("correct horse battery")
        assert (state.kind, state.locked) == ("file", False)
        assert str(home.secrets) in state.message
        await desk.engine.set_variable(project_id, "API_KEY", SECRET)
        await desk.engine.set_up_provider("openai", key="sk-typed")
        [provider] = [p for p in await desk.engine.providers() if p.name == "openai"]
        assert provider.ready
        with pytest.raises(WrongPassphraseError):
            await desk.engine.unlock_secrets("wrong horse battery")


@pytest.mark.parametrize("answers", [{"first": "".join([*FIRST, whole(".env.example", EXAMPLE)])}])
async def test_what_the_app_leaves_open_is_asked_for_once(
    desk: Desk, keychain: MemoryKeychain
) -> None:
    project_id = await desk.build()
    asked = [(e.payload.name, e.payload.purpose) for e in desk.of("variable_asked")]  # type: ignore[attr-defined]
    assert "`.env.example`" in system_prompt(), "models are told where to list them"
    assert asked == [
        ("PAYMENT_KEY", "The payment provider's key, from its dashboard"),
        ("VITE_MAP_STYLE", "what the map looks like"),
    ]
    found = await desk.engine.variables(project_id)
    assert [(v.name, v.secret, v.has_value, v.consent, v.asked_by) for v in found] == [
        ("PAYMENT_KEY", True, False, False, "agent"),
        ("VITE_MAP_STYLE", False, False, False, "agent"),
    ]
    await desk.engine.set_variable(project_id, "PAYMENT_KEY", SECRET, consent=True)
    shown = await variable(desk, project_id, "PAYMENT_KEY")
    assert (shown.asked_by, shown.purpose[:11]) == ("agent", "The payment")
    assert list(keychain.kept.values()) == [SECRET]


@pytest.mark.parametrize(
    "name",
    ["PORT", "path", "NODE_OPTIONS", "LD_PRELOAD", "ld_library_path", "npm_config_registry",
     "PYTHONPATH", "VIBEDESK_HOME", "", "1A", "A B", "A=B", "Ä", "A" * 101, "A\n"],
)  # fmt: skip
def test_names_that_decide_how_programs_run_are_refused(name: str) -> None:
    with pytest.raises(InvalidInputError):
        check_name(name)


@pytest.mark.parametrize("value", ["a\0b", "x" * 32_769])
async def test_a_value_that_no_program_could_get_is_refused(
    desk: Desk, keychain: MemoryKeychain, value: str
) -> None:
    project_id = await desk.create()
    with pytest.raises(InvalidInputError):
        await desk.engine.set_variable(project_id, "NAME", value)
    assert keychain.kept == {}


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("A=", [("A", "")]),
        ("export A = ''", [("A", "")]),
        ('A="" # why', [("A", "why")]),
        ("A=your-key-here", [("A", "")]),
        ("A=xxxx", [("A", "")]),
        ("A=changeme", [("A", "")]),
        ("A=postgres://localhost/app", []),
        ("A=0", []),
        ("no variable", []),
        ("# A=", []),
    ],
)
def test_lines_of_an_example(line: str, wanted: list[tuple[str, str]]) -> None:
    assert list(wanted_variables(line)) == [WantedVariable(*found) for found in wanted]
