"""Where a copy of the files cannot go, a sentence about that place says so."""

from __future__ import annotations

from pathlib import Path

import pytest

from vibedesk.base.errors import InvalidInputError
from vibedesk.engine.export import check_destination, export_files


def test_a_copy_below_a_file_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("mine")
    for target in (file / "below", file / "far" / "below"):
        with pytest.raises(InvalidInputError) as refused:
            check_destination(target)
        assert str(target) in refused.value.message
        assert "--home" not in str(refused.value)
    assert file.read_text() == "mine"


def test_a_place_that_makes_no_folders_is_a_sentence(tmp_path: Path) -> None:
    # /proc lets root look but refuses new folders, whatever the permission bits say.
    target = Path("/proc/vibedesk-copy")
    with pytest.raises(InvalidInputError) as refused:
        export_files({"a.txt": "a"}, {}, target, tmp_path)
    assert str(target) in refused.value.message
    assert "--home" not in str(refused.value)


def test_a_target_with_bytes_that_are_no_text_can_be_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InvalidInputError) as refused:
        check_destination(tmp_path / "file" / "a\udcff")
    refused.value.message.encode()


def test_a_new_folder_gets_every_file(tmp_path: Path) -> None:
    target = tmp_path / "new" / "copy"
    assert not check_destination(target).exists()
    count = export_files({"src/a.txt": "a\r\n"}, {"b.bin": b"\0"}, target, tmp_path / "source")
    assert count == 2
    assert (target / "src" / "a.txt").read_bytes() == b"a\r\n"
    assert (target / "b.bin").read_bytes() == b"\0"
