"""One command under its supervisor, as the engine's loop sees it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

from vibedesk.engine.sandboxes.command import AsyncByteSink, AsyncLineSink, ProcessEndedError
from vibedesk.engine.sandboxes.driver import OutputLine, SandboxError
from vibedesk.engine.sandboxes.inside import supervisor
from vibedesk.engine.sandboxes.output import MAX_LINE_CHARS, LineSplitter

GRACE_SECONDS = 1.5
_READ_BYTES = 16 * 1024  # what the loop handles in one go


class SupervisedProcess:
    """A command whose whole tree ends with it, on request, or with this process however it dies.

    `pump` must run until the end (it drains the pipes), also after `request_end`.
    """

    def __init__(
        self,
        process: asyncio.subprocess.Process,
        status_fd: int,
        *,
        wrapped: bool,
        input_fd: int | None = None,
    ) -> None:
        self._process = process
        self._status_fd = status_fd
        self._wrapped = wrapped
        self._input_fd = input_fd
        self._writable = asyncio.Event()
        self._report = ""

    @classmethod
    async def start(
        cls,
        argv: Sequence[str],
        *,
        env: Mapping[str, str],
        cwd: Path,
        wrapped: bool,
        takes_input: bool = False,
    ) -> Self:
        """Start `argv` in `cwd` with exactly `env`.

        `wrapped` says that `argv` is a sandbox wrapper that reports signals as 128 + number, `takes_input` that
        its standard input comes from `write`; else that is empty.

        Raises:
            SandboxError: the supervisor or the folder is missing, or no process can be made.
        """
        starting = asyncio.create_task(
            cls._start(argv, env=env, cwd=cwd, wrapped=wrapped, takes_input=takes_input)
        )
        try:
            return await asyncio.shield(starting)
        except asyncio.CancelledError:
            # Half-started is the one moment at which nobody else could end it.
            process = await starting
            process.request_end()
            await process.pump(_ignore)
            raise

    @classmethod
    async def _start(
        cls,
        argv: Sequence[str],
        *,
        env: Mapping[str, str],
        cwd: Path,
        wrapped: bool,
        takes_input: bool,
    ) -> Self:
        status_read, status_write = os.pipe()
        input_read, input_write = os.pipe() if takes_input else (-1, None)
        theirs = (status_write, input_read) if takes_input else (status_write,)
        try:
            process = await asyncio.create_subprocess_exec(
                *_supervisor_command(status_write, input_read, wrapped=wrapped),
                *argv,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                env=dict(env),
                cwd=cwd,
                pass_fds=theirs,
                start_new_session=True,
            )
        except OSError as error:
            os.close(status_read)
            if input_write is not None:
                os.close(input_write)
            raise SandboxError(
                f"The command {argv[0]} could not be started: {error.strerror}.",
                remedy="Look whether the project's folder still exists and the machine has room for a process.",
                details={"path": str(error.filename or cwd)},
            ) from error
        finally:
            for fd in theirs:
                os.close(fd)
        return cls(process, status_read, wrapped=wrapped, input_fd=input_write)

    @property
    def pid(self) -> int:
        """The supervisor's process id."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        return self._process.returncode is None

    @property
    def limits_met(self) -> frozenset[str]:
        return frozenset()  # there are none here

    def request_end(self) -> None:
        """Let the supervisor end the tree; returns at once, and may be called again."""
        assert self._process.stdin is not None
        self._process.stdin.close()

    async def write(self, data: bytes) -> None:
        """Send to its standard input; waits while there is no room. Call it again only when it has returned.

        Raises:
            ConnectionError: it reads no more.
        """
        view = memoryview(data)
        while view:
            if self._input_fd is None:
                raise BrokenPipeError("the program has ended")
            os.set_blocking(self._input_fd, False)
            try:
                view = view[os.write(self._input_fd, view) :]
            except BlockingIOError:
                await self._until_writable(self._input_fd)

    async def _until_writable(self, fd: int) -> None:
        self._writable.clear()
        asyncio.get_running_loop().add_writer(fd, self._writable.set)
        try:
            await self._writable.wait()
        finally:
            if self._input_fd is not None:
                asyncio.get_running_loop().remove_writer(fd)

    def _close_input(self) -> None:
        if self._input_fd is not None:
            asyncio.get_running_loop().remove_writer(self._input_fd)
            os.close(self._input_fd)
            self._input_fd = None
            self._writable.set()

    async def pump(
        self,
        on_line: AsyncLineSink,
        on_output: AsyncByteSink | None = None,
        *,
        longest_line: int = MAX_LINE_CHARS,
    ) -> None:
        """Hand over every line until the tree is gone; with `on_output`, standard output goes there as it comes."""
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(
                    _pump_bytes(self._process.stdout, on_output)
                    if on_output
                    else _pump_stream(self._process.stdout, "stdout", on_line, longest_line)
                )
                group.create_task(
                    _pump_stream(self._process.stderr, "stderr", on_line, longest_line)
                )
            await self._process.wait()
        finally:
            self.request_end()
            self._close_input()
            self._read_report()

    def _read_report(self) -> None:
        os.set_blocking(self._status_fd, False)
        with contextlib.suppress(BlockingIOError):
            self._report = os.read(self._status_fd, 4096).decode(errors="replace")
        os.close(self._status_fd)

    def exit_status(self) -> int:
        """Return the command's exit status, a signal's number negative. Call it after `pump`.

        Raises:
            ProcessEndedError: it was ended on request.
            SandboxError: it could not be started, or the supervisor was killed.
        """
        # Where the command could not be started its own line comes before the supervisor's.
        word, _, rest = self._report.partition("\n")[0].partition(" ")
        match word:
            case "exit":
                status = int(rest)
                return 128 - status if self._wrapped and 128 < status < 128 + 32 else status
            case "signal":
                return -int(rest)
            case "ended":
                raise ProcessEndedError("The command was stopped.", remedy="")
            case "failed":
                raise SandboxError(
                    f"The command could not be started: {rest}.", remedy="Look at its name."
                )
            case _:
                raise SandboxError(
                    "The process that watches the command was ended from outside.",
                    remedy="Try again; if it happens often, look at the machine's memory.",
                    retryable=True,
                )


async def _pump_stream(
    stream: asyncio.StreamReader, name: str, on_line: AsyncLineSink, longest_line: int
) -> None:
    splitter = LineSplitter(longest_line)
    while data := await stream.read(_READ_BYTES):
        for line in splitter.feed(data):
            await on_line(OutputLine(name, line))
        await asyncio.sleep(0)  # a flood of output must not keep the loop from everything else
    for line in splitter.close():
        await on_line(OutputLine(name, line))


async def _pump_bytes(stream: asyncio.StreamReader, on_output: AsyncByteSink) -> None:
    while data := await stream.read(_READ_BYTES):
        await on_output(data)


async def _ignore(_line: OutputLine) -> None:
    return


def _supervisor_command(status_fd: int, input_fd: int, *, wrapped: bool) -> list[str]:
    flags = [str(GRACE_SECONDS), str(status_fd), "1" if wrapped else "0", str(input_fd)]
    # -I also keeps this folder off sys.path, -S saves half of the start-up time.
    return [sys.executable, "-I", "-S", supervisor.__file__, *flags]
