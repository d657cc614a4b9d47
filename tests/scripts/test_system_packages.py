from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import system_packages
from system_packages import Requirement, SystemPackagesError

_ABSENT = Requirement(("vibedesk-no-such-package", "vibedesk-nor-this-one"))
_PRESENT = Requirement(("dpkg",))

on_debian = pytest.mark.skipif(
    system_packages._installed_packages() is None, reason="this system has no dpkg"
)


@on_debian
def test_only_what_is_not_installed_is_missing() -> None:
    assert system_packages.missing([_PRESENT, _ABSENT]) == [_ABSENT]


@on_debian
def test_one_of_several_names_is_enough() -> None:
    assert system_packages.missing([Requirement(("vibedesk-no-such-package", "dpkg"))]) == []


def test_a_command_on_path_serves_as_well_as_its_package() -> None:
    assert Requirement(("vibedesk-no-such-package",), command="sh").is_met(frozenset())
    assert not Requirement(
        ("vibedesk-no-such-package",), command="vibedesk-no-such-command"
    ).is_met(frozenset())


@pytest.fixture
def without_rights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A PATH without apt-get and sudo: nothing can be installed from here, whoever runs it."""
    (tmp_path / "dpkg-query").symlink_to(str(shutil.which("dpkg-query")))
    monkeypatch.setenv("PATH", str(tmp_path))


@on_debian
@pytest.mark.usefixtures("without_rights")
def test_no_rights_are_needed_when_nothing_is_missing() -> None:
    system_packages.ensure([_PRESENT])


@on_debian
@pytest.mark.usefixtures("without_rights")
def test_without_rights_the_packages_and_the_command_are_named() -> None:
    with pytest.raises(
        SystemPackagesError, match="sudo apt-get install vibedesk-no-such-package"
    ) as failure:
        system_packages.ensure([_PRESENT, _ABSENT])
    assert "dpkg" not in str(failure.value)


@on_debian
def test_the_name_that_this_release_has_is_chosen() -> None:
    either = Requirement(("vibedesk-no-such-package", "dpkg"))
    assert system_packages._candidates([either, _ABSENT]) == ["dpkg"]
