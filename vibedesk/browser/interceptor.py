"""Which requests a page may make: those to its own app, and what is in the page already."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QObject, QUrl
from PySide6.QtWebEngineCore import QWebEngineUrlRequestInfo, QWebEngineUrlRequestInterceptor

from vibedesk.browser.trouble import Trouble

_INLINE: Final = ("data", "blob", "about")
_SAME: Final = {"ws": "http", "wss": "https"}


def origin_of(url: QUrl) -> str:
    """Return `scheme://host:port`, the scheme of a socket being that of its page, without a usual port."""
    scheme = _SAME.get(url.scheme(), url.scheme())
    port = url.port(-1)
    usual = {"http": 80, "https": 443}.get(scheme)
    host = f"[{url.host()}]" if ":" in url.host() else url.host()
    return f"{scheme}://{host}" + (f":{port}" if port not in (-1, usual) else "")


class Interceptor(QWebEngineUrlRequestInterceptor):
    """Blocks and reports every request that leaves the app, redirects included."""

    def __init__(self, trouble: Trouble, parent: QObject) -> None:
        super().__init__(parent)
        self._trouble = trouble

    def interceptRequest(self, info: QWebEngineUrlRequestInfo) -> None:
        if not self.allows(info.requestUrl()):
            info.block(True)

    def allows(self, url: QUrl) -> bool:
        """Return whether a page may go or ask there; report it where not."""
        if url.scheme() in _INLINE or origin_of(url) == self._trouble.own_origin:
            return True
        self._trouble.block(url.toString()[:500])
        return False
