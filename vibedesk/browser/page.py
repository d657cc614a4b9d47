"""One page in one profile that is forgotten with it, shown by a window that nobody sees."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, Final

import shiboken6
from PySide6.QtCore import QBuffer, QIODevice, QObject, QUrl
from PySide6.QtWebEngineCore import (
    QWebEngineDownloadRequest,
    QWebEngineLoadingInfo,
    QWebEnginePage,
    QWebEngineProfile,
    QWebEngineScript,
    QWebEngineSettings,
)
from PySide6.QtWebEngineWidgets import QWebEngineView
from PySide6.QtWidgets import QApplication

from vibedesk.base.resources import resource
from vibedesk.browser.chromium import LOCALE
from vibedesk.browser.interceptor import Interceptor
from vibedesk.browser.trouble import TOKEN, FailedRequest, Trouble

LOAD_SECONDS: Final = 15.0
_ANSWER_SECONDS = 5.0
_REST_SECONDS = 5.0
_REST_POLL_SECONDS = 0.02
_LOST_SECONDS = 0.25
"""A load of which nothing is heard for so long while the page loads nothing was replaced by one of the page's own."""
_MOST_STARTS = 4
_OWN_WORLD = QWebEngineScript.ScriptWorldId.ApplicationWorld.value
_Attribute = QWebEngineSettings.WebAttribute
_SETTINGS = {
    _Attribute.LocalContentCanAccessFileUrls: False,
    _Attribute.LocalContentCanAccessRemoteUrls: False,
    _Attribute.AllowRunningInsecureContent: False,
    _Attribute.AutoLoadIconsForPage: False,
    _Attribute.DnsPrefetchEnabled: False,
    _Attribute.ErrorPageEnabled: False,
    _Attribute.HyperlinkAuditingEnabled: False,
    # The clipboard of the offscreen platform is this process's own.
    _Attribute.JavascriptCanAccessClipboard: True,
    _Attribute.NavigateOnDropEnabled: False,
    _Attribute.PdfViewerEnabled: False,
    _Attribute.PluginsEnabled: False,
    _Attribute.ScreenCaptureEnabled: False,
    _Attribute.ShowScrollBars: False,
}
_LEVELS = {
    QWebEnginePage.JavaScriptConsoleMessageLevel.InfoMessageLevel: "log",
    QWebEnginePage.JavaScriptConsoleMessageLevel.WarningMessageLevel: "warning",
    QWebEnginePage.JavaScriptConsoleMessageLevel.ErrorMessageLevel: "error",
}


class PageFailedError(Exception):
    """The page could not be opened, does not answer or has crashed; the text is for people."""


class ScriptThrewError(PageFailedError):
    """What was asked of the page threw: the page is there, and answers."""


class _WebPage(QWebEnginePage):
    """Tells its trouble, accepts every dialog, grants nothing and stays within the app."""

    def __init__(
        self,
        profile: QWebEngineProfile,
        interceptor: Interceptor,
        trouble: Trouble,
        parent: QObject,
    ) -> None:
        super().__init__(profile, parent)
        self._interceptor = interceptor
        self._trouble = trouble
        self._opened: list[_WebPage] = []
        self.permissionRequested.connect(lambda permission: permission.deny())
        self.fileSystemAccessRequested.connect(lambda request: request.reject())
        for attribute, on in _SETTINGS.items():
            self.settings().setAttribute(attribute, on)

    def javaScriptConsoleMessage(
        self,
        level: QWebEnginePage.JavaScriptConsoleMessageLevel,
        message: str,
        lineNumber: int,  # noqa: N803
        sourceID: str,  # noqa: N803
    ) -> None:
        self._trouble.hear(_LEVELS[level], message, sourceID, lineNumber)

    def javaScriptAlert(self, securityOrigin: QUrl | str, msg: str) -> None:  # noqa: N802, N803
        """Accept at once."""

    def javaScriptConfirm(self, securityOrigin: QUrl | str, msg: str) -> bool:  # noqa: N802, N803
        return True

    def javaScriptPrompt(  # noqa: N802
        self,
        securityOrigin: QUrl | str,  # noqa: N803
        msg: str,
        defaultValue: str,  # noqa: N803
    ) -> tuple[bool, str]:
        return True, defaultValue

    def chooseFiles(  # noqa: N802
        self,
        mode: QWebEnginePage.FileSelectionMode,
        oldFiles: Sequence[str],  # noqa: N803
        acceptedMimeTypes: Sequence[str],  # noqa: N803
    ) -> list[str]:
        """Choose none: nobody is there to do it, and a dialog would stand before the page for ever."""
        return []

    def acceptNavigationRequest(
        self,
        url: QUrl | str,
        type: QWebEnginePage.NavigationType,  # noqa: A002
        isMainFrame: bool,  # noqa: N803
    ) -> bool:
        return self._interceptor.allows(QUrl(url))

    def createWindow(self, type: QWebEnginePage.WebWindowType) -> QWebEnginePage:  # noqa: A002
        """Let a new window open, unseen: the steps go on in the first one."""
        opened = _WebPage(self.profile(), self._interceptor, self._trouble, self)
        self._opened.append(opened)
        return opened

    def discard(self) -> None:
        for opened in self._opened:
            opened.discard()
        shiboken6.delete(self)


class BrowserPage(QObject):
    """A page of one person. Every coroutine raises PageFailedError once its process has ended."""

    def __init__(self, trouble: Trouble, size: tuple[int, int], downloads: Path) -> None:
        super().__init__()
        self._trouble = trouble
        self._downloads_folder = downloads
        self.downloads: asyncio.Queue[QWebEngineDownloadRequest] = asyncio.Queue()
        self._profile = QWebEngineProfile()
        self._profile.setHttpAcceptLanguage(LOCALE)
        self._profile.setSpellCheckEnabled(False)
        self._interceptor = Interceptor(trouble, self)
        self._profile.setUrlRequestInterceptor(self._interceptor)
        self._profile.downloadRequested.connect(self._on_download)
        for script in _scripts():
            self._profile.scripts().insert(script)
        self._page = _WebPage(self._profile, self._interceptor, trouble, self)
        self._page.renderProcessTerminated.connect(self._on_crash)
        self._page.loadingChanged.connect(self._on_loading)
        self.view = QWebEngineView()
        self.view.setPage(self._page)
        self.view.resize(*size)
        self.view.show()
        self._asked: set[asyncio.Future[Any]] = set()
        self._loading: asyncio.Future[QWebEngineLoadingInfo] | None = None
        self._has_begun = False
        self._crashed = False

    def bring_to_front(self) -> None:
        # A field's choice of colours is a dialog of Qt's; nobody will answer it.
        if dialog := QApplication.activeModalWidget():
            dialog.close()
        self.view.activateWindow()
        self.view.setFocus()

    @property
    def url(self) -> str:
        """Where the page is, percent-encoded."""
        return bytes(self._page.url().toEncoded().data()).decode("ascii", "replace")

    @property
    def is_loading(self) -> bool:
        return self._page.isLoading()

    async def goto(self, url: str) -> int:
        """Open an address and wait for its `load` event; return the HTTP status.

        Raises:
            PageFailedError: there was no answer, or it took longer than LOAD_SECONDS.
        """
        before, target = self._page.url(), QUrl(url)
        if target.hasFragment() and _without_fragment(before) == _without_fragment(target):
            await self.evaluate(f"location.hash = {json.dumps('#' + target.fragment())}")
            return 200
        return await self._load(lambda: self._page.load(target))

    async def reload(self) -> int:
        return await self._load(lambda: self._page.triggerAction(QWebEnginePage.WebAction.Reload))

    async def ask(self, function: str, *arguments: object) -> Any:
        """Call a function of `resources/browser/page.js`; None where the page changes at this moment."""
        return await self.evaluate(f"vibedesk.{function}({', '.join(map(json.dumps, arguments))})")

    def run_file(self, name: str) -> None:
        """Run another file of `resources/browser` in our own world; what is asked next finds it done."""
        self._page.runJavaScript(_source(name), _OWN_WORLD)

    async def evaluate(self, expression: str) -> Any:
        """Return an expression's value in our own world, as JSON can hold it.

        Raises:
            ScriptThrewError: the expression threw.
            PageFailedError: the page has crashed, or does not answer.
        """
        if self._crashed:
            raise PageFailedError("The page has crashed.")
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._asked.add(answer)

        def take(value: object) -> None:
            if not answer.done():
                answer.set_result(value)

        script = f"""(() => {{
            if (globalThis.vibedesk === undefined) return null
            try {{ return JSON.stringify({{ value: {expression} }}) }}
            catch (error) {{ return JSON.stringify({{ threw: String(error.message) }}) }}
        }})()"""
        self._page.runJavaScript(script, _OWN_WORLD, take)
        try:
            async with asyncio.timeout(_ANSWER_SECONDS):
                text = await answer
        except TimeoutError:
            raise PageFailedError("The page does not answer: its scripts never end.") from None
        finally:
            self._asked.discard(answer)
        if not isinstance(text, str) or not text:
            return None
        told = json.loads(text)
        if "threw" in told:
            raise ScriptThrewError(told["threw"])
        return told.get("value")

    def picture(self) -> bytes:
        """Return what the page shows, as PNG."""
        buffer = QBuffer()
        buffer.open(QIODevice.OpenModeFlag.WriteOnly)
        self.view.grab().save(buffer, "PNG")
        return bytes(buffer.data().data())

    def discard(self) -> None:
        """Let go of page and profile, in the order Chromium needs."""
        for answer in self._asked:
            answer.cancel()
        self.view.hide()
        shiboken6.delete(self.view)
        self._page.discard()
        shiboken6.delete(self._profile)

    async def _load(self, start: Callable[[], object]) -> int:
        try:
            async with asyncio.timeout(LOAD_SECONDS):
                info = await self._loaded(start)
        except TimeoutError:
            raise PageFailedError(
                f"The page did not load within {LOAD_SECONDS:g} seconds."
            ) from None
        finally:
            self._loading = None
        by_status = info.errorDomain() == QWebEngineLoadingInfo.ErrorDomain.HttpStatusCodeDomain
        if info.status() == QWebEngineLoadingInfo.LoadStatus.LoadSucceededStatus:
            return 200
        if by_status:
            failed = FailedRequest("GET", info.url().toString(), info.errorCode(), "")
            self._trouble.add_failed(failed)
            return info.errorCode()
        raise PageFailedError(f"The page could not be loaded: {info.errorString()}.")

    async def _loaded(self, start: Callable[[], object]) -> QWebEngineLoadingInfo:
        """Return how the load that `start` begins ended; one that the page's own has replaced begins again.

        Raises:
            PageFailedError: it never became a page.
        """
        for _ in range(_MOST_STARTS):
            await self._come_to_rest()
            loading: asyncio.Future[QWebEngineLoadingInfo]
            loading = self._loading = asyncio.get_running_loop().create_future()
            # Chromium may take a load that a click has just begun and this one for the same.
            self._has_begun = self._page.isLoading()
            start()
            while not loading.done():
                await asyncio.wait([loading], timeout=_LOST_SECONDS)
                if not loading.done() and not self._page.isLoading():
                    break
            if loading.done():
                return loading.result()
        raise PageFailedError("The page could not be loaded: what came is no page.")

    async def _come_to_rest(self) -> None:
        """Let a load that a click began come to its end, for some seconds."""
        if self._has_begun:
            # The page answers after it has begun what the click set going.
            with suppress(PageFailedError):
                await self.evaluate("0")
        for _ in range(round(_REST_SECONDS / _REST_POLL_SECONDS)):
            if not self._page.isLoading():
                return
            await asyncio.sleep(_REST_POLL_SECONDS)
        if self._page.isLoading():
            self._page.triggerAction(QWebEnginePage.WebAction.Stop)

    def _on_loading(self, info: QWebEngineLoadingInfo) -> None:
        if info.status() == QWebEngineLoadingInfo.LoadStatus.LoadStartedStatus:
            self._has_begun = True
            # Those who asked the page that goes away get no answer of it.
            for answer in self._asked:
                if not answer.done():
                    answer.set_result(None)
            return
        # A load that another one has replaced is stopped, or fails for no reason; its end is not the one waited for.
        failed = info.status() == QWebEngineLoadingInfo.LoadStatus.LoadFailedStatus
        replaced = info.status() == QWebEngineLoadingInfo.LoadStatus.LoadStoppedStatus or (
            failed and not info.errorCode() and not info.errorString()
        )
        if self._has_begun and not replaced and self._loading and not self._loading.done():
            self._loading.set_result(QWebEngineLoadingInfo(info))

    def _on_crash(self) -> None:
        self._crashed = True
        failure = PageFailedError("The page has crashed.")
        for waiting in [*self._asked, *([self._loading] if self._loading else [])]:
            if not waiting.done():
                waiting.set_exception(failure)

    def _on_download(self, request: QWebEngineDownloadRequest) -> None:
        request.setDownloadDirectory(str(self._downloads_folder))
        request.setDownloadFileName(f"{request.id()}.download")

        def tell() -> None:
            if request.isFinished():
                self.downloads.put_nowait(request)

        request.isFinishedChanged.connect(tell)
        request.accept()


def _without_fragment(url: QUrl) -> QUrl:
    bare = QUrl(url)
    bare.setFragment("")
    return bare


@cache
def _source(name: str) -> str:
    return resource("browser", name).read_text(encoding="utf-8").replace("__TOKEN__", TOKEN)


@cache
def _scripts() -> tuple[QWebEngineScript, ...]:
    found = []
    for name, world, everywhere in (
        ("watch.js", QWebEngineScript.ScriptWorldId.MainWorld, True),
        ("page.js", QWebEngineScript.ScriptWorldId.ApplicationWorld, False),
    ):
        script = QWebEngineScript()
        script.setName(name)
        script.setSourceCode(_source(name))
        script.setInjectionPoint(QWebEngineScript.InjectionPoint.DocumentCreation)
        script.setWorldId(world.value)
        script.setRunsOnSubFrames(everywhere)
        found.append(script)
    return tuple(found)
