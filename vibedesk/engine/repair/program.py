"""A program of ours that runs inside a sandbox and answers in JSON lines."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import Sequence
from typing import Any

from vibedesk.engine.sandboxes.driver import Program, Sandbox, SandboxError

Json = dict[str, Any]

_MOST_ANSWER = 64 * 1024 * 1024
_START_SECONDS = 60.0


class RepairError(SandboxError):
    """A program that repairs cannot do its work; the checkers and the model still can."""

    code = "repair_unavailable"


class ProgramEndedError(RepairError):
    """It ended, or did not answer in time."""

    code = "repair_program_ended"
    retryable = True


class LineProgram:
    """One running program. One request at a time."""

    def __init__(self, program: Program, name: str) -> None:
        self._program = program
        self._name = name
        self._ids = itertools.count(1)
        self._received = bytearray()

    @classmethod
    async def start(
        cls,
        sandbox: Sandbox,
        argv: Sequence[str],
        first: Json,
        *,
        name: str,
        seconds: float = _START_SECONDS,
    ) -> tuple[LineProgram, Json]:
        """Start it, give it its `first` line and return it with its greeting, which comes within `seconds`.

        Raises:
            SandboxError: it cannot be started, or does not greet.
        """
        started = cls(await sandbox.open_program(argv), name)
        try:
            async with asyncio.timeout(seconds):
                await started._send(first)
                return started, await started._receive()
        except BaseException as error:
            await started.end()
            if isinstance(error, TimeoutError):
                raise started._ended("does not start") from error
            raise

    async def ask(self, request: Json, *, seconds: float) -> Json:
        """Send a request and return its result. After any error but `RepairError` itself it is of no use any more.

        Raises:
            ProgramEndedError: it ended, or did not answer within `seconds`.
            RepairError: it could not do that.
        """
        number = next(self._ids)
        try:
            async with asyncio.timeout(seconds):
                await self._send({**request, "id": number})
                answer = await self._receive()
        except TimeoutError as error:
            raise self._ended(f"did not answer within {seconds:g} seconds") from error
        if answer.get("id") != number:
            raise self._ended("lost count")
        if "error" in answer:
            raise RepairError(
                f"{self._name} could not do its work.",
                remedy="Nothing to do: the error goes to the model.",
                details={"log": str(answer["error"])[:2_000]},
            )
        result = answer.get("result")
        return result if isinstance(result, dict) else {}

    async def end(self) -> None:
        await self._program.end()

    async def _send(self, message: Json) -> None:
        try:
            await self._program.write(json.dumps(message).encode() + b"\n")
        except ConnectionError as error:
            raise self._ended("has ended") from error

    async def _receive(self) -> Json:
        while (end := self._received.find(b"\n")) < 0:
            piece = await self._program.read()
            if not piece:
                raise self._ended("has ended")
            self._received += piece
            if len(self._received) > _MOST_ANSWER:
                raise self._ended("answered without end")
        line = bytes(self._received[:end])
        del self._received[: end + 1]
        try:
            answer = json.loads(line)
        except ValueError as error:
            raise self._ended("answered with something else") from error
        if not isinstance(answer, dict):
            raise self._ended("answered with something else")
        return answer

    def _ended(self, what: str) -> ProgramEndedError:
        return ProgramEndedError(f"{self._name} {what}.", remedy="It is started again on its own.")
