"""Python packages that models name become versions that exist: the real program asks an index on loopback."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.tiny_python_index import TinyIndex, tiny_index
from vibedesk.engine.builder.package_versions import Ask, ResolvedPackages
from vibedesk.engine.builder.python_versions import resolve_python_packages

_PROJECT = '[project]\nname = "app"\nversion = "1"\nrequires-python = ">=3.11"\n'


@pytest.fixture
def index() -> Iterator[TinyIndex]:
    with tiny_index() as index:
        index.publish("alpha", "1.0.0", "1.4.2", "2.0.0", "2.1.0", "3.0.0rc1")
        index.publish("beta-tools", "0.9", "1.10", "1.9")
        yield index


def asks(address: str, *, by_argument: bool = False) -> Ask:
    """Return what runs commands with `address` as the index of the environment."""

    async def ask(argv: list[str]) -> tuple[int, list[str]]:
        environment = {"PATH": os.environ["PATH"], "UV_INDEX_URL": address}
        if by_argument:
            del environment["UV_INDEX_URL"]
        assert argv[0] == "python3"
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *argv[1:],
            env=environment,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        out, _ = await process.communicate()
        assert process.returncode is not None
        return process.returncode, out.decode().splitlines()

    return ask


async def resolved(index: TinyIndex, *wanted: str, pyproject: str = _PROJECT) -> ResolvedPackages:
    return await resolve_python_packages(wanted, asks(index.address), pyproject=pyproject)


@pytest.mark.parametrize(
    ("wanted", "taken"),
    [
        ("alpha", "alpha==2.1.0"),
        ("alpha==1.4.2", "alpha==1.4.2"),
        ("alpha>=1,<2", "alpha==1.4.2"),
        ("alpha~=2.0", "alpha==2.1.0"),
        ("alpha!=2.1.0", "alpha==2.0.0"),
        ("alpha==3.0.0rc1", "alpha==3.0.0rc1"),
        ("alpha[fast]>=2", "alpha[fast]==2.1.0"),
        ("Beta_Tools", "Beta_Tools==1.10"),
        ("alpha=1.4.2", "alpha==1.4.2"),
    ],
)
async def test_what_is_asked_for_becomes_the_newest_version_that_fits(
    index: TinyIndex, wanted: str, taken: str
) -> None:
    found = await resolved(index, wanted)
    assert found.specs == [taken]
    assert not found.missing
    assert not found.replaced


async def test_a_version_that_does_not_exist_is_replaced_and_told(index: TinyIndex) -> None:
    found = await resolved(index, "alpha==1.99", "alpha>=9,<10")
    assert found.replaced == {"alpha==1.99": "alpha==1.4.2", "alpha>=9,<10": "alpha==2.1.0"}
    assert found.specs == ["alpha==1.4.2", "alpha==2.1.0"]


async def test_a_made_up_package_is_missing_and_keeps_no_other_away(index: TinyIndex) -> None:
    found = await resolved(index, "fastapi-magic-auth==1.0", "alpha")
    assert found.missing == ["fastapi-magic-auth==1.0"]
    assert found.specs == ["alpha==2.1.0"]


async def test_yanked_releases_are_passed_over(index: TinyIndex) -> None:
    index.publish("alpha", "2.2.0", yanked="deletes everything")
    index.publish("gone", "1.0", yanked=True)
    found = await resolved(index, "alpha", "alpha==2.2.0", "gone")
    assert found.specs == ["alpha==2.1.0"]
    assert found.replaced == {"alpha==2.2.0": "alpha==2.1.0"}
    assert found.missing == ["gone"]


async def test_versions_for_a_newer_python_are_passed_over(index: TinyIndex) -> None:
    index.publish("alpha", "2.2.0", requires_python=">=3.12")
    index.publish("alpha", "2.1.5", requires_python=">=3.8")
    index.publish("alpha", "2.1.6", requires_python=">=3.6.*")  # nothing that can be understood
    assert (await resolved(index, "alpha")).specs == ["alpha==2.1.6"]
    newer = _PROJECT.replace(">=3.11", ">=3.12,<4")
    assert (await resolved(index, "alpha", pyproject=newer)).specs == ["alpha==2.2.0"]


async def test_where_the_project_says_no_python_its_own_counts(index: TinyIndex) -> None:
    here = ".".join(map(str, sys.version_info[:2]))
    index.publish("alpha", "8.0", requires_python=f"=={here}.*")
    index.publish("alpha", "9.0", requires_python=f"!={here}.*")
    for pyproject in ("", "[project", '[project]\nrequires-python = "new"\n', "project = 1\n"):
        assert (await resolved(index, "alpha", pyproject=pyproject)).specs == ["alpha==8.0"]


async def test_what_the_project_asks_already_is_kept_where_it_can_be(index: TinyIndex) -> None:
    held = _PROJECT + (
        "dependencies = [\"alpha[fast]<2 ; python_version > '3'\"]\n"
        '[dependency-groups]\ndev = [{ include-group = "more" }, "gamma==0.1"]\n'
        '[tool.uv]\nconstraint-dependencies = ["beta.tools<=1.9"]\n'
    )
    index.publish("gamma", "0.1", "0.2")
    found = await resolved(index, "alpha", "beta-tools", "gamma", "alpha==2.0.0", pyproject=held)
    assert found.specs == ["alpha==1.4.2", "beta-tools==1.9", "gamma==0.1", "alpha==2.0.0"]


async def test_an_index_of_the_projects_own_is_left_to_the_install(index: TinyIndex) -> None:
    own = _PROJECT + '[[tool.uv.index]]\nname = "own"\nurl = "http://127.0.0.1:9/simple"\n'
    found = await resolved(index, "only-there", pyproject=own)
    assert found.specs == ["only-there"]
    assert not index.asked


@pytest.mark.parametrize("status", [403, 500, 503])
async def test_an_index_that_does_not_answer_keeps_what_was_wanted(
    index: TinyIndex, status: int
) -> None:
    index.status = status
    found = await resolved(index, "alpha>=1", "made-up")
    assert found.specs == ["alpha>=1", "made-up"]
    assert not found.missing


async def test_an_index_that_cannot_be_reached_keeps_what_was_wanted() -> None:
    with tiny_index() as gone:
        pass
    found = await resolved(gone, "alpha>=1", "made-up")
    assert found.specs == ["alpha>=1", "made-up"]
    assert not found.missing


async def test_an_index_without_json_still_knows_what_is_missing(index: TinyIndex) -> None:
    index.html = True
    found = await resolved(index, "alpha>=1", "made-up")
    assert (found.specs, found.missing) == (["alpha>=1"], ["made-up"])


async def test_an_index_is_asked_by_argument_where_the_environment_names_none(
    index: TinyIndex,
) -> None:
    ask = asks("", by_argument=True)
    found = await resolve_python_packages(["alpha"], ask, default_index=index.address)
    assert found.specs == ["alpha==2.1.0"]
    assert (await resolve_python_packages(["alpha"], ask)).specs == ["alpha"]


async def test_each_name_is_asked_about_once(index: TinyIndex) -> None:
    await resolved(index, "alpha", "Alpha>=1", "beta_tools", "beta.tools")
    assert index.asked == {"alpha": 1, "beta-tools": 1}


async def test_what_was_asked_stays_at_hand_for_the_installer(index: TinyIndex) -> None:
    found = await resolved(index, "alpha[fast]==1.99", "beta-tools<1.10", "made-up")
    assert found.open == ["alpha[fast]", "beta-tools<1.10"]


@pytest.mark.parametrize(
    "spec", ["./local", "a @ file:///x", "https://example.org/a.whl", "", "=="]
)
async def test_what_is_no_registry_name_is_left_to_the_install(spec: str) -> None:
    async def never(argv: list[str]) -> tuple[int, list[str]]:
        raise AssertionError(argv)

    assert (await resolve_python_packages([spec], never)).specs == [spec]


@given(st.lists(st.text(max_size=12), max_size=6), st.text(max_size=40))
async def test_no_name_is_lost(wanted: list[str], printed: str) -> None:
    async def nonsense(_: list[str]) -> tuple[int, list[str]]:
        return 0, [
            printed,
            '{"name": 3}',
            "[]",
            '{"exists": true, "name": "not-wanted", "files": [7]}',
        ]

    found = await resolve_python_packages(wanted, nonsense)
    assert found.specs == list(dict.fromkeys(wanted))
