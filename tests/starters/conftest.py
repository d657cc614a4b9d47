"""What the starters' tests share: one install of each."""

from __future__ import annotations

import pytest

from tests.starters.workshop import Workshop


@pytest.fixture(scope="session")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    return Workshop(tmp_path_factory.mktemp("starters"))
