"""What the engine does for an image: pull the base, build, import. Long streams that can be broken off."""

from __future__ import annotations

import asyncio
import contextlib
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

import docker
import requests
from docker.errors import APIError, DockerException, ImageNotFound
from docker.utils.config import load_general_config
from docker.utils.proxy import ProxyConfig

from vibedesk.engine.sandboxes.docker.image_content import Recipe
from vibedesk.engine.sandboxes.docker.image_progress import Progress
from vibedesk.engine.sandboxes.driver import SandboxError

T = TypeVar("T")

_PIECE_BYTES = 1 << 20
_PULL_SILENCE_SECONDS = 60.0  # then the registry is taken for unreachable
_CONNECT_SECONDS = 20.0
_STOP_SECONDS = 10.0  # what an engine gets to notice that nobody listens any more


class EngineImageError(SandboxError):
    """The engine could not do it; the message has its own words."""

    code = "sandbox_image"


class ImageEngine:
    """One engine, as far as images go. Everything runs in threads.

    Args:
        client: The engine's client.
        progress: Gets what the engine prints.
    """

    def __init__(self, client: docker.DockerClient, progress: Progress) -> None:
        self._client = client
        self._progress = progress

    async def has(self, name: str) -> bool:
        """Whether the engine has the image.

        Raises:
            EngineImageError: it does not answer.
        """
        return await in_thread(lambda: has_image(self._client, name))

    async def pull(self, name: str) -> None:
        """Get an image from its registry.

        Raises:
            EngineImageError: there is no such image, or the registry does not answer.
        """
        repository, _, tag = name.partition(":")
        await self._stream(
            "/images/create",
            {"fromImage": repository, "tag": tag},
            timeout=(_CONNECT_SECONDS, _PULL_SILENCE_SECONDS),
        )

    async def build(self, recipe: Recipe, *, network: str | None = None) -> None:
        """Build an image from its Dockerfile; it gets its tag when all went well.

        `network` is what the steps reach the package registries through, where it is not the engine's default.

        Raises:
            EngineImageError: a step failed.
        """
        params = {
            "t": recipe.tag,
            "labels": json.dumps(recipe.labels),
            "rm": "1",
            "forcerm": "1",
            "buildargs": json.dumps({**await asyncio.to_thread(_proxies), **recipe.arguments}),
        }
        if network:
            params["networkmode"] = network
        await self._stream("/build", params, data=recipe.context())
        if not await self.has(recipe.tag):
            raise EngineImageError("The build ended early.", remedy="Try again.", retryable=True)

    async def load(self, tar: Path, recipe: Recipe) -> None:
        """Make the image out of a root file system; it gets its tag when all of it has arrived.

        Raises:
            EngineImageError: the engine refused it.
        """
        size = (await asyncio.to_thread(tar.stat)).st_size
        self._progress.tell("Handing the image over to Docker…")

        def pieces(stopped: threading.Event) -> Iterator[bytes]:
            with tar.open("rb") as file:
                while piece := file.read(_PIECE_BYTES):
                    if stopped.is_set():
                        raise _StoppedError
                    yield piece
                    percent = file.tell() * 100 // size // 10 * 10
                    self._progress.tell(f"Handing the image over to Docker… {percent} %")

        made = await self._stream(
            "/images/create",
            {"fromSrc": "-", "changes": recipe.configuration},
            data=pieces,
        )
        image = next((text for text in reversed(made) if text.startswith("sha256:")), None)
        if image is None:
            raise EngineImageError("Docker did not take the image.", remedy="Try again.")
        repository, _, tag = recipe.tag.partition(":")
        await in_thread(lambda: self._client.api.tag(image, repository, tag))

    async def _stream(
        self,
        path: str,
        params: Mapping[str, object],
        *,
        data: bytes | Callable[[threading.Event], Iterator[bytes]] | None = None,
        timeout: tuple[float, float] | None = None,
    ) -> list[str]:
        """Post to the engine and return the states it reported; a cancellation breaks the connection.

        The SDK's own calls would do, but give no way to end them.
        """
        call = _Call(self._client.api, path, params, data, timeout, self._progress)
        try:
            return await in_thread(call.run, on_cancel=call.stop)
        except _StoppedError:
            raise asyncio.CancelledError from None


def _proxies() -> dict[str, str]:
    # What `docker build` takes from the person's Docker configuration, too.
    default = load_general_config().get("proxies", {}).get("default", {})
    environment = ProxyConfig.from_dict(default).get_environment()
    return {name: str(value) for name, value in environment.items()}


class _StoppedError(Exception):
    """The call was broken off by `stop`."""


class _Call:
    """One streaming request, run in a thread and stopped from another."""

    def __init__(
        self,
        api: Any,
        path: str,
        params: Mapping[str, object],
        data: bytes | Callable[[threading.Event], Iterator[bytes]] | None,
        timeout: tuple[float, float] | None,
        progress: Progress,
    ) -> None:
        self._api = api
        self._url = f"{api.base_url}/v{api.api_version}{path}"
        self._params = params
        self._data = data
        self._timeout = timeout
        self._progress = progress
        self._stopped = threading.Event()
        self._response: requests.Response | None = None

    def run(self) -> list[str]:
        data = self._data(self._stopped) if callable(self._data) else self._data
        try:
            with self._api.post(
                self._url,
                params=self._params,
                data=data,
                headers={"Content-Type": "application/tar"} if data is not None else None,
                stream=True,
                timeout=self._timeout,
            ) as response:
                self._response = response
                if self._stopped.is_set():  # `stop` came before there was anything to shut down
                    raise _StoppedError
                self._raise_for_status(response)
                return self._read(response)
        except (requests.RequestException, OSError) as error:
            if self._stopped.is_set():
                raise _StoppedError from None
            raise engine_error(error) from error

    def stop(self) -> None:
        """End the call; what the engine does for it ends with the connection."""
        self._stopped.set()
        if self._response is not None:
            # A thread that reads from a socket wakes only when the socket is shut down.
            with contextlib.suppress(OSError, ValueError):
                self._response.raw.shutdown()

    def _raise_for_status(self, response: requests.Response) -> None:
        if response.ok:
            return
        try:
            words = str(response.json()["message"])
        except (ValueError, KeyError, TypeError):
            words = response.reason or str(response.status_code)
        raise failure(words)

    def _read(self, response: requests.Response) -> list[str]:
        states: list[str] = []
        for line in response.iter_lines():
            if self._stopped.is_set():
                raise _StoppedError
            if not line.strip():
                continue
            message: dict[str, Any] = json.loads(line)
            if error := message.get("error"):
                raise failure(str(error))
            for text in str(message.get("stream", "")).splitlines():
                self._progress.take(text)
            if status := message.get("status"):
                states.append(str(status))
        if self._stopped.is_set():
            raise _StoppedError
        return states


async def in_thread(work: Callable[[], T], *, on_cancel: Callable[[], None] | None = None) -> T:
    """Run blocking work in a thread of its own.

    Cancelled, it calls `on_cancel` and gives the thread a while to end. A thread that hangs in the engine keeps
    neither the caller nor the end of the program waiting.
    """
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()

    def settle(result: T | None, error: BaseException | None) -> None:
        if done.done():
            return
        if error is not None:
            done.set_exception(error)
        else:
            done.set_result(result)  # type: ignore[arg-type]

    def run() -> None:
        result, error = None, None
        try:
            result = work()
        except BaseException as raised:  # noqa: BLE001 - handed over to whoever awaits
            error = raised
        with contextlib.suppress(RuntimeError):  # the loop is gone, and with it whoever waited
            loop.call_soon_threadsafe(settle, result, error)

    threading.Thread(target=run, daemon=True, name="docker image").start()
    try:
        return await asyncio.shield(done)
    except asyncio.CancelledError:
        if on_cancel is not None:
            on_cancel()
            await asyncio.wait({done}, timeout=_STOP_SECONDS)
        if done.done() and not done.cancelled():
            done.exception()  # retrieved: what it says is of no use any more
        else:
            done.cancel()
        raise


def has_image(client: docker.DockerClient, name: str) -> bool:
    """Whether the engine has the image. Blocking.

    Raises:
        EngineImageError: it does not answer.
    """
    try:
        client.images.get(name)
    except ImageNotFound:
        return False
    except (DockerException, requests.RequestException) as error:
        raise engine_error(error) from error
    return True


def engine_error(error: Exception) -> EngineImageError:
    """Return what a failed call to the engine means for the person."""
    words = error.explanation if isinstance(error, APIError) else None
    return failure(str(words or error))


def failure(words: str) -> EngineImageError:
    """Return the error for what the engine said."""
    if "no space left" in words.lower():
        return EngineImageError(
            "Docker's disk is full.",
            remedy="Free some space: “docker system df” shows what takes it, “docker image prune” removes old images.",
            code="disk_full",
            details={"engine": words},
        )
    return EngineImageError(
        f"Docker said: {words.strip()}",
        remedy="Look whether Docker runs and reaches the internet, then try again.",
        details={"engine": words},
    )
