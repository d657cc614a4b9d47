"""The sandboxes of an engine: which kind a project gets and why, with drivers made when code is to run, not before.

What a project is, its versions and its end need neither Node.js nor Docker; only its code does. The Docker driver
and the SDK under it are loaded with its first use: they take a while, and many people have no Docker.
"""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from vibedesk.engine.sandboxes.driver import (
    LineSink,
    OutputLine,
    RefusedSink,
    Sandbox,
    SandboxDriver,
    SandboxEngineDownError,
    SandboxSpec,
    SandboxUnavailableError,
    StatusSink,
    ignore_refused,
)
from vibedesk.engine.sandboxes.local_driver import LocalDriver

if TYPE_CHECKING:
    from vibedesk.engine.sandboxes.docker.diagnosis import DockerHealth
    from vibedesk.engine.sandboxes.docker.docker_driver import DockerDriver
    from vibedesk.engine.sandboxes.egress.npm_registry import NpmRegistry
    from vibedesk.engine.sandboxes.egress.proxy import Egress
    from vibedesk.engine.sandboxes.egress.registries import Registries
    from vibedesk.engine.sandboxes.egress.rules import NetworkRules
    from vibedesk.engine.sandboxes.egress.upstream import Upstream

_log = logging.getLogger(__name__)

SandboxSetting = Literal["auto", "docker", "local"]

GIVEN_UP_SECONDS = 600.0
"""So long `auto` does not try a Docker again that could not make sandboxes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DriverChoice:
    """The kind of sandbox that serves a setting here and now."""

    kind: Literal["docker", "local"]
    why: str
    """In a sentence, for the person."""
    engine: str = ""
    """Which Docker, where it is one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HomeFacts:
    """What the sandboxes need to know of the home that they serve."""

    owner: str
    """Its id: engines may serve several homes."""
    sandbox_ids: frozenset[str]
    """Of every project that it has."""


class Sandboxes:
    """Finds and keeps the drivers. Each owns a folder, so there is one of a kind.

    Args:
        cache: Where they put what is theirs.
        facts: Tells what they need to know of the home; asked when the first sandbox is made.
    """

    def __init__(self, cache: Path, facts: Callable[[], Awaitable[HomeFacts]]) -> None:
        self._cache = cache
        self._facts = facts
        self._local = LocalDriver(cache / "sandboxes")
        self._docker: DockerDriver | None = None
        self._sources: _PackageSources | None = None
        self._finding_sources = asyncio.Lock()
        self._health: DockerHealth | None = None
        self._given_up: _GivenUp | None = None
        self._choosing = asyncio.Lock()

    @property
    def local(self) -> LocalDriver:
        return self._local

    async def choose(self, setting: SandboxSetting, *, again: bool = False) -> DriverChoice:
        """Return the kind that serves `setting`; Docker is looked for anew while it was not there, and with `again`.

        Raises:
            SandboxUnavailableError: there is none; says what is missing and how to get it.
        """
        if setting == "local":
            return await self._choose_local("as asked for.")
        health = await self._docker_health(again=again)
        why_not = "" if health.usable else health.message
        if setting == "docker":
            if why_not:
                raise SandboxUnavailableError(why_not, remedy=health.remedy)
            return _docker_choice("Docker, as asked for.", health)
        given_up = self._given_up
        if given_up is not None and time.monotonic() < given_up.until:
            why_not = why_not or given_up.why
        if not why_not:
            return _docker_choice("Docker answers.", health)
        return await self._choose_local(f"since Docker cannot be used here. {why_not}")

    async def isolates(self, setting: SandboxSetting) -> tuple[bool, str]:
        """Return whether apps are kept from the person's files here, and the sentence that says so.

        Raises:
            SandboxUnavailableError: as `choose`.
        """
        if (await self.choose(setting)).kind == "docker":
            return True, ""
        isolation = await self._local.isolation()
        return isolation.kind != "none", isolation.sentence

    async def docker(self) -> DockerDriver:
        """Return the Docker driver, made at the first call.

        Raises:
            SandboxUnavailableError: there is no Docker that can be used.
        """
        async with self._choosing:
            if self._docker is None:
                self._docker = await self._make_docker()
            return self._docker

    @property
    def docker_in_use(self) -> DockerDriver | None:
        """The Docker driver if it was made."""
        return self._docker

    async def docker_answers(self) -> bool:
        if self._docker is None:
            return (await self._docker_health(again=True)).usable
        try:
            await self._docker.check()
        except SandboxEngineDownError:
            return False
        return True

    def for_project(
        self,
        setting: Callable[[], Awaitable[SandboxSetting]],
        on_choice: Callable[[DriverChoice], Awaitable[None]],
    ) -> SandboxDriver:
        """Return a driver that is chosen when its sandbox is opened; `on_choice` is told which, before that."""
        return _ProjectDriver(self, setting, on_choice)

    def give_up_docker(self, error: SandboxUnavailableError) -> None:
        """Remember that Docker is there and yet cannot make sandboxes; `auto` takes the local one for a while."""
        why = " ".join(filter(None, (error.message, error.remedy)))
        self._given_up = _GivenUp(why, time.monotonic() + GIVEN_UP_SECONDS)

    def try_docker_again(self) -> None:
        """Forget that Docker was given up."""
        self._given_up = None

    async def tarball_bytes(self) -> int:
        return await (await self._package_sources()).registry.size()

    async def clean_tarballs(self, older_than_seconds: float) -> int:
        return await (await self._package_sources()).registry.clean(older_than_seconds)

    async def aclose(self) -> None:
        await self._local.aclose()
        if self._docker is not None:
            await self._docker.aclose()
        if self._sources is not None:
            await self._sources.registry.aclose()

    # -- inside ----------------------------------------------------------------------------------------
    async def _choose_local(self, because: str) -> DriverChoice:
        isolation = await self._local.isolation()
        return DriverChoice(kind="local", why=f"The local sandbox: {because} {isolation.sentence}")

    async def _docker_health(self, *, again: bool = False) -> DockerHealth:
        from vibedesk.engine.sandboxes.docker.diagnosis import diagnose, find_endpoint

        if self._health is None or not self._health.usable or again:
            self._health = await asyncio.to_thread(lambda: diagnose(find_endpoint(os.environ)))
        return self._health

    async def _make_docker(self) -> DockerDriver:
        from vibedesk.engine.sandboxes.docker.connection import DockerConnection
        from vibedesk.engine.sandboxes.docker.diagnosis import find_endpoint
        from vibedesk.engine.sandboxes.docker.docker_driver import DockerDriver
        from vibedesk.engine.sandboxes.egress.proxy import Egress

        facts = await self._facts()
        packages = await self._package_sources()

        def make_egress(rules: Callable[[], NetworkRules], on_refused: RefusedSink) -> Egress:
            return Egress(
                rules=rules,
                registries=packages.registries,
                registry=packages.registry,
                upstream=packages.upstream,
                on_refused=on_refused,
            )

        endpoint = await asyncio.to_thread(find_endpoint, os.environ)
        return DockerDriver(
            DockerConnection(endpoint),
            owner=facts.owner,
            cache=self._cache / "docker",
            make_egress=make_egress,
            known=facts.sandbox_ids,
        )

    async def _package_sources(self) -> _PackageSources:
        from vibedesk.engine.sandboxes.egress.npm_registry import NpmRegistry
        from vibedesk.engine.sandboxes.egress.registries import find_registries
        from vibedesk.engine.sandboxes.egress.upstream import Upstream

        async with self._finding_sources:
            if self._sources is None:
                toolchain = await self._local.toolchain()
                registries = await asyncio.to_thread(find_registries, toolchain.npm, os.environ)
                upstream = Upstream(os.environ)
                registry = NpmRegistry(self._cache / "npm", registries, upstream)
                self._sources = _PackageSources(registries, upstream, registry)
            return self._sources


def _docker_choice(why: str, health: DockerHealth) -> DriverChoice:
    """Return Docker, with what it lacks to hold an app."""
    sentences = " ".join(filter(None, (why, health.shortcoming)))
    return DriverChoice(kind="docker", why=sentences, engine=health.engine)


@dataclass(frozen=True, slots=True)
class _GivenUp:
    """Why Docker is not tried, until when (`time.monotonic`)."""

    why: str
    until: float


@dataclass(frozen=True, slots=True)
class _PackageSources:
    """Where packages come from on this machine."""

    registries: Registries
    upstream: Upstream
    registry: NpmRegistry


class _ProjectDriver:
    """A driver for what `setting` says that is there as soon as it is needed; `Sandboxes` closes the real one."""

    def __init__(
        self,
        sandboxes: Sandboxes,
        setting: Callable[[], Awaitable[SandboxSetting]],
        on_choice: Callable[[DriverChoice], Awaitable[None]],
    ) -> None:
        self._sandboxes = sandboxes
        self._setting = setting
        self._on_choice = on_choice

    @property
    def name(self) -> str:
        return "as set"

    async def check(self) -> None:
        await self._sandboxes.choose(await self._setting())

    async def open(
        self,
        spec: SandboxSpec,
        *,
        on_line: LineSink,
        on_status: StatusSink,
        on_refused: RefusedSink = ignore_refused,
    ) -> Sandbox:
        setting = await self._setting()
        # What has a sandbox in Docker waits for it; everything else takes what is there now.
        has_one = spec.sandbox_id.startswith("docker-")
        choice = await self._sandboxes.choose(setting, again=not has_one)
        if choice.kind == "docker":
            await self._on_choice(choice)
            try:
                driver = await self._sandboxes.docker()
                return await driver.open(
                    spec, on_line=on_line, on_status=on_status, on_refused=on_refused
                )
            except SandboxEngineDownError:
                raise
            except SandboxUnavailableError as error:
                if setting == "docker":
                    raise
                self._sandboxes.give_up_docker(error)
                on_line(OutputLine("vibedesk", f"{error.message} {error.remedy}"))
                choice = await self._sandboxes.choose(setting)
        await self._on_choice(choice)
        return await self._sandboxes.local.open(spec, on_line=on_line, on_status=on_status)

    async def aclose(self) -> None:
        """Nothing to do: the real drivers serve other projects, too."""
