"""Registry addresses reach the sandbox, credentials never."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vibedesk.engine.sandboxes.npmrc import registry_lines, without_credentials


@pytest.mark.parametrize(
    ("npmrc", "lines"),
    [
        ("registry=https://npm.example/", ["registry=https://npm.example/"]),
        ("  registry = 'https://npm.example/a'  ", ["registry=https://npm.example/a"]),
        ("@mine:registry=http://npm.example:4873", ["@mine:registry=http://npm.example:4873"]),
        (
            "registry=https://me:secret@npm.example/x?token=secret#secret",
            ["registry=https://npm.example/x"],
        ),
        ("registry=https://a/\nregistry=https://b/", ["registry=https://b/"]),
        ("registry=http://[::1]:4873/", ["registry=http://[::1]:4873/"]),
        (
            "//npm.example/:_authToken=secret\n_auth=secret\n_password=secret\nusername=secret\nemail=secret",
            [],
        ),
        (
            "//npm.example/:registry=secret\nregistry-token=secret\n;registry=https://a\n#registry=https://a",
            [],
        ),
        (
            "registry=https://${SECRET}@npm.example/\nregistry=file:///etc/passwd\nregistry=\nregistry",
            [],
        ),
        ("registry=https://npm.example:notaport/", []),
    ],
)
def test_only_registry_lines_are_taken(npmrc: str, lines: list[str]) -> None:
    assert registry_lines(npmrc) == lines


@given(st.text(), st.text(alphabet="abc:@/?#%&$ \t", max_size=20))
def test_no_credential_survives(noise: str, tail: str) -> None:
    assert "s3cret" not in "".join(
        registry_lines(f"registry=https://user:s3cret@npm.example/{tail}\n{noise}")
    )
    for line in registry_lines(noise):
        assert "registry=" in line
        assert "\n" not in line


@given(st.text())
def test_any_text_is_an_address_or_none(address: str) -> None:
    plain = without_credentials(address)
    assert plain == "" or plain == without_credentials(plain)
