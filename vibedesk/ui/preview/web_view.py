"""The web view of the preview. Only this module and the request interceptor import QtWebEngine.

Import it after the window's first paint: loading Chromium takes a moment. The application must have been
made with `Qt.AA_ShareOpenGLContexts`.
"""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path

import shiboken6
from PySide6.QtCore import QObject, QStandardPaths, Qt, QUrl, Signal
from PySide6.QtGui import QColor
from PySide6.QtWebEngineCore import (
    QWebEngineDownloadRequest,
    QWebEngineNewWindowRequest,
    QWebEnginePage,
    QWebEnginePermission,
    QWebEngineProfile,
    QWebEngineSettings,
)
from PySide6.QtWebEngineWidgets import QWebEngineView
from PySide6.QtWidgets import QVBoxLayout, QWidget

from vibedesk.ui.preview.chromium_flags import VARIABLE, chromium_flags
from vibedesk.ui.preview.downloads import free_name
from vibedesk.ui.preview.gateway import PreviewGateway
from vibedesk.ui.preview.network_rules import Allowed, Blocked
from vibedesk.ui.preview.request_interceptor import RequestInterceptor

_Attribute = QWebEngineSettings.WebAttribute
_SETTINGS = {
    _Attribute.LocalContentCanAccessFileUrls: False,
    _Attribute.LocalContentCanAccessRemoteUrls: False,
    _Attribute.AllowRunningInsecureContent: False,
    _Attribute.AllowWindowActivationFromJavaScript: False,
    _Attribute.JavascriptCanAccessClipboard: False,
    _Attribute.JavascriptCanPaste: False,
    _Attribute.ScreenCaptureEnabled: False,
    _Attribute.WebRTCPublicInterfacesOnly: True,
    _Attribute.DnsPrefetchEnabled: False,
    _Attribute.HyperlinkAuditingEnabled: False,
    _Attribute.NavigateOnDropEnabled: False,
    _Attribute.PdfViewerEnabled: False,
    _Attribute.PluginsEnabled: False,
    _Attribute.ErrorPageEnabled: False,
    _Attribute.FocusOnNavigationEnabled: False,
    _Attribute.LocalStorageEnabled: True,
}
_LEVELS = {
    QWebEnginePage.JavaScriptConsoleMessageLevel.InfoMessageLevel: "info",
    QWebEnginePage.JavaScriptConsoleMessageLevel.WarningMessageLevel: "warning",
    QWebEnginePage.JavaScriptConsoleMessageLevel.ErrorMessageLevel: "error",
}


class _Page(QWebEnginePage):
    """Stays on the app and grants nothing."""

    console = Signal(str, str, str, int)

    def __init__(
        self, profile: QWebEngineProfile, interceptor: RequestInterceptor, parent: QObject
    ) -> None:
        super().__init__(profile, parent)
        self._interceptor = interceptor
        self.permissionRequested.connect(_deny)
        self.fileSystemAccessRequested.connect(lambda request: request.reject())
        self.registerProtocolHandlerRequested.connect(lambda request: request.reject())
        self.newWindowRequested.connect(self._on_new_window)
        for attribute, on in _SETTINGS.items():
            self.settings().setAttribute(attribute, on)

    def acceptNavigationRequest(
        self,
        url: QUrl | str,
        kind: QWebEnginePage.NavigationType,
        isMainFrame: bool,  # noqa: N803
    ) -> bool:
        return self._may_show(QUrl(url), whole_page=isMainFrame)

    def go_to(self, url: QUrl) -> None:
        """Load an address, unless it leads elsewhere."""
        # Chromium asks about the page behind a `view-source:`, not about the address.
        if self._may_show(url, whole_page=True):
            self.load(url)

    def _may_show(self, url: QUrl, *, whole_page: bool) -> bool:
        verdict = self._interceptor.judge(url, whole_page=whole_page)
        if isinstance(verdict, Blocked) and whole_page:
            self._interceptor.page_left.emit(url)
        return isinstance(verdict, Allowed)

    def javaScriptConsoleMessage(
        self,
        level: QWebEnginePage.JavaScriptConsoleMessageLevel,
        message: str,
        lineNumber: int,  # noqa: N803
        sourceID: str,  # noqa: N803
    ) -> None:
        self.console.emit(_LEVELS[level], message, sourceID, lineNumber)

    def _on_new_window(self, request: QWebEngineNewWindowRequest) -> None:
        """Keep the app in its one view; what leads elsewhere is offered to the system's browser."""
        url = request.requestedUrl()
        if url.scheme() == "about":
            self._interceptor.page_left.emit(url)
        else:
            self.go_to(url)


class PreviewWebView(QWidget):
    """One page of one project, with a profile of its own.

    Signals:
        loaded: A load ended, and whether it worked.
        load_progressed: Percent.
        url_changed: Where the page is now.
        console: Level (info, warning, error), message, source, line.
        left_app: The page wanted to lead elsewhere; it stayed.
        request_blocked: Address and reason.
        downloaded: A file was saved there.
        crashed: The page's process ended by itself.
    """

    loaded = Signal(bool)
    load_progressed = Signal(int)
    url_changed = Signal(QUrl)
    console = Signal(str, str, str, int)
    left_app = Signal(QUrl)
    request_blocked = Signal(str, str)
    downloaded = Signal(str)
    crashed = Signal()

    def __init__(self, storage: Path, background: QColor) -> None:
        super().__init__()
        self._gateway = start_chromium()
        self.download_folder = Path(
            QStandardPaths.writableLocation(QStandardPaths.StandardLocation.DownloadLocation)
        )
        self._interceptor = RequestInterceptor(self)
        self._profile = _make_profile(storage)
        self._profile.setUrlRequestInterceptor(self._interceptor)
        self._profile.downloadRequested.connect(self._on_download)
        self._page = _Page(self._profile, self._interceptor, self)
        # Children end in the order in which they came here, and a page has to end before its profile.
        self._profile.setParent(self)
        self._page.setBackgroundColor(background)
        self._view = QWebEngineView(self)
        self._view.setPage(self._page)
        self._view.setContextMenuPolicy(Qt.ContextMenuPolicy.NoContextMenu)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._view)
        self.setFocusProxy(self._view)
        page = self._page
        page.loadFinished.connect(self.loaded)
        page.loadProgress.connect(self.load_progressed)
        page.urlChanged.connect(self.url_changed)
        page.console.connect(self.console)
        page.renderProcessTerminated.connect(lambda *_: self.crashed.emit())
        self._interceptor.page_left.connect(self.left_app)
        self._interceptor.request_blocked.connect(self.request_blocked)

    def open(self, url: QUrl, own_origin: str, granted: tuple[str, ...]) -> None:
        """Show an address of the app; from now on only this origin and the granted hosts are reached."""
        self.set_reach(own_origin, granted)
        self._page.go_to(url)

    def set_reach(self, own_origin: str, granted: tuple[str, ...]) -> None:
        self._interceptor.set_reach(own_origin, granted)
        self._gateway.set_reach(own_origin, granted)

    @property
    def url(self) -> QUrl:
        return self._page.url()

    def load(self, url: QUrl) -> None:
        """Show another address of the app; one that leads elsewhere is refused, as a link's would be."""
        self._page.go_to(url)

    def reload(self) -> None:
        self._page.triggerAction(QWebEnginePage.WebAction.ReloadAndBypassCache)

    def stop(self) -> None:
        self._page.triggerAction(QWebEnginePage.WebAction.Stop)

    def back(self) -> None:
        self._page.triggerAction(QWebEnginePage.WebAction.Back)

    def forward(self) -> None:
        self._page.triggerAction(QWebEnginePage.WebAction.Forward)

    @property
    def can_go_back(self) -> bool:
        return self._page.history().canGoBack()

    @property
    def can_go_forward(self) -> bool:
        return self._page.history().canGoForward()

    @property
    def page(self) -> QWebEnginePage:
        return self._page

    def set_background(self, background: QColor) -> None:
        self._page.setBackgroundColor(background)

    def discard(self) -> None:
        """Let go of page and profile, in the order Chromium needs; never call it from a page's signal."""
        self._gateway.set_reach("", ())
        self.hide()
        for ending in (self._view, self._page, self._profile):
            shiboken6.delete(ending)
        self.deleteLater()

    def _on_download(self, request: QWebEngineDownloadRequest) -> None:
        folder = self.download_folder
        folder.mkdir(parents=True, exist_ok=True)
        request.setDownloadDirectory(str(folder))
        request.setDownloadFileName(free_name(folder, request.suggestedFileName()))
        target = folder / request.downloadFileName()

        def tell() -> None:
            if request.state() == QWebEngineDownloadRequest.DownloadState.DownloadCompleted:
                self.downloaded.emit(str(target))

        request.stateChanged.connect(tell)
        request.accept()


@lru_cache(maxsize=1)
def start_chromium() -> PreviewGateway:
    """Start the gateway and Chromium, which learns the gateway's port once and for the whole process."""
    gateway = PreviewGateway()
    inherited = os.environ.get(VARIABLE)
    as_root = hasattr(os, "geteuid") and os.geteuid() == 0
    os.environ[VARIABLE] = chromium_flags(inherited or "", gateway.port, as_root=as_root)
    try:
        QWebEngineProfile.defaultProfile()
    finally:
        # Processes that we start later are not to inherit the flags.
        if inherited is None:
            del os.environ[VARIABLE]
        else:
            os.environ[VARIABLE] = inherited
    return gateway


def _make_profile(storage: Path) -> QWebEngineProfile:
    profile = QWebEngineProfile(f"{storage.parent.name}-{storage.name}")
    profile.setPersistentStoragePath(str(storage))
    profile.setCachePath(str(storage / "cache"))
    profile.setPersistentPermissionsPolicy(
        QWebEngineProfile.PersistentPermissionsPolicy.AskEveryTime
    )
    profile.setSpellCheckEnabled(False)
    return profile


def _deny(permission: QWebEnginePermission) -> None:
    permission.deny()
