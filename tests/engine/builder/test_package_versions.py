"""Packages that models name become versions that exist; npm's answers are as it printed them."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vibedesk.engine.builder.package_versions import resolve_packages, split_spec

_WARNING = 'npm warn Unknown user config "nodedir". This will stop working.'
_NO_PACKAGE = '{\n  "error": {\n    "code": "E404",\n    "summary": "Not Found - GET it"\n  }\n}'
_NO_MATCH = (
    '{\n  "error": {\n    "code": "E404",\n    "summary": "No match found for version"\n  }\n}'
)
_REGISTRY = {
    "zod": ["3.25.76", "4.6.5", "4.6.7", "4.6.6"],
    "@scope/it": ["1.0.0"],
}


async def _npm(argv: list[str]) -> tuple[int, list[str]]:
    """Answer like npm 11, for two packages."""
    name, wanted = split_spec(argv[2])
    versions = _REGISTRY.get(name)
    if versions is None:
        return 1, [_WARNING, *_NO_PACKAGE.splitlines()]
    wanted = wanted.removeprefix("v")
    fitting = [v for v in versions if v == wanted or v.startswith(f"{wanted}.")]
    if wanted == "latest":
        return 0, [_WARNING, json.dumps(max(versions))]
    if not fitting:
        return 1, _NO_MATCH.splitlines()
    answer = fitting[0] if len(fitting) == 1 else fitting
    return 0, [_WARNING, *json.dumps(answer, indent=2).splitlines()]


async def test_ranges_become_the_newest_version_that_fits() -> None:
    found = await resolve_packages(["zod@4", "@scope/it", "zod@3.25.76"], _npm)
    assert found.specs == ["zod@4.6.7", "@scope/it@1.0.0", "zod@3.25.76"]
    assert not found.missing
    assert not found.replaced


async def test_a_version_that_does_not_exist_is_replaced_and_told() -> None:
    found = await resolve_packages(["zod@3.99.0", "zod@9.0.0", "zod@^99", "zod@v4.6.5"], _npm)
    assert found.replaced == {
        "zod@3.99.0": "zod@3.25.76", "zod@9.0.0": "zod@4.6.7", "zod@^99": "zod@4.6.7",
    }  # fmt: skip
    assert found.specs == ["zod@3.25.76", "zod@4.6.7", "zod@4.6.5"]


async def test_a_made_up_package_is_missing() -> None:
    found = await resolve_packages(["react-magic-ui@1.0.0", "zod"], _npm)
    assert found.missing == ["react-magic-ui@1.0.0"]
    assert found.specs == ["zod@4.6.7"]


@pytest.mark.parametrize(
    "spec", ["./local", "file:../x", "git+https://example.org/a.git", "alias@npm:zod@4", "a@user/b"]
)
async def test_what_is_no_registry_name_is_left_to_the_install(spec: str) -> None:
    async def never(argv: list[str]) -> tuple[int, list[str]]:
        raise AssertionError(argv)

    assert (await resolve_packages([spec], never)).specs == [spec]


async def test_a_registry_that_does_not_answer_keeps_what_was_wanted() -> None:
    async def down(_: list[str]) -> tuple[int, list[str]]:
        return 1, ['{"error": {"code": "ENOTFOUND", "summary": "request failed"}}']

    found = await resolve_packages(["zod@4", "left-pad"], down)
    assert found.specs == ["zod@4", "left-pad"]
    assert not found.missing


@given(st.lists(st.text(max_size=12), max_size=6))
async def test_no_name_is_lost(wanted: list[str]) -> None:
    found = await resolve_packages(wanted, _npm)
    assert len(found.missing) + len(found.specs) <= len(wanted)
    assert set(found.missing) <= set(wanted)
    for spec in wanted:
        name = split_spec(spec)[0]
        assert spec in found.missing or any(
            split_spec(s)[0] == name or s == spec for s in found.specs
        )
