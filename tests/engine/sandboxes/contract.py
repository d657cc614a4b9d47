"""What every sandbox driver must do; a driver's test module subclasses `SandboxContract` with a `driver` fixture."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import sys
import time
import urllib.request

import pytest

from tests.engine.sandboxes.conftest import Place, living, until
from vibedesk.engine.sandboxes.driver import (
    CommandOutput,
    Exited,
    OutputLine,
    PortInUseError,
    Sandbox,
    SandboxDriver,
    SandboxError,
    SandboxSpec,
    SandboxStatus,
    ServerNotReadyError,
)
from vibedesk.engine.sandboxes.output import MAX_REPORT_CHARS

PACKAGES = "node_modules/.package-lock.json"
"""Is there once npm has installed something."""

SERVER = """
import http from 'node:http'
import { spawn } from 'node:child_process'
const [port, token, behaviour] = process.argv.slice(2)
process.title = token
if (behaviour.includes('escape')) {
  spawn(process.execPath, ['-e', 'process.on("SIGTERM", () => {}); setInterval(() => {}, 1000)', token + '-escaped'],
    { detached: true, stdio: 'ignore' }).unref()
}
if (behaviour === 'flood') setInterval(() => process.stdout.write('line\\n'.repeat(10_000)), 10)
if (behaviour.includes('stubborn')) process.on('SIGTERM', () => console.log('no'))
http.createServer((request, response) => {
  if (request.url === '/crash') { console.error('going down'); process.exit(3) }
  response.statusCode = behaviour === 'broken' ? 500 : 200
  response.end('<h1>it runs</h1>')
}).listen(Number(port), '127.0.0.1', () => console.log('listening'))
"""

ESCAPE = """
import { spawn } from 'node:child_process'
const token = process.argv[2]
const child = spawn(process.execPath, ['-e', `
  process.on('SIGTERM', () => {})
  require('node:child_process').spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)', '${token}-grandchild'],
    { detached: true, stdio: 'ignore' }).unref()
  setInterval(() => {}, 1000)`, token + '-child'], { detached: true, stdio: 'ignore' })
child.unref()
console.log('started')
if (process.argv[3] !== 'leave') setInterval(() => {}, 1000)
"""

WITNESS = """
const fs = require('node:fs')
for (const way of ['open', 'openSync']) {
  const open = fs[way]
  fs[way] = (path, ...rest) => {
    if (/node_modules.little.index\\.js$/.test(path)) console.error('unpacked by ' + way)
    return open(path, ...rest)
  }
}
"""


async def run(sandbox: Sandbox, *argv: str, timeout: float | None = 30) -> list[CommandOutput]:
    return [output async for output in sandbox.exec(argv, timeout=timeout)]


def texts(outputs: list[CommandOutput], stream: str = "stdout") -> list[str]:
    return [o.text for o in outputs if isinstance(o, OutputLine) and o.stream == stream]


def fetch(url: str) -> str:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(url, timeout=30) as response:
        return response.read().decode()


class SandboxContract:
    """The contract of `driver.py`, with real processes."""

    async def start(
        self, place: Place, token: str, behaviour: str = "", timeout: float = 20
    ) -> str:
        script = await place.script("server.mjs", SERVER)
        return await place.sandbox.start_server(
            ["node", script, str(place.port), token, behaviour], timeout=timeout
        )

    # commands

    async def test_a_command_yields_its_lines_and_then_one_exit(self, place: Place) -> None:
        outputs = await run(
            place.sandbox, "node", "-e", "console.log('a'); console.log('b'); console.error('c')"
        )
        assert texts(outputs) == ["a", "b"]
        assert texts(outputs, "stderr") == ["c"]
        assert outputs[-1] == Exited(0)
        assert sum(isinstance(output, Exited) for output in outputs) == 1

    async def test_lines_come_while_the_command_runs(self, place: Place) -> None:
        script = "console.log('first'); const t = setInterval(() => { if (require('fs').existsSync('go')) { clearInterval(t) } }, 10)"
        outputs = []
        async for output in place.sandbox.exec(["node", "-e", script], timeout=20):
            outputs.append(output)
            if output == OutputLine("stdout", "first"):
                (place.folder / "go").touch()
                await place.sandbox.push(["go"])
        assert outputs == [OutputLine("stdout", "first"), Exited(0)]

    @pytest.mark.parametrize(
        ("script", "status"),
        [
            ("process.exit(7)", 7),
            ("process.kill(process.pid, 'SIGKILL')", -9),
            ("process.kill(process.pid, 'SIGTERM')", -15),
        ],
    )
    async def test_exit_status_and_signals_are_told(
        self, place: Place, script: str, status: int
    ) -> None:
        outputs = await run(
            place.sandbox,
            "node",
            "-e",
            script + "; setInterval(() => {}, 1000)" * ("kill" in script),
        )
        assert outputs == [Exited(status)]

    async def test_lines_are_plain_text_whatever_is_printed(self, place: Place) -> None:
        script = (
            "process.stdout.write('\\x1b[31mr\\x1b[0me\\x1b]8;;http://x\\x07d\\x1b]8;;\\x07\\r\\n'"
            " + '10%\\r50%\\r100%\\n'); process.stdout.write(Buffer.from([0x61, 0xff, 0x62, 0x0a]));"
            " process.stdout.write('no end')"
        )
        outputs = await run(place.sandbox, "node", "-e", script)
        assert texts(outputs) == ["red", "100%", "a\ufffdb", "no end"]

    async def test_a_line_of_ten_megabytes_is_bounded(self, place: Place) -> None:
        script = "process.stdout.write('x'.repeat(10_000_000) + '\\nnext\\n')"
        long, after = texts(await run(place.sandbox, "node", "-e", script))
        assert 1_000 < len(long) < 20_000
        assert after == "next"

    async def test_a_line_of_ten_megabytes_comes_whole_where_it_is_wanted(
        self, place: Place
    ) -> None:
        script = "process.stdout.write('x'.repeat(10_000_000) + '\\nnext\\n')"
        exec_ = place.sandbox.exec(["node", "-e", script], longest_line=MAX_REPORT_CHARS)
        long, after = texts([output async for output in exec_])
        assert len(long) == 10_000_000
        assert after == "next"

    async def test_standard_input_is_empty(self, place: Place) -> None:
        script = "process.stdin.on('data', () => console.log('data')).on('end', () => console.log('end'))"
        assert texts(await run(place.sandbox, "node", "-e", script)) == ["end"]

    async def test_a_missing_command_is_an_error(self, place: Place) -> None:
        with pytest.raises(SandboxError, match="no-such-program"):
            await run(place.sandbox, "no-such-program", "--version")
        with pytest.raises(SandboxError, match=r"node_modules/\.bin/tsc"):
            await run(place.sandbox, "node_modules/.bin/tsc")

    async def test_a_command_gets_its_own_variables(self, place: Place) -> None:
        script = "console.log(process.env.APP_GREETING, process.env.EXTRA)"
        outputs = [
            output
            async for output in place.sandbox.exec(["node", "-e", script], env={"EXTRA": "more"})
        ]
        assert texts(outputs) == ["hello more"]

    async def test_the_workdir_is_where_commands_run(self, place: Place) -> None:
        assert texts(await run(place.sandbox, "pwd")) == [place.sandbox.workdir]

    async def test_files_go_both_ways(self, place: Place) -> None:
        (place.folder / "in.txt").write_text("from outside")
        await place.sandbox.push(["in.txt"])
        await run(
            place.sandbox,
            "node",
            "-e",
            "const fs = require('fs'); fs.writeFileSync('out.txt', fs.readFileSync('in.txt', 'utf8') + ' and back')",
        )
        await place.sandbox.pull(["out.txt"])
        assert (place.folder / "out.txt").read_text() == "from outside and back"

    async def test_npm_and_npx_run(self, place: Place) -> None:
        npm = await run(place.sandbox, "npm", "--version")
        npx = await run(place.sandbox, "npx", "--version")
        assert npm[-1] == npx[-1] == Exited(0)
        assert texts(npm)[0].split(".")[0].isdigit()
        assert texts(npm) == texts(npx)

    async def test_npm_unpacks_without_a_wait_for_each_file(self, place: Place) -> None:
        manifest = {"name": "little", "version": "1.2.3", "bin": "index.js", "main": "index.js"}
        await place.script("witness.cjs", WITNESS)
        await place.script("package.json", '{"name": "app"}')
        (place.folder / "little").mkdir()
        await place.script("little/package.json", json.dumps(manifest))
        await place.script("little/index.js", "#!/usr/bin/env node\nconsole.log('little runs')\n")
        assert (await run(place.sandbox, "npm", "pack", "./little"))[-1] == Exited(0)
        install = ["npm", "install", "--offline", "./little-1.2.3.tgz"]
        witness = {"NODE_OPTIONS": f"--require {place.sandbox.workdir}/witness.cjs"}
        outputs = [output async for output in place.sandbox.exec(install, env=witness, timeout=60)]
        assert outputs[-1] == Exited(0)
        assert [line for line in texts(outputs, "stderr") if "unpacked" in line] == [
            "unpacked by openSync"
        ]
        # Its rights, and npm's link to it.
        assert texts(await run(place.sandbox, "node_modules/.bin/little")) == ["little runs"]

    @pytest.mark.parametrize("needed", ["dependencies", "optionalDependencies"])
    async def test_what_npm_cannot_write_is_told_at_the_end(
        self, place: Place, needed: str
    ) -> None:
        manifest = {"name": "app", needed: {"large": "file:large-1.2.3.tgz"}}
        await place.script("package.json", json.dumps(manifest))
        (place.folder / "large").mkdir()
        await place.script("large/package.json", '{"name": "large", "version": "1.2.3"}')
        await place.script("large/data.txt", "no end " * 500_000)
        assert (await run(place.sandbox, "npm", "pack", "./large"))[-1] == Exited(0)
        # As on a full disk, with another reason: no file may have more than 512 KiB.
        small = "trap '' XFSZ; ulimit -f 1024; exec npm install --offline"
        outputs = await run(place.sandbox, "sh", "-c", small)
        assert isinstance(outputs[-1], Exited)
        assert outputs[-1].status != 0
        last = "\n".join(texts(outputs, "stderr")[-20:])
        assert "EFBIG" in last
        assert "Exit handler never called" not in last

    async def test_what_npm_cannot_unpack_is_told(self, place: Place) -> None:
        await place.script("package.json", '{"name": "app"}')
        await place.script("broken.tgz", "no archive")
        outputs = await run(place.sandbox, "npm", "install", "--offline", "./broken.tgz")
        assert outputs[-1] == Exited(1)
        assert "TAR_BAD_ARCHIVE" in "\n".join(texts(outputs, "stderr"))

    # the end of commands

    async def test_the_timeout_ends_the_whole_tree(self, place: Place, token: str) -> None:
        script = await place.script("escape.mjs", ESCAPE)
        began = time.monotonic()
        with pytest.raises(SandboxError, match="did not finish within 1 seconds") as caught:
            await run(place.sandbox, "node", script, token, timeout=1)
        assert caught.value.code == "sandbox_timeout"
        assert time.monotonic() - began < 60
        assert living(token) == []

    async def test_cancelling_ends_the_whole_tree(self, place: Place, token: str) -> None:
        script = await place.script("escape.mjs", ESCAPE)
        task = asyncio.create_task(run(place.sandbox, "node", script, token, timeout=None))
        await until(
            lambda: any(f"{token}-grandchild" in p for p in living(token)), "the grandchild runs"
        )
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert living(token) == []

    async def test_cancelling_at_the_first_moments_leaves_nothing(
        self, place: Place, token: str
    ) -> None:
        for turns in range(8):
            task = asyncio.create_task(
                run(place.sandbox, "node", "-e", "setInterval(() => {}, 1000)", token)
            )
            for _ in range(turns):
                await asyncio.sleep(0)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert living(token) == []

    async def test_closing_the_iterator_ends_the_whole_tree(self, place: Place, token: str) -> None:
        script = await place.script("escape.mjs", ESCAPE)
        async with contextlib.aclosing(place.sandbox.exec(["node", script, token])) as outputs:
            async for output in outputs:
                assert output == OutputLine("stdout", "started")
                break
        assert living(token) == []

    async def test_what_a_command_leaves_behind_ends_with_it(
        self, place: Place, token: str
    ) -> None:
        script = await place.script("escape.mjs", ESCAPE)
        outputs = await run(place.sandbox, "node", script, token, "leave")
        assert outputs[-1] == Exited(0)
        assert living(token) == []

    async def test_stop_ends_a_command_whose_lines_nobody_reads(
        self, place: Place, token: str
    ) -> None:
        flood = "for (;;) require('fs').writeSync(1, 'line\\n'.repeat(1000))"
        outputs = place.sandbox.exec(["node", "-e", flood, token])
        assert await anext(outputs) == OutputLine("stdout", "line")
        await asyncio.wait_for(place.sandbox.stop(), 60)
        assert living(token) == []
        with pytest.raises(SandboxError):
            async for _ in outputs:
                pass

    # programs that stay

    async def test_a_program_is_talked_to(self, place: Place) -> None:
        program = await place.sandbox.open_program(
            ["node", "-e", "process.stdin.pipe(process.stdout); console.error(process.env.EXTRA)"],
            env={"EXTRA": "more"},
        )
        for size in (5, 3_000_000):  # more than every pipe and window on the way holds
            sent = b"\x1b\r\n\0\xff" * (size // 5)
            writing = asyncio.create_task(program.write(sent))
            received = b""
            while len(received) < len(sent):
                received += await program.read()
            await writing
            assert received == sent
        await program.end()
        assert await program.read() == b""
        with pytest.raises(ConnectionError):
            await program.write(b"x")

    async def test_a_program_that_exits(self, place: Place, token: str) -> None:
        script = "process.stdin.once('data', () => { console.log('bye'); process.exit(7) })"
        program = await place.sandbox.open_program(["node", "-e", script, token])
        await program.write(b"x")
        assert await program.read() == b"bye\n"
        assert await program.read() == b""
        assert await program.exit_status() == 7
        assert living(token) == []
        with pytest.raises(ConnectionError):
            await program.write(b"x" * 1_000_000)
        await program.end()

    async def test_a_program_that_does_not_read_ends_on_request(
        self, place: Place, token: str
    ) -> None:
        script = await place.script("escape.mjs", ESCAPE)
        program = await place.sandbox.open_program(["node", script, token])
        assert await program.read() == b"started\n"
        writing = asyncio.create_task(program.write(b"x" * 3_000_000))
        await asyncio.sleep(0)
        await program.end()
        assert living(token) == []
        with pytest.raises(ConnectionError):
            await writing

    async def test_stopping_ends_programs(self, place: Place, token: str) -> None:
        flood = "for (;;) require('fs').writeSync(1, 'line\\n'.repeat(1000))"
        program = await place.sandbox.open_program(["node", "-e", flood, token])
        assert await program.read() != b""
        await asyncio.wait_for(place.sandbox.stop(), 60)
        assert living(token) == []
        while await program.read():
            pass

    async def test_a_program_that_does_not_exist(self, place: Place) -> None:
        async def outcome() -> int:
            program = await place.sandbox.open_program(["no-such-program"])
            return await program.exit_status()

        with pytest.raises(SandboxError, match="no-such-program"):
            await outcome()

    # the dev server

    async def test_the_server_is_ready_when_the_page_answers(
        self, place: Place, token: str
    ) -> None:
        url = await self.start(place, token)
        assert url == place.sandbox.url == f"http://127.0.0.1:{place.port}"
        assert "it runs" in await asyncio.to_thread(fetch, url)
        assert place.sandbox.status is SandboxStatus.RUNNING
        assert [status for status, _ in place.statuses] == [
            SandboxStatus.STARTING,
            SandboxStatus.RUNNING,
        ]
        await until(lambda: OutputLine("stdout", "listening") in place.lines, "its line arrives")

    @pytest.mark.parametrize("behaviour", ["", "escape", "stubborn"])
    async def test_stopping_ends_everything_of_the_server(
        self, place: Place, token: str, behaviour: str
    ) -> None:
        await self.start(place, token, behaviour)
        if behaviour == "escape":
            await until(
                lambda: any("-escaped" in p for p in living(token)), "the escaped process runs"
            )
        await place.sandbox.stop_server()
        assert living(token) == []
        assert place.sandbox.status is SandboxStatus.STOPPED
        await place.sandbox.stop_server()
        await place.sandbox.stop()
        await place.sandbox.stop()
        assert [status for status, _ in place.statuses][-1] is SandboxStatus.STOPPED

    async def test_a_crash_later_is_told_and_leaves_nothing(self, place: Place, token: str) -> None:
        url = await self.start(place, token, "escape")
        with contextlib.suppress(OSError):
            await asyncio.to_thread(fetch, f"{url}/crash")
        await until(lambda: place.sandbox.status is SandboxStatus.FAILED, "the crash is told")
        assert "exit status 3" in place.statuses[-1][1]
        assert OutputLine("stderr", "going down") in place.lines
        assert living(token) == []
        assert await self.start(place, token) == url

    async def test_a_server_that_prints_without_end_does_no_harm(
        self, place: Place, token: str
    ) -> None:
        url = await self.start(place, token, "flood")
        await until(
            lambda: any("lines left out" in line.text for line in place.lines), "it is said"
        )
        assert "it runs" in await asyncio.to_thread(fetch, url)
        await place.sandbox.stop_server()
        assert len(place.lines) < 20_000

    async def test_a_server_that_ends_at_once_is_not_ready(self, place: Place) -> None:
        with pytest.raises(ServerNotReadyError, match="exit status 4") as caught:
            await place.sandbox.start_server(
                ["node", "-e", "console.error('bad config'); process.exitCode = 4"]
            )
        assert "bad config" in caught.value.details["log"]
        assert place.sandbox.status is SandboxStatus.FAILED

    async def test_a_server_that_waits_for_its_error_to_be_mended_is_not_ready(
        self, place: Place
    ) -> None:
        said = "Process SpawnProcess-1:\\nTraceback (most recent call last):\\nNameError: x"
        program = f"console.error('{said}'); setInterval(() => {{}}, 1000)"
        with pytest.raises(ServerNotReadyError, match="waits for a change") as caught:
            await place.sandbox.start_server(["node", "-e", program], timeout=60)
        assert "NameError: x" in caught.value.details["log"]

    async def test_a_server_that_answers_errors_is_not_ready(
        self, place: Place, token: str
    ) -> None:
        with pytest.raises(ServerNotReadyError, match="did not answer within 8 seconds") as caught:
            await self.start(place, token, "broken", timeout=8)
        assert "listening" in caught.value.details["log"]
        assert living(token) == []

    async def test_a_server_that_goes_on_answering_errors_is_up(
        self, place: Place, token: str
    ) -> None:
        """The app's own error is for the review to see, not a start that failed."""
        await self.start(place, token, "broken", timeout=60)
        assert place.sandbox.status is SandboxStatus.RUNNING

    async def test_an_occupied_port_names_its_holder(self, place: Place, token: str) -> None:
        # One that answers 200: it must not pass for the app.
        holder = await asyncio.create_subprocess_exec(
            *(sys.executable, "-u", "-m", "http.server", "--bind", "127.0.0.1", str(place.port)),
            cwd=place.folder,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        try:
            assert holder.stdout
            assert b"Serving" in await holder.stdout.readline()
            with pytest.raises(PortInUseError, match=str(place.port)) as caught:
                await self.start(place, token)
            assert f"process {holder.pid}" in caught.value.message
            assert living(token) == []
        finally:
            holder.kill()
            await holder.communicate()
        await self.start(place, token)

    async def test_starting_again_replaces_the_server(self, place: Place, token: str) -> None:
        await self.start(place, f"{token}-one")
        await self.start(place, f"{token}-two")
        assert living(f"{token}-one") == []
        assert living(f"{token}-two") != []

    async def test_stopping_while_it_starts(self, place: Place, token: str) -> None:
        starting = asyncio.create_task(
            place.sandbox.start_server(["node", "-e", "setInterval(() => {}, 1000)", token])
        )
        await until(lambda: living(token), "the server's process runs")
        await asyncio.wait_for(place.sandbox.stop(), 60)
        with pytest.raises(ServerNotReadyError):
            await starting
        assert living(token) == []
        assert place.sandbox.status is SandboxStatus.STOPPED

    async def test_cancelling_the_start(self, place: Place, token: str) -> None:
        starting = asyncio.create_task(
            place.sandbox.start_server(["node", "-e", "setInterval(() => {}, 1000)", token])
        )
        await until(lambda: living(token), "the server's process runs")
        starting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await starting
        assert living(token) == []
        assert place.sandbox.status is SandboxStatus.STOPPED

    # the sandbox as a whole

    async def test_removing_leaves_the_work_folder_alone(self, place: Place, token: str) -> None:
        (place.folder / "kept.txt").write_text("mine")
        await self.start(place, token)
        await place.sandbox.remove()
        assert living(token) == []
        assert sorted(path.name for path in place.folder.iterdir()) == ["kept.txt", "server.mjs"]
        assert place.sandbox.status is SandboxStatus.ABSENT
        with pytest.raises(SandboxError, match="removed"):
            await run(place.sandbox, "node", "--version")
        with pytest.raises(SandboxError, match="removed"):
            await self.start(place, token)
        assert place.sandbox.status is SandboxStatus.ABSENT

    async def test_opening_again_takes_the_sandbox_over(
        self, place: Place, driver: SandboxDriver, spec: SandboxSpec, token: str
    ) -> None:
        await self.start(place, token)
        heard: list[SandboxStatus] = []
        again = await driver.open(
            spec, on_line=lambda _line: None, on_status=lambda status, _reason: heard.append(status)
        )
        assert again.status is SandboxStatus.RUNNING
        await again.stop()
        assert heard == [SandboxStatus.STOPPED]
        assert living(token) == []

    async def test_closing_the_driver_ends_everything(
        self, place: Place, driver: SandboxDriver, token: str
    ) -> None:
        await self.start(place, token, "escape")
        command = asyncio.create_task(
            run(
                place.sandbox, "node", await place.script("escape.mjs", ESCAPE), token, timeout=None
            )
        )
        await until(lambda: any("-grandchild" in p for p in living(token)), "the command runs")
        await driver.aclose()
        assert living(token) == []
        with pytest.raises(SandboxError):
            await command

    async def test_a_port_can_be_used_again_at_once(self, place: Place, token: str) -> None:
        for _ in range(3):
            url = await self.start(place, token)
            await asyncio.to_thread(fetch, url)
            await place.sandbox.stop_server()
            with socket.create_server(("127.0.0.1", place.port)):
                pass

    async def test_nothing_of_our_environment_is_seen_inside(
        self, driver: SandboxDriver, spec: SandboxSpec, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        secrets = {
            "ANTHROPIC_API_KEY": "sk-ant-secret-1",
            "OPENAI_API_KEY": "sk-secret-2",
            "AWS_SECRET_ACCESS_KEY": "secret-3",
            "NPM_TOKEN": "secret-4",
            "SSH_AUTH_SOCK": "/run/secret-5",
            "DBUS_SESSION_BUS_ADDRESS": "unix:path=/run/secret-6",
            "NODE_OPTIONS": "--title=secret-7",
        }
        for name, value in secrets.items():
            monkeypatch.setenv(name, value)
        sandbox = await driver.open(spec, on_line=lambda _: None, on_status=lambda *_: None)
        try:
            inside = json.loads(
                texts(await run(sandbox, "node", "-p", "JSON.stringify(process.env)"))[0]
            )
            everything = texts(
                await run(
                    sandbox,
                    "sh",
                    "-c",
                    "cat /proc/[0-9]*/environ 2>/dev/null | tr '\\0' '\\n'; env",
                )
            )
        finally:
            await driver.aclose()
        assert not set(secrets) & set(inside)
        assert inside["APP_GREETING"] == "hello"
        if sandbox.kind != "local":  # there the app has the person's own rights
            assert not [line for line in everything if "secret-" in line]
