from __future__ import annotations

import gc
import json
import re
from itertools import product
from pathlib import Path

import pytest
from PySide6.QtCore import QSize
from PySide6.QtGui import QColor, QFontInfo, QIcon, QPixmap
from PySide6.QtWidgets import QApplication, QPushButton

from vibedesk.base.resources import resource
from vibedesk.ui.theme import fonts
from vibedesk.ui.theme.icons import TintedIconEngine
from vibedesk.ui.theme.stylesheet import stylesheet
from vibedesk.ui.theme.theme import Scheme, Theme
from vibedesk.ui.theme.tokens import palette_of, readable_on, to_qcolor, tokens

_UI = Path(__file__).resolve().parent.parent.parent / "vibedesk" / "ui"
_HEX = re.compile(r"""["'(: ]#(?:[0-9a-fA-F]{3}|[0-9a-fA-F]{6}|[0-9a-fA-F]{8})\b""")
_GROUNDS = ("canvas", "surface", "sunken", "raised", "overlay", "hover", "selected")


def _luminance(colour: QColor) -> float:
    channels = (colour.redF(), colour.greenF(), colour.blueF())
    red, green, blue = (
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: QColor, other: QColor) -> float:
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("base", ["dark", "light"])
@pytest.mark.parametrize("high_contrast", [False, True])
def test_words_can_be_read_on_every_ground(base: str, high_contrast: bool) -> None:
    colours = palette_of(base, high_contrast=high_contrast)
    words = ("text.primary", "text.secondary", "text.muted", "accent.text", "danger.text")
    for word, ground in product(words, _GROUNDS):
        ratio = contrast(to_qcolor(colours[word]), to_qcolor(colours[f"bg.{ground}"]))
        assert ratio >= 4.5, (word, ground, ratio)
    focus = to_qcolor(colours["accent.focus"])
    for ground in _GROUNDS:
        assert contrast(focus, to_qcolor(colours[f"bg.{ground}"])) >= 3.0


def test_eight_digits_are_read_as_css_writes_them() -> None:
    colour = to_qcolor("#102030A6")
    assert (colour.red(), colour.green(), colour.blue(), colour.alpha()) == (16, 32, 48, 0xA6)


def test_high_contrast_has_no_tints_and_no_quiet_words() -> None:
    theme = Theme("high_contrast")
    assert theme.color("text.muted") == theme.color("text.primary")
    assert theme.color("accent.subtle") == theme.color("bg.raised")
    assert theme.color("border.subtle") == theme.color("border.control")


def test_a_change_of_scheme_is_announced_and_reaches_the_application(qapp: QApplication) -> None:
    theme = Theme("dark")
    theme.apply(qapp)
    heard: list[bool] = []
    theme.changed.connect(lambda: heard.append(theme.dark))
    theme.set_scheme("light")
    assert heard == [False]
    assert qapp.palette().window().color() == theme.color("bg.canvas")
    assert theme.css("bg.canvas") in qapp.styleSheet()


def test_an_icon_follows_the_theme_without_being_made_again(qapp: QApplication) -> None:
    theme = Theme("dark")
    theme.apply(qapp)
    icon = theme.icon("stop-fill", "text.primary")
    before = icon.pixmap(QSize(16, 16)).toImage().pixelColor(8, 8)
    theme.set_scheme("light")
    after = icon.pixmap(QSize(16, 16)).toImage().pixelColor(8, 8)
    assert before == Theme("dark").color("text.primary")
    assert after == theme.color("text.primary")


def test_icon_colour_says_checked_and_disabled(qapp: QApplication) -> None:
    theme = Theme("dark")
    icon = theme.icon("stop-fill", "text.muted", on="accent.text")

    def middle(mode: QIcon.Mode, state: QIcon.State) -> QColor:
        return icon.pixmap(QSize(16, 16), mode, state).toImage().pixelColor(8, 8)

    assert middle(QIcon.Mode.Normal, QIcon.State.Off) == theme.color("text.muted")
    assert middle(QIcon.Mode.Normal, QIcon.State.On) == theme.color("accent.text")
    assert middle(QIcon.Mode.Disabled, QIcon.State.Off) == theme.color("text.disabled")


def test_an_icon_has_the_sharpness_of_its_screen(qapp: QApplication) -> None:
    pixmap = Theme("dark").icon("plus", size=16).pixmap(QSize(16, 16), 2.0)
    assert pixmap.size() == QSize(32, 32)
    assert pixmap.devicePixelRatio() == 2.0


@pytest.mark.own_process
def test_an_icon_can_be_changed_apart_from_its_copies(qapp: QApplication) -> None:
    def engines() -> int:
        gc.collect()
        return sum(isinstance(thing, TintedIconEngine) for thing in gc.get_objects())

    theme = Theme("dark")
    icon = theme.icon("stop-fill", "text.primary")
    copy = QIcon(icon)
    copy.setIsMask(True)
    other_copy = QIcon(copy)
    other_copy.addPixmap(QPixmap(8, 8))
    button = QPushButton(other_copy, "Stop")
    assert engines() == 3
    del icon, copy, other_copy
    assert engines() == 1
    drawn = button.icon().pixmap(QSize(16, 16)).toImage()
    assert drawn.pixelColor(8, 8) == theme.color("text.primary")
    del button
    assert engines() == 0


def test_an_unknown_icon_is_found_early(qapp: QApplication) -> None:
    with pytest.raises(FileNotFoundError):
        Theme("dark").icon("no-such-icon")


def test_code_is_set_in_the_bundled_font_without_ligatures(qapp: QApplication) -> None:
    font = Theme("dark").font("code")
    assert fonts.code_family() == "JetBrains Mono NL"
    assert QFontInfo(font).fixedPitch()
    assert font.pixelSize() == 13


def test_the_bundled_interface_font_can_be_loaded(qapp: QApplication) -> None:
    assert fonts._load(fonts._INTERFACE_FILES) == "Inter"


def test_fonts_and_icons_come_with_their_licences() -> None:
    assert "SIL OPEN FONT LICENSE" in resource("fonts", "LICENSE-Inter-OFL.txt").read_text()
    assert "SIL OPEN FONT LICENSE" in resource("fonts", "LICENSE-JetBrainsMono-OFL.txt").read_text()
    assert "MIT License" in resource("icons", "LICENSE-phosphor-MIT.txt").read_text()


@pytest.mark.parametrize("scheme", ["dark", "light", "high_contrast"])
def test_the_style_sheet_is_whole(scheme: Scheme, qapp: QApplication) -> None:
    sheet = stylesheet(Theme(scheme).css, "dark")
    assert "{{" not in sheet
    assert sheet.count("{") == sheet.count("}")


@pytest.mark.parametrize("base", ["dark", "light"])
@pytest.mark.parametrize("high_contrast", [False, True])
def test_the_style_sheets_images_have_the_tokens_colours(base: str, high_contrast: bool) -> None:
    colours = palette_of(base, high_contrast=high_contrast)
    folder = f"{base}-high-contrast" if high_contrast else base
    drawn = {
        "caret-down": ("caret-down", "text.muted"),
        "check-bold": ("check-bold", "text.on_accent"),
        "check-bold-text": ("check-bold", "text.primary"),
    }
    for file, (icon, tone) in drawn.items():
        wanted = resource("icons", f"{icon}.svg").read_text().replace("currentColor", colours[tone])
        assert resource("qss", "glyphs", folder, f"{file}.svg").read_text() == wanted


def test_file_types_have_icons_and_colours_of_the_scheme(qapp: QApplication) -> None:
    dark, light = Theme("dark"), Theme("light")
    assert dark.filetype("src/App.tsx")[0] == "atom"
    assert dark.filetype("src/App.tsx")[1] != light.filetype("src/App.tsx")[1]
    assert dark.filetype("Makefile") == dark.filetype("notes.unknown")
    for name, *_ in tokens()["filetype"].values():
        assert resource("icons", f"{name}.svg").is_file()


def test_words_on_an_apps_own_colour_can_be_read() -> None:
    for colour in ("#000000", "#ffffff", "#2b59ff", "#ffd84a", "#7f7f7f"):
        assert contrast(readable_on(QColor(colour)), QColor(colour)) >= 4.5


def test_no_colour_is_written_outside_the_tokens() -> None:
    found = [
        f"{path.relative_to(_UI)}:{number}: {line.strip()}"
        for path in sorted(_UI.rglob("*.py"))
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if _HEX.search(line)
    ]
    sheet = resource("qss", "style.qss").read_text()
    assert not _HEX.search(sheet)
    assert found == []


def test_the_hex_check_sees_colours() -> None:
    assert _HEX.search('QColor("#fff")')
    assert _HEX.search("color: #10203040;")
    assert not _HEX.search('f"#{digits[:6]}"')
    assert not _HEX.search("issue #12345")


def test_the_theme_has_both_schemes_with_the_same_names() -> None:
    themes = json.loads(resource("design", "tokens.json").read_text())["themes"]
    names = [
        {f"{family}.{key}" for family, keys in theme["color"].items() for key in keys}
        for theme in (themes["dark"], themes["light"])
    ]
    assert names[0] == names[1]
