"""The log: one JSON object a line, at the wanted level, and never a secret."""

from __future__ import annotations

import json
import logging
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vibedesk.base import redaction
from vibedesk.base.errors import InvalidInputError
from vibedesk.base.logs import LOG_NAME, set_log_level, start_logging
from vibedesk.base.redaction import remember_secret

log = logging.getLogger("vibedesk.test")


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    ours = logging.getLogger("vibedesk")
    before = ours.level, ours.propagate, ours.handlers[:]
    ours.handlers[:] = []
    known = set(redaction._known)
    start_logging(tmp_path / "logs")
    yield tmp_path / "logs"
    redaction._known.intersection_update(known)
    for handler in ours.handlers:
        handler.close()
    ours.handlers[:] = before[2]
    ours.setLevel(before[0])
    ours.propagate = before[1]


def lines(folder: Path) -> list[dict[str, Any]]:
    text = (folder / LOG_NAME).read_text(encoding="utf-8")
    return [json.loads(line) for line in text.split("\n") if line]


def test_a_line_says_when_how_bad_who_and_what(folder: Path) -> None:
    log.warning("the %s is\nfull", "disk")
    [line] = lines(folder)
    assert line.pop("at").endswith("Z")
    assert line == {"level": "warning", "logger": "vibedesk.test", "message": "the disk is\nfull"}
    assert stat.S_IMODE((folder / LOG_NAME).stat().st_mode) == 0o600


def test_an_exception_is_in_its_line(folder: Path) -> None:
    try:
        raise OSError("password=hunter2hunter2")
    except OSError:
        log.exception("it failed")
    [line] = lines(folder)
    assert "OSError" in line["error"]
    assert "hunter2" not in line["error"]


def test_the_level_says_from_where_on(folder: Path) -> None:
    log.debug("unheard")
    set_log_level("debug")
    log.debug("heard")
    set_log_level("error")
    log.warning("unheard")
    assert [line["message"] for line in lines(folder)] == ["heard"]
    with pytest.raises(InvalidInputError):
        set_log_level("loud")


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    secret=st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=6),
    before=st.text(max_size=20),
)
def test_no_known_secret_is_ever_written(folder: Path, secret: str, before: str) -> None:
    remember_secret(secret)
    log.info("%s %s", before, secret)
    last = (folder / LOG_NAME).read_bytes().rstrip(b"\n").rpartition(b"\n")[2]
    assert secret not in json.loads(last)["message"]
