"""The preview panel: the running app beside the code, and in words why it is not there."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from PySide6.QtCore import Qt, QTimer, QUrl, Signal
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QSizePolicy, QStackedWidget, QVBoxLayout, QWidget

from vibedesk.ui.preview.address_bar import DEVICE_PIXELS, AddressBar, DeviceWidth
from vibedesk.ui.preview.error_banner import ErrorBanner
from vibedesk.ui.preview.network_rules import parse_origin
from vibedesk.ui.preview.preparing import PreparingView
from vibedesk.ui.preview.profile_folder import ProfileFolder
from vibedesk.ui.preview.stage import Stage, TintedStrip
from vibedesk.ui.theme.theme import Theme
from vibedesk.ui.widgets.boxes import hbox, vbox
from vibedesk.ui.widgets.labels import IconLabel, label
from vibedesk.ui.widgets.messages import Banner, EmptyState, MessageAction
from vibedesk.ui.widgets.rings import Spinner

if TYPE_CHECKING:
    from vibedesk.ui.preview.web_view import PreviewWebView

PreviewState = Literal["empty", "preparing", "loading", "live", "disconnected", "stopped"]
_RETRY_MS = 2_000


class PreviewPanel(QWidget):
    """Shows one app at a time. Chromium is loaded with `warm_up` or the first `set_target`, never earlier.

    Signals:
        state_changed: empty, preparing, loading, live, disconnected or stopped.
        console: Level (info, warning, error), message, source, line; uncaught errors are level error.
        request_blocked: Address and reason, of what the app was not allowed to reach.
        restart_requested: The person wants a stopped app to run again.
        sandbox_requested: The person wants to see where it runs, to find out why it does not.
    """

    state_changed = Signal(str)
    console = Signal(str, str, str, int)
    request_blocked = Signal(str, str)
    restart_requested = Signal()
    sandbox_requested = Signal()

    def __init__(
        self,
        theme: Theme,
        parent: QWidget | None = None,
        *,
        open_externally: Callable[[QUrl], object] = QDesktopServices.openUrl,
        download_folder: Path | None = None,
    ) -> None:
        super().__init__(parent)
        self._theme = theme
        self._open_externally = open_externally
        self._download_folder = download_folder
        self._state: PreviewState = "empty"
        self._target = QUrl()
        self._profile: Path | None = None
        self._granted: tuple[str, ...] = ()
        self._web: PreviewWebView | None = None
        self._notice: Banner | None = None
        self._retry = QTimer(self)
        self._retry.setSingleShot(True)
        self._retry.setInterval(_RETRY_MS)
        self._retry.timeout.connect(self._try_again)
        self._bar = AddressBar(theme)
        self._stage = Stage(theme)
        self._stack = QStackedWidget()
        self._notices = QVBoxLayout()
        self.error_banner = ErrorBanner(theme)
        self._build()
        self._show_state("empty")
        theme.changed.connect(self._on_theme_changed)

    # -- what it shows

    @property
    def state(self) -> PreviewState:
        return self._state

    @property
    def url(self) -> str:
        """Return where the page is, "" if there is none."""
        return "" if self._web is None else self._web.url.toString()

    def set_target(self, url: str, profile_dir: Path, granted_hosts: Iterable[str] = ()) -> None:
        """Show the app that runs at `url` on loopback; nothing is loaded anew if it is shown already.

        Args:
            url: Its address; scheme, host and port are all the page may reach,
            profile_dir: Where cookies and local storage of this project are kept.
            granted_hosts: besides these, each `host` or `host:port`.
        """
        if parse_origin(url) is None:
            raise ValueError(f"not an http address: {url!r}")
        shown = self._web is not None and self._state in ("loading", "live")
        if shown and self._target == QUrl(url) and self._profile == profile_dir:
            self.set_granted_hosts(granted_hosts)
            return
        self._drop_notice()
        self._granted = tuple(granted_hosts)
        self._target = QUrl(url)
        if self._web is None or self._profile != profile_dir:
            self._profile = profile_dir
            self._make_web(ProfileFolder(profile_dir).open())
        self._load()

    def warm_up(self) -> None:
        """Start Chromium ahead of the first app; takes about 0.2 s, so choose a quiet moment."""
        from vibedesk.ui.preview.web_view import start_chromium

        start_chromium()

    def clear(self) -> None:
        """Show no app, for example because another project opens."""
        self._retry.stop()
        self._drop_notice()
        self._discard_web()
        self._target = QUrl()
        self._profile = None
        self._bar.set_url(QUrl())
        self.error_banner.hide()
        self.set_stale(None)
        self._show_state("empty")

    def set_granted_hosts(self, hosts: Iterable[str]) -> None:
        """Change what the page may reach besides the app."""
        self._granted = tuple(hosts)
        if self._web is not None:
            self._web.set_reach(self._target.toString(), self._granted)

    def set_stopped(self, reason: str) -> None:
        """Say that the app does not run any more, and why."""
        self._retry.stop()
        self._drop_notice()
        self._stopped.set_words(self.tr("Stopped"), reason)
        self._show_state("stopped")

    def set_preparing(
        self, title: str, text: str = "", line: str = "", *, waiting: bool = False
    ) -> None:
        """Say that the app is about to run: what is done or waited for, and the last line about that."""
        self._retry.stop()
        self._drop_notice()
        if self._state != "preparing":
            self._preparing.forget()
        self._preparing.show_words(title, text, line, waiting=waiting)
        self._show_state("preparing")

    def end_preparing(self) -> None:
        """Say no more than that nothing is there, if nothing came of it."""
        if self._state == "preparing":
            self._show_state("empty")

    def set_stale(self, words: str | None) -> None:
        """Say over the page that it is out of date, or nothing."""
        self._stage.set_stale(words)

    def reload(self) -> None:
        """Load the page again, or the app's first page if it could not be loaded."""
        if self._web is None:
            return
        if self._state == "live":
            self._show_state("loading")
            self._web.reload()
        else:
            self._load()

    def set_device(self, device: DeviceWidth) -> None:
        self._bar.set_device(device)
        self._stage.set_device_width(DEVICE_PIXELS[device])

    def reset_app_data(self) -> None:
        """Forget cookies, sign-ins and local storage of this app, and load it afresh."""
        if self._profile is not None:
            self._make_web(ProfileFolder(self._profile).renew())
            self._load()

    def focus_preview(self) -> None:
        (self._bar if self._web is None else self._web).setFocus()

    def shut_down(self) -> None:
        """Let go of the page; call it before the application ends."""
        self._retry.stop()
        self._discard_web()

    # -- inside

    def _build(self) -> None:
        theme = self._theme
        self._empty = EmptyState(
            theme,
            "browser",
            self.tr("Nothing to preview yet"),
            self.tr(
                "The preview opens as soon as the first phase is running, usually after 2 minutes."
            ),
        )
        self._disconnected = EmptyState(
            theme,
            "plugs",
            self.tr("Not connected"),
            "",
            [MessageAction(key="retry", text=self.tr("Try again"))],
            tone="warning",
        )
        self._disconnected.action_triggered.connect(lambda _: self._try_again())
        self._stopped = EmptyState(
            theme,
            "x-circle",
            self.tr("Stopped"),
            "",
            [
                MessageAction(key="restart", text=self.tr("Start the app")),
                MessageAction(key="sandbox", text=self.tr("Show the sandbox")),
            ],
            tone="danger",
        )
        self._stopped.action_triggered.connect(self._on_stopped_action)
        self._preparing = PreparingView(theme)
        self._loading = QWidget()
        self._loading.setLayout(
            vbox(
                None,
                hbox(
                    None,
                    Spinner(theme, 16, "accent.solid"),
                    label(self.tr("Loading the app"), tone="secondary"),
                    None,
                ),
                None,
            )
        )
        for page in (
            self._stage,
            self._empty,
            self._preparing,
            self._disconnected,
            self._stopped,
            self._loading,
        ):
            self._stack.addWidget(page)
        bar = self._bar
        bar.back.connect(self._go_back)
        bar.forward.connect(self._go_forward)
        bar.reload.connect(self.reload)
        bar.address_entered.connect(self._on_address_entered)
        bar.device_chosen.connect(self.set_device)
        bar.open_in_browser.connect(self._open_in_browser)
        bar.reset_requested.connect(self.reset_app_data)
        self._root_note = self._make_root_note()
        self._notices.setContentsMargins(0, 0, 0, 0)
        above = vbox(bar, self._root_note, self._notices, self.error_banner, gap=0)
        self.setLayout(vbox(above, (self._stack, 1), gap=0))
        self.setMinimumWidth(theme.size("preview_min"))
        self.setAccessibleName(self.tr("Preview"))

    def _make_root_note(self) -> QWidget:
        words = label(
            self.tr(
                "The preview runs without Chromium's own sandbox because VibeDesk was started as root."
            ),
            tone="warning",
            fs="small",
        )
        words.setWordWrap(True)
        words.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        row = hbox(
            IconLabel(self._theme, "warning-fill", "warning.text", 14),
            (words, 1),
            gap=8,
            margins=(12, 5, 12, 6),
        )
        note = TintedStrip(self._theme, row)
        note.setVisible(hasattr(os, "geteuid") and os.geteuid() == 0)
        return note

    def _make_web(self, storage: Path) -> None:
        # Chromium is loaded here, on the first use, and not with the window.
        from vibedesk.ui.preview.web_view import PreviewWebView

        self._discard_web()
        web = PreviewWebView(storage, self._theme.color("bg.sunken"))
        if self._download_folder is not None:
            web.download_folder = self._download_folder
        web.loaded.connect(self._on_loaded)
        web.load_progressed.connect(self._bar.set_progress)
        web.url_changed.connect(self._on_url_changed)
        web.console.connect(self.console)
        web.request_blocked.connect(self.request_blocked)
        web.left_app.connect(self._on_left_app)
        web.downloaded.connect(self._on_downloaded)
        web.crashed.connect(lambda: self.set_stopped(self.tr("The page stopped by itself.")))
        self._web = web
        self._stage.set_page(web)

    def _discard_web(self) -> None:
        if self._web is not None:
            self._stage.set_page(None)
            self._web.discard()
            self._web = None

    def _load(self) -> None:
        if self._web is not None:
            self._retry.stop()
            self._show_state("loading")
            self._bar.set_url(self._target)
            self._web.open(self._target, self._target.toString(), self._granted)

    def _try_again(self) -> None:
        if self._state == "disconnected":
            self._load()

    def _show_state(self, state: PreviewState) -> None:
        place = f"{self._target.host()}:{self._target.port()}"
        match state:
            case "disconnected":
                self._bar.set_status("warning", self.tr("Not connected"))
                self._disconnected.set_words(
                    self.tr("Not connected"),
                    self.tr(
                        "The app does not answer at {place}. Trying again every two seconds."
                    ).format(place=place),
                )
            case "stopped":
                self._bar.set_status("danger", self.tr("Stopped"))
            case _:
                self._bar.set_status("plain")
        # A page that loads again stays in view; only the first load has nothing to show.
        pages: dict[PreviewState, QWidget] = {
            "empty": self._empty,
            "preparing": self._preparing,
            "loading": self._loading,
            "live": self._stage,
            "disconnected": self._disconnected,
            "stopped": self._stopped,
        }
        keep = state == "loading" and self._stack.currentWidget() is self._stage
        if not keep:
            self._stack.setCurrentWidget(pages[state])
        if state != self._state:
            self._state = state
            self.state_changed.emit(state)

    def _notify(
        self, kind: Literal["info", "success"], words: str, action: str, act: Callable[[], object]
    ) -> None:
        """Show one line under the bar with something to do about it; the last one wins."""
        self._drop_notice()
        notice = Banner(self._theme, kind, words, [MessageAction(key="act", text=action)])

        def on_action(_: str) -> None:
            self._drop_notice()
            act()

        notice.action_triggered.connect(on_action)
        notice.dismissed.connect(self._drop_notice)
        self._notice = notice
        self._notices.addWidget(notice)

    def _drop_notice(self) -> None:
        if self._notice is not None:
            self._notices.removeWidget(self._notice)
            self._notice.deleteLater()
            self._notice = None

    def _on_stopped_action(self, key: str) -> None:
        if key == "sandbox":
            self.sandbox_requested.emit()
        else:
            self.restart_requested.emit()

    # -- what others tell

    def _on_loaded(self, worked: bool) -> None:
        if self._state in ("stopped", "preparing"):
            return
        if worked:
            self._show_state("live")
        elif self._state == "loading":
            self._show_state("disconnected")
            self._retry.start()

    def _on_url_changed(self, url: QUrl) -> None:
        if self._web is not None:
            if url.scheme() in ("http", "https"):
                self._bar.set_url(url)
            self._bar.set_navigation(back=self._web.can_go_back, forward=self._web.can_go_forward)

    def _on_address_entered(self, text: str) -> None:
        """Go to a page of the app; what is elsewhere is offered to the system's browser."""
        if self._web is None:
            return
        words = text.strip()
        if words.startswith(("/", "?", "#")):
            words = self._target.resolved(QUrl(words)).toString()
        elif "://" not in words:
            words = f"{self._target.scheme()}://{words}"
        self._web.load(QUrl(words))
        self._web.setFocus(Qt.FocusReason.OtherFocusReason)

    def _on_left_app(self, url: QUrl) -> None:
        if url.scheme() not in ("http", "https"):
            return
        place = url.host() or url.toString()
        self._notify(
            "info",
            self.tr("{place} is outside the app.").format(place=place),
            self.tr("Open in browser"),
            lambda: self._open_externally(url),
        )

    def _on_downloaded(self, path: str) -> None:
        folder = QUrl.fromLocalFile(str(Path(path).parent))
        self._notify(
            "success",
            self.tr("Saved {name}.").format(name=Path(path).name),
            self.tr("Show folder"),
            lambda: self._open_externally(folder),
        )

    def _go_back(self) -> None:
        if self._web is not None:
            self._web.back()

    def _go_forward(self) -> None:
        if self._web is not None:
            self._web.forward()

    def _open_in_browser(self) -> None:
        current = QUrl() if self._web is None else self._web.url
        self._open_externally(current if current.scheme() in ("http", "https") else self._target)

    def _on_theme_changed(self) -> None:
        if self._web is not None:
            self._web.set_background(self._theme.color("bg.sunken"))
