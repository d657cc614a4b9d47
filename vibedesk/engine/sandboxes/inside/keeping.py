"""What the keeper does with the folders of every sandbox: makes, measures and removes them."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable

from vibedesk.engine.sandboxes.inside.channels import Agent, Channel, explain
from vibedesk.engine.sandboxes.inside.frames import MOST_PAYLOAD, RESULT, Json

_STORE = "/store"
_NO_PACKAGES = "none"
_OWNER = 61000
_FACTS = "facts.json"
_LEAST_ENTRY_BYTES = 4096


class Task(Channel):
    """Blocking work in a process of its own, so that a large tree holds up nobody else."""

    def __init__(self, agent: Agent, number: int, request: Json) -> None:
        super().__init__(agent, number)
        self._work = _KEEPER_WORK[str(request["work"])]
        self._request = request
        self._text = bytearray()
        self._pipe = -1
        self._pid = 0

    def begin(self) -> None:
        self._pipe, write = os.pipe()
        try:
            self._pid = os.fork()
        except OSError as error:
            os.close(self._pipe)
            os.close(write)
            self.finish({"error": explain(error)})
            return
        if not self._pid:
            try:
                result = self._work(self._request)
            except Exception as error:  # noqa: BLE001 - whatever it is, it must be told
                result = {"error": explain(error)}
            with contextlib.suppress(OSError):
                os.write(write, json.dumps(result).encode())
            os._exit(0)
        os.close(write)
        self.agent.children.add(self._pid)
        self.agent.watch(self._pipe, reads=self._read)

    def _read(self) -> None:
        data = os.read(self._pipe, 65536)
        if data:
            self._text += data
            return
        self._close()
        try:
            result = json.loads(self._text)
        except ValueError:
            result = {"error": "the work was ended"}
        # Results may be longer than a frame.
        text = memoryview(json.dumps(result).encode())
        while text:
            self.send(text[:MOST_PAYLOAD])
            text = text[MOST_PAYLOAD:]
        self.finish({})

    def _close(self) -> None:
        if self._pipe >= 0:
            self.agent.watch(self._pipe)
            os.close(self._pipe)
            self._pipe = -1
            os.waitpid(self._pid, 0)
            self.agent.children.discard(self._pid)

    def abort(self) -> None:
        super().abort()
        if self._pipe >= 0:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._pid, signal.SIGKILL)
            self._close()


def _kept_path(*names: str) -> str:
    for name in names:
        if not name or name.startswith(".") or "/" in name or "\0" in name:
            raise ValueError(f"no name: {name!r}")
    return os.path.join(_STORE, *names)


def _make_sandbox(request: Json) -> Json:
    os.makedirs(_kept_path("layers", _NO_PACKAGES), exist_ok=True)
    root = _kept_path("sandboxes", request["key"])
    for name in ("upper", "work", "home"):
        os.makedirs(os.path.join(root, name), exist_ok=True)
    for name in ("upper", "home"):
        os.chown(os.path.join(root, name), _OWNER, _OWNER)
    # Labels and volumes can be lost while these files are not.
    with open(os.path.join(root, f"{_FACTS}.new"), "w") as file:
        json.dump(request["facts"], file)
    os.replace(os.path.join(root, f"{_FACTS}.new"), os.path.join(root, _FACTS))
    return {}


def _facts(request: Json) -> Json:
    """Return what was noted when the sandbox was made."""
    try:
        with open(os.path.join(_kept_path("sandboxes", request["key"]), _FACTS)) as file:
            return {"facts": json.load(file)}
    except (FileNotFoundError, ValueError):
        return {"facts": {}}


def _drop_packages(request: Json) -> Json:
    """Remove what a sandbox changed in its packages; nothing shows the sandbox's files meanwhile."""
    upper = os.path.join(_kept_path("sandboxes", request["key"]), "upper")
    for name in ("node_modules", ".venv"):
        path = os.path.join(upper, name)
        if os.path.lexists(path):
            remove_tree(path)
    return {}


def _names(_request: Json) -> Json:
    found: Json = {}
    for folder in ("layers", "sandboxes"):
        root = _kept_path(folder)
        found[folder] = sorted(os.listdir(root)) if os.path.isdir(root) else []
    return found


def _empty_bin(_request: Json) -> Json:
    """Remove what was on its way out when an earlier keeper ended."""
    path = _kept_path("removed")
    if os.path.isdir(path):
        remove_tree(path)
    return {}


def _remove(request: Json) -> Json:
    path = _kept_path(request["folder"], request["key"])
    if not os.path.lexists(path):
        return {}
    # First out of the way: what is half removed must not pass for something whole.
    bin_folder = _kept_path("removed")
    away = os.path.join(bin_folder, f"{request['key']}-{os.getpid()}-{time.monotonic_ns()}")
    try:
        os.makedirs(bin_folder, exist_ok=True)
        os.rename(path, away)
    except OSError:  # a full disk, which this is to make emptier
        away = path
    remove_tree(away)
    return {}


def _commit_layer(request: Json) -> Json:
    """Make the upper folder of a sandbox that only installed packages the layer of a lock file."""
    source = os.path.join(_kept_path("sandboxes", request["sandbox"]), "upper")
    target = _kept_path("layers", request["key"])
    if os.path.lexists(target):
        return {}
    os.makedirs(_kept_path("layers"), exist_ok=True)
    with os.scandir(source) as entries:
        for entry in entries:
            if entry.name not in request["made"]:
                remove_tree(entry.path)
    packages = os.path.join(source, request["made"][0])
    if not os.path.isdir(packages) or os.path.islink(packages):
        raise ValueError("there are no packages")
    os.utime(source)
    os.rename(source, target)
    return {}


def remove_tree(path: str) -> None:
    """Remove what an app made, however deep it is; links are not followed.

    Raises:
        OSError: something of it is still there.
    """
    subprocess.run(["rm", "-rf", "--", path], stderr=subprocess.DEVNULL, check=False)
    if os.path.lexists(path):
        raise OSError(errno.ENOTEMPTY, os.strerror(errno.ENOTEMPTY), path)


def _touch_layer(request: Json) -> Json:
    path = _kept_path("layers", request["key"])
    found = os.path.isdir(path)
    if found:
        os.utime(path)
    return {"found": found}


def _sizes(request: Json) -> Json:
    """Return what the named sandboxes take, or everything that is kept."""
    names = request.get("sandboxes")
    if names is not None:
        sizes = {name: tree_bytes(_kept_path("sandboxes", name)) for name in names}
        return {"sandboxes": sizes, "free": free_bytes()}
    found: Json = {"free": free_bytes()}
    for folder in ("layers", "sandboxes"):
        root = os.path.join(_STORE, folder)
        entries = sorted(os.listdir(root)) if os.path.isdir(root) else []
        taken = {name: _size_and_use(os.path.join(root, name)) for name in entries}
        found[folder] = {name: told for name, told in taken.items() if told}
    return found


def _size_and_use(path: str) -> list[int] | None:
    """Return what an entry takes and when it was used last; None where it has gone meanwhile, as a layer being made."""
    try:
        used = os.stat(path).st_mtime
    except FileNotFoundError:
        return None
    return [tree_bytes(path), int(used)]


def tree_bytes(path: str) -> int:
    """Return what a tree takes on the disk; it may change meanwhile.

    Every entry counts as one block at least: a disk also runs out of entries. `find` follows an app to any depth,
    where paths have long become too long.
    """
    words = ["find", path, "-xdev", "-printf", "%b %n %y\n"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as found:
        assert found.stdout
        return sum(map(_entry_bytes, found.stdout))


def _entry_bytes(line: bytes) -> int:
    blocks, links, kind = line.split()
    taken = max(int(blocks) * 512, _LEAST_ENTRY_BYTES)
    return taken if kind == b"d" else taken // int(links)


def free_bytes() -> int:
    found = os.statvfs(_STORE)
    return found.f_bavail * found.f_frsize


def tell_free(agent: Agent, number: int, _request: Json) -> None:
    """Tell what is free on the disk at once: it is asked several times a second."""
    found = os.statvfs(_STORE)
    told = {
        "free": found.f_bavail * found.f_frsize,
        "total": found.f_blocks * found.f_frsize,
        "entries": found.f_favail,
    }
    agent.send(RESULT, number, json.dumps(told).encode())


def _has(request: Json) -> Json:
    """Tell which of the named entries exist."""
    return {
        "found": [
            key for key in request["keys"] if os.path.isdir(_kept_path(request["folder"], key))
        ]
    }


_KEEPER_WORK: dict[str, Callable[[Json], Json]] = {
    "facts": _facts,
    "drop_packages": _drop_packages,
    "names": _names,
    "empty_bin": _empty_bin,
    "make_sandbox": _make_sandbox,
    "remove": _remove,
    "commit_layer": _commit_layer,
    "touch_layer": _touch_layer,
    "sizes": _sizes,
    "has": _has,
}
