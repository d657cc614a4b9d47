"""The whole window in this process, and a person in front of it: real clicks and keys, real pictures.

`run_window(home, scenario)` starts the program as `vibedesk` does and lets `scenario(person)` run on the
window's own loop. The window is closed when the scenario ends, also when it failed. Pictures go to the
folder in VIBEDESK_SHOTS, if it is set.
"""

from __future__ import annotations

import asyncio
import os
import time
import traceback
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QDialog, QLabel, QWidget

from vibedesk.app import WindowProgram
from vibedesk.base.paths import Home
from vibedesk.ui.project_session import ProjectSession
from vibedesk.ui.shell.layout_store import LayoutStore
from vibedesk.ui.shell.main_window import MainWindow
from vibedesk.ui.theme.theme import Scheme
from vibedesk.ui.window_controller import WindowController

W = TypeVar("W", bound=QWidget)
Key = Qt.Key
CTRL = Qt.KeyboardModifier.ControlModifier
_PATIENCE = 60.0
_LOOK_EVERY = 0.02
_SETTLE = 0.4


class Person:
    """Acts on the window and looks at it."""

    def __init__(self, program: WindowProgram) -> None:
        self._program = program

    # -- what there is
    @property
    def window(self) -> MainWindow:
        return self._program.window

    @property
    def controller(self) -> WindowController:
        found = self.window.findChild(WindowController)
        assert isinstance(found, WindowController)
        return found

    @property
    def session(self) -> ProjectSession:
        session = self.controller._session
        assert session is not None, "no project is open"
        return session

    @property
    def panels(self) -> Any:
        assert self.controller._panels is not None, "no project was opened"
        return self.controller._panels

    @property
    def engine(self) -> Any:
        return self.controller._engine

    @property
    def state(self) -> str:
        return self.session.run.state

    def visible(self, kind: type[W], where: QWidget | None = None) -> list[W]:
        return [w for w in (where or self.window).findChildren(kind) if w.isVisible()]

    def button(self, name: str, where: QWidget | None = None) -> QAbstractButton | None:
        """Return the last visible button that is called so."""
        found = [
            b
            for b in self.visible(QAbstractButton, where)
            if name in (b.accessibleName(), b.text().strip("\u2009 "))
        ]
        return found[-1] if found else None

    def words(self, where: QWidget | None = None) -> str:
        """Return everything that is to be read, as screen readers are told."""
        parts: list[str] = []
        for widget in self.visible(QWidget, where):
            said = widget.text() if isinstance(widget, QLabel | QAbstractButton) else ""
            parts += [
                w for w in (str(said), widget.accessibleName(), widget.accessibleDescription()) if w
            ]
        return "\n".join(parts)

    def dialog(self) -> QDialog | None:
        return next(iter(self.visible(QDialog)), None)

    # -- what they do
    async def until(
        self, condition: Callable[[], object], what: str = "", seconds: float = _PATIENCE
    ) -> Any:
        """Return what `condition` gives once that is true."""
        deadline = time.monotonic() + seconds
        while not (found := condition()):
            if time.monotonic() > deadline:
                self.shot("timeout")
                raise AssertionError(f"not within {seconds:g} s: {what or condition}")
            await asyncio.sleep(_LOOK_EVERY)
        return found

    async def press(self, name: str, where: QWidget | None = None) -> None:
        """Click a button once it is there and enabled."""

        def ready() -> QAbstractButton | None:
            button = self.button(name, where)
            return button if button is not None and button.isEnabled() else None

        self.click(await self.until(ready, f"button {name}"))

    async def to_front(self) -> None:
        """Give the window the keyboard, as a window manager does when a dialog closes."""
        self.window.activateWindow()
        await self.until(self.window.isActiveWindow, "the window is in front")
        if QApplication.focusWidget() is None:
            self.window.setFocus()

    def click(self, widget: QWidget, at: QPoint | None = None) -> None:
        QTest.mouseClick(
            widget,
            Qt.MouseButton.LeftButton,
            Qt.KeyboardModifier.NoModifier,
            at or widget.rect().center(),
        )

    def type(self, text: str) -> None:
        """Type into whatever has the keyboard."""
        QTest.keyClicks(self._focus(), text)

    def key(
        self, key: Qt.Key, modifiers: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier
    ) -> None:
        QTest.keyClick(self._focus(), key, modifiers)

    async def page(self, script: str) -> Any:
        """Run a script in the previewed page; None while there is no page."""
        web = self.panels.preview._web
        if web is None:
            return None
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        web.page.runJavaScript(
            script, 0, lambda value: None if answer.done() else answer.set_result(value)
        )
        try:
            return await asyncio.wait_for(answer, 5)
        except TimeoutError:
            return None

    async def until_page(self, script: str, wanted: Any, seconds: float = _PATIENCE) -> None:
        """Wait until a script in the previewed page gives `wanted`."""
        deadline = time.monotonic() + seconds
        found = None
        while time.monotonic() < deadline:
            found = await self.page(script)
            if found == wanted:
                return
            await asyncio.sleep(0.1)
        self.shot("timeout")
        raise AssertionError(f"the page gave {found!r} for {script}, not {wanted!r}")

    async def look(self, name: str, size: tuple[int, int] | None = None) -> None:
        """Take a picture once everything that moves has settled."""
        if not _shots():
            return
        before = self.window.size()
        if size is not None:
            self.window.resize(*size)
        await asyncio.sleep(_SETTLE)
        self.shot(name)
        if size is not None:
            self.window.resize(before)

    def shot(self, name: str) -> None:
        folder = _shots()
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
            window = self.window
            window.screen().grabWindow(window.winId()).save(str(folder / f"{name}.png"))

    def set_scheme(self, scheme: Scheme) -> None:
        self.window._on_scheme_chosen(scheme)

    def _focus(self) -> QWidget:
        focus = QApplication.focusWidget()
        assert focus is not None, "nothing has the keyboard"
        return focus


Scenario = Callable[[Person], Awaitable[None]]


class _WatchedProgram(WindowProgram):
    """The program, with the scenario beside it on its loop."""

    def __init__(self, app: QApplication, home: Home, scenario: Scenario) -> None:
        super().__init__(app, home)
        self._scenario = scenario
        self.failure: BaseException | None = None

    async def _main(self) -> int:
        acting = asyncio.create_task(self._act())
        status = await super()._main()
        await acting
        return status

    async def _act(self) -> None:
        person = Person(self)
        try:
            await person.until(lambda: self.window.findChild(WindowController), "the engine is up")
            # Without a window manager a remembered place is off by the frame that is not there.
            self.window.move(0, 0)
            await person.to_front()
            await self._scenario(person)
        except BaseException as failure:  # noqa: BLE001 - raised again outside the loop
            self.failure = failure
            traceback.print_exception(failure)
            person.shot("failed")
            for dialog in person.visible(QDialog):
                dialog.reject()
            if self.window.findChild(WindowController) is not None and self.window.isVisible():
                await person.engine.stop_all()
        if self.window.isVisible():
            self.window.close()


def run_window(
    app: QApplication,
    home: Home,
    scenario: Scenario,
    *,
    size: tuple[int, int] = (1600, 1000),
    scheme: Scheme = "dark",
) -> int:
    """Run the window until `scenario` is done, and return the exit status."""
    store = LayoutStore(home.root / "window.ini")
    store.set_scheme(scheme)
    store.save()
    program = _WatchedProgram(app, home, scenario)
    program.window.resize(*size)
    status = program.run()
    program.window.deleteLater()
    if program.failure is not None:
        raise program.failure
    return status


def _shots() -> Path | None:
    folder = os.environ.get("VIBEDESK_SHOTS")
    return Path(folder) if folder else None
