"""Asks the network rules about every request of the previewed page, before it leaves."""

from __future__ import annotations

from PySide6.QtCore import QObject, QUrl, Signal
from PySide6.QtWebEngineCore import QWebEngineUrlRequestInfo, QWebEngineUrlRequestInterceptor

from vibedesk.ui.preview.network_rules import Allowed, Blocked, decide


class RequestInterceptor(QWebEngineUrlRequestInterceptor):
    """Blocks what the rules do not allow, redirects included.

    The page itself may only be the app: granted hosts are for its requests and frames, not for the whole
    view. Sockets that never come by here (preconnects, sockets of service workers) end at the gateway.

    Signals:
        request_blocked: Address and reason, for the console.
        page_left: The app wanted to lead the whole view to this address.
    """

    request_blocked = Signal(str, str)
    page_left = Signal(QUrl)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._own_origin = ""
        self._granted: tuple[str, ...] = ()

    def set_reach(self, own_origin: str, granted: tuple[str, ...]) -> None:
        self._own_origin = own_origin
        self._granted = granted

    def interceptRequest(self, info: QWebEngineUrlRequestInfo) -> None:
        url = info.requestUrl()
        whole_page = (
            info.resourceType() == QWebEngineUrlRequestInfo.ResourceType.ResourceTypeMainFrame
        )
        verdict = self.judge(url, whole_page=whole_page)
        if isinstance(verdict, Blocked):
            info.block(True)
            self.request_blocked.emit(_shortened(url), verdict.reason)
            if whole_page:
                self.page_left.emit(url)

    def judge(self, url: QUrl, *, whole_page: bool) -> Allowed | Blocked:
        """Return what the rules say; `whole_page` asks about the view itself."""
        # Inline data may be megabytes, and only its scheme is looked at.
        scheme = url.scheme()
        text = (
            f"{scheme}:"
            if scheme == "data"
            else bytes(url.toEncoded().data()).decode("ascii", "replace")
        )
        verdict = decide(text, self._own_origin, self._granted)
        if isinstance(verdict, Allowed) and whole_page:
            if verdict.because == "granted":
                return Blocked("The preview shows the app only.")
            if verdict.because == "inline" and scheme != "about":
                return Blocked("The preview shows the app only.")
        return verdict


def _shortened(url: QUrl) -> str:
    return url.toDisplayString()[:200]
