from __future__ import annotations

from vibedesk.ui.shell.arrangement import arrange


def test_a_wide_window_shows_everything() -> None:
    here = arrange(1600, 1000, "build")
    assert (here.tree, here.editor, here.preview) == ("docked", True, "open")
    assert not here.chat_in_drawer
    assert not here.phase_in_top_bar
    assert (here.chat_width, here.preview_width) == (384, 430)


def test_between_1280_and_1599_columns_are_narrower() -> None:
    here = arrange(1599, 1000, "build")
    assert (here.chat_width, here.preview_width) == (340, 380)
    assert here.tree == "docked"


def test_below_1280_the_tree_flies_out() -> None:
    assert arrange(1279, 1000, "build").tree == "flyout"
    assert arrange(1280, 1000, "build").tree == "docked"


def test_below_1180_code_and_preview_share_one_place() -> None:
    assert arrange(1180, 1000, "build").preview == "open"
    assert arrange(1179, 1000, "build").preview == "hidden"
    shown = arrange(1179, 1000, "preview")
    assert (shown.editor, shown.preview) == (False, "open")


def test_below_1020_the_chat_is_a_drawer() -> None:
    assert not arrange(1020, 1000, "build").chat_in_drawer
    assert arrange(1019, 1000, "build").chat_in_drawer


def test_code_keeps_a_strip_of_the_preview_where_there_is_room() -> None:
    assert arrange(1400, 1000, "code").preview == "strip"
    assert arrange(1100, 1000, "code").preview == "hidden"


def test_preview_hides_tree_and_editor() -> None:
    here = arrange(1600, 1000, "preview")
    assert (here.tree, here.editor, here.preview) == ("hidden", False, "open")


def test_low_windows_fold_dock_and_phase() -> None:
    assert not arrange(1600, 760, "build").dock_starts_collapsed
    assert arrange(1600, 759, "build").dock_starts_collapsed
    assert not arrange(1600, 680, "build").phase_in_top_bar
    assert arrange(1600, 679, "build").phase_in_top_bar
