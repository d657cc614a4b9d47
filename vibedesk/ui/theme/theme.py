"""One object that every widget asks for colours, fonts, icons and sizes, and that says when they change."""

from __future__ import annotations

from pathlib import PurePath
from typing import Literal

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QColor, QFont, QGuiApplication, QIcon, QPalette, QPixmap
from PySide6.QtWidgets import QApplication

from vibedesk.ui.theme.fonts import code_family, interface_family
from vibedesk.ui.theme.icons import TintedIconEngine, require_icon, tinted_pixmap
from vibedesk.ui.theme.stylesheet import stylesheet
from vibedesk.ui.theme.tokens import Base, palette_of, to_qcolor, tokens

Scheme = Literal["dark", "light", "system", "high_contrast"]

_ROLE = QPalette.ColorRole
_PALETTE = {
    _ROLE.Window: "bg.canvas",
    _ROLE.Base: "bg.surface",
    _ROLE.AlternateBase: "bg.raised",
    _ROLE.Text: "text.primary",
    _ROLE.WindowText: "text.primary",
    _ROLE.Button: "bg.raised",
    _ROLE.ButtonText: "text.primary",
    _ROLE.BrightText: "text.primary",
    _ROLE.PlaceholderText: "text.muted",
    _ROLE.Highlight: "accent.solid",
    _ROLE.HighlightedText: "text.on_accent",
    _ROLE.Accent: "accent.solid",
    _ROLE.Link: "text.link",
    _ROLE.LinkVisited: "text.link",
    _ROLE.ToolTipBase: "bg.tooltip",
    _ROLE.ToolTipText: "on_web.text",
    _ROLE.Mid: "border.default",
    _ROLE.Dark: "border.strong",
    _ROLE.Light: "bg.hover",
}


class Theme(QObject):
    """The look in one scheme; `changed` tells painted widgets to paint again.

    Icons made by `icon` follow a change by themselves. Widgets that keep a colour, font or pixmap
    take a new one on `changed`.
    """

    changed = Signal()

    def __init__(self, scheme: Scheme = "system", parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._app: QApplication | None = None
        self._scheme: Scheme = scheme
        self._colours: dict[str, QColor] = {}
        self._base, self._high_contrast = self._resolve()

    @property
    def scheme(self) -> Scheme:
        return self._scheme

    @property
    def dark(self) -> bool:
        return self._base == "dark"

    @property
    def high_contrast(self) -> bool:
        return self._high_contrast

    def set_scheme(self, scheme: Scheme) -> None:
        """Change the look of the running program."""
        self._scheme = scheme
        self._adopt(native=True)

    def color(self, token: str) -> QColor:
        """Return a colour by its token name, for example `bg.canvas`; KeyError if there is none."""
        colour = self._colours.get(token)
        if colour is None:
            value = palette_of(self._base, high_contrast=self._high_contrast)[token]
            colour = self._colours[token] = to_qcolor(value)
        return QColor(colour)

    def css(self, token: str) -> str:
        """Return a colour as rich text and style sheets want it."""
        colour = self.color(token)
        if colour.alpha() == 255:
            return colour.name()
        return f"rgba({colour.red()},{colour.green()},{colour.blue()},{colour.alpha()})"

    def font(self, role: str = "body") -> QFont:
        """Return the font of a role of the type scale; roles that start with `code` are monospaced."""
        scale = tokens()["font"]["scale"][role]
        code = role.startswith("code")
        font = QFont(code_family() if code else interface_family())
        font.setPixelSize(scale["size"])
        font.setWeight(QFont.Weight(scale["weight"]))
        font.setLetterSpacing(QFont.SpacingType.AbsoluteSpacing, scale["tracking"])
        font.setHintingPreference(QFont.HintingPreference.PreferNoHinting)
        if code:
            font.setStyleHint(QFont.StyleHint.Monospace)
            font.setFeature(QFont.Tag("calt"), 0)
        return font

    def line_height(self, role: str = "body") -> int:
        return int(tokens()["font"]["scale"][role]["line"])

    def size(self, name: str) -> int:
        """Return a size in device-independent pixels; KeyError if there is none of that name."""
        return int(tokens()["size"][name])

    def radius(self, name: str) -> int:
        return int(tokens()["radius"][name])

    def icon(
        self,
        name: str,
        tone: str = "text.secondary",
        size: int = 16,
        on: str | None = None,
        *,
        name_on: str | None = None,
    ) -> QIcon:
        """Return an icon that is drawn when shown and follows the theme.

        Args:
            name: File name without `.svg`.
            tone: Colour token while off.
            size: The size it is meant for and names as its own; it can be drawn at any.
            on: Colour token while checked, if it differs.
            name_on: Another icon while checked, for example the filled cut.

        Raises:
            FileNotFoundError: There is no such icon.
        """
        for file in (name, name_on or name):
            require_icon(file)

        def tint(mode: QIcon.Mode, state: QIcon.State) -> QColor:
            if mode == QIcon.Mode.Disabled:
                return self.color("text.disabled")
            return self.color(on if on is not None and state == QIcon.State.On else tone)

        return QIcon(TintedIconEngine(name, name_on or name, size, tint))

    def pixmap(self, name: str, tone: str, size: int = 16, dpr: float = 1.0) -> QPixmap:
        """Return an icon as a pixmap of the present scheme; fetch it again on `changed`."""
        return tinted_pixmap(name, self.color(tone).name(QColor.NameFormat.HexArgb), size, dpr)

    def filetype(self, path: str) -> tuple[str, QColor]:
        """Return icon name and colour for a file, judged by its suffix alone."""
        kinds = tokens()["filetype"]
        suffix = PurePath(path).suffix.lstrip(".").lower()
        name, dark, light = kinds.get(suffix, kinds["*"])
        return str(name), to_qcolor(dark if self.dark else light)

    def apply(self, app: QApplication) -> None:
        """Dress the application; from now on changes of the system's scheme are followed live."""
        self._app = app
        app.setStyle("Fusion")
        self._adopt(native=True)
        hints = app.styleHints()
        hints.colorSchemeChanged.connect(self._on_system_changed)
        hints.accessibility().contrastPreferenceChanged.connect(self._on_system_changed)

    def _on_system_changed(self) -> None:
        if self._scheme in ("system", "high_contrast"):
            self._adopt(native=False)

    def _adopt(self, *, native: bool) -> None:
        """Take on the scheme and dress the application; `native` also sets the window frame's."""
        if native and self._app is not None:
            self._set_native_scheme(self._app)
        self._base, self._high_contrast = self._resolve()
        self._colours.clear()
        if self._app is not None:
            self._app.setPalette(self._palette())
            self._app.setFont(self.font("body"))
            glyphs = f"{self._base}-high-contrast" if self._high_contrast else self._base
            self._app.setStyleSheet(stylesheet(self.css, glyphs))
        self.changed.emit()

    def _set_native_scheme(self, app: QApplication) -> None:
        chosen = {"dark": Qt.ColorScheme.Dark, "light": Qt.ColorScheme.Light}.get(self._scheme)
        if chosen is None:
            app.styleHints().unsetColorScheme()
        else:
            app.styleHints().setColorScheme(chosen)

    def _resolve(self) -> tuple[Base, bool]:
        match self._scheme:
            case "dark" | "light" as chosen:
                return chosen, False
            case "high_contrast":
                return _system_base(), True
            case "system":
                return _system_base(), _system_wants_contrast()

    def _palette(self) -> QPalette:
        palette = QPalette()
        for role, token in _PALETTE.items():
            palette.setColor(role, self.color(token))
        for role in (_ROLE.Text, _ROLE.WindowText, _ROLE.ButtonText):
            palette.setColor(QPalette.ColorGroup.Disabled, role, self.color("text.disabled"))
        return palette


def _system_base() -> Base:
    """Return the system's scheme; dark where the system has none."""
    if QGuiApplication.instance() is None:
        return "dark"
    light = QGuiApplication.styleHints().colorScheme() == Qt.ColorScheme.Light
    return "light" if light else "dark"


def _system_wants_contrast() -> bool:
    if QGuiApplication.instance() is None:
        return False
    # The hints' owner has to be held while they are asked: PySide lets go of what it returned.
    hints = QGuiApplication.styleHints()
    preference = hints.accessibility().contrastPreference()
    return preference == Qt.ContrastPreference.HighContrast
