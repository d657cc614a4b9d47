"""Where secrets are kept: the keychain, or a file that only its passphrase opens."""

from __future__ import annotations

import json
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.keychains import MemoryKeychain, PlainFileKeychain, in_use
from vibedesk.base.errors import InvalidInputError
from vibedesk.base.secret_store import (
    PASSPHRASE_VARIABLE,
    KeychainUnavailableError,
    SecretsLockedError,
    SecretStore,
    WrongPassphraseError,
)

PASSPHRASE = "correct horse battery"


@pytest.fixture
def keychain() -> Iterator[MemoryKeychain]:
    with in_use(MemoryKeychain()) as chain:
        yield chain


@pytest.fixture
def no_keychain() -> Iterator[None]:
    with in_use(PlainFileKeychain()):
        yield


def opened(file: Path) -> SecretStore:
    store = SecretStore(file, {})
    store.unlock(PASSPHRASE)
    return store


def test_a_keychain_is_used_where_there_is_one(keychain: MemoryKeychain, tmp_path: Path) -> None:
    store = SecretStore(tmp_path / "secrets.enc", {})
    store.set("service", "me", "sk-1")
    assert keychain.kept == {("service", "me"): "sk-1"}
    assert store.get("service", "me") == "sk-1"
    assert (store.state().kind, store.state().locked) == ("keychain", False)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("no_keychain")
class TestFile:
    def test_nothing_is_kept_before_there_is_a_passphrase(self, tmp_path: Path) -> None:
        store = SecretStore(tmp_path / "secrets.enc", {})
        assert (store.state().kind, store.state().locked) == ("none", True)
        assert store.get("s", "a") is None
        with pytest.raises(SecretsLockedError) as refused:
            store.set("s", "a", "sk-1")
        assert PASSPHRASE_VARIABLE in refused.value.remedy
        with pytest.raises(InvalidInputError, match="8 characters"):
            store.unlock("short")
        assert list(tmp_path.iterdir()) == []

    def test_a_secret_is_found_again_with_the_passphrase_only(self, tmp_path: Path) -> None:
        file = tmp_path / "secrets.enc"
        opened(file).set("s", "a", "sk-1")
        again = SecretStore(file, {})
        assert (again.state().kind, again.state().locked) == ("file", True)
        with pytest.raises(SecretsLockedError):
            again.get("s", "a")
        with pytest.raises(WrongPassphraseError):
            again.unlock("wrong horse battery")
        assert again.state().locked
        again.unlock(PASSPHRASE)
        assert again.get("s", "a") == "sk-1"
        again.delete("s", "a")
        assert opened(file).get("s", "a") is None

    def test_the_environments_passphrase_opens_it(self, tmp_path: Path) -> None:
        file = tmp_path / "secrets.enc"
        environ = {PASSPHRASE_VARIABLE: PASSPHRASE}
        SecretStore(file, environ).set("s", "a", "sk-1")
        assert SecretStore(file, environ).get("s", "a") == "sk-1"
        wrong = SecretStore(file, {PASSPHRASE_VARIABLE: "another one"})
        with pytest.raises(WrongPassphraseError):
            wrong.get("s", "a")
        before = file.read_bytes()
        with pytest.raises(WrongPassphraseError):
            wrong.set("s", "a", "sk-2")
        assert file.read_bytes() == before

    def test_it_is_for_this_user_only_and_written_whole(self, tmp_path: Path) -> None:
        file = tmp_path / "secrets.enc"
        store = opened(file)
        store.set("s", "a", "sk-1")
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert list(tmp_path.iterdir()) == [file]
        first = json.loads(file.read_bytes())
        store.set("s", "b", "sk-2")
        second = json.loads(file.read_bytes())
        assert first["nonce"] != second["nonce"]
        assert (store.get("s", "a"), store.get("s", "b")) == ("sk-1", "sk-2")

    @pytest.mark.parametrize("damage", ["salt", "nonce", "data"])
    def test_a_changed_file_is_refused(self, tmp_path: Path, damage: str) -> None:
        file = tmp_path / "secrets.enc"
        opened(file).set("s", "a", "sk-1")
        stored = json.loads(file.read_bytes())
        first = stored[damage][0]
        stored[damage] = ("A" if first != "A" else "B") + stored[damage][1:]
        file.write_text(json.dumps(stored))
        with pytest.raises(WrongPassphraseError):
            opened(file)

    @pytest.mark.parametrize(
        "text", ["", "{}", "[1]", '{"version": 2, "salt": "", "nonce": "", "data": ""}']
    )
    def test_what_is_no_secrets_file_is_said_to_be_none(self, tmp_path: Path, text: str) -> None:
        file = tmp_path / "secrets.enc"
        file.write_text(text)
        with pytest.raises(KeychainUnavailableError, match=r"no secrets file|newer VibeDesk"):
            opened(file)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("secrets") / "secrets.enc"


@pytest.mark.usefixtures("no_keychain")
@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(secret=st.text(st.characters(exclude_categories=["Cs"]), min_size=8, max_size=60))
def test_no_secret_can_be_read_in_the_file(shared: Path, secret: str) -> None:
    store = _shared_store(shared)
    store.set("s", "a", secret)
    assert store.get("s", "a") == secret
    assert secret.encode() not in shared.read_bytes()
    assert secret not in repr(store)


_stores: dict[Path, SecretStore] = {}


def _shared_store(file: Path) -> SecretStore:
    """Return one store for all examples: opening it stretches the passphrase."""
    if file not in _stores:
        _stores[file] = opened(file)
    return _stores[file]
