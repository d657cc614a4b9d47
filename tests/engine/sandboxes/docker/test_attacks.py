"""Attacks from inside a real container on its rights, its files, its secrets and the files of others."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import shutil
import stat
from pathlib import Path
from uuid import uuid4

import pytest

from tests.engine.sandboxes.docker.hostile import (
    SECRETS,
    Cell,
    Jail,
    locked_project,
    on_one_loop,
    opened_jail,
)
from vibedesk.engine.sandboxes.docker.containers import USER
from vibedesk.engine.sandboxes.driver import SandboxError
from vibedesk.engine.sandboxes.sizes import SIZES

pytestmark = on_one_loop

UID = int(USER.partition(":")[0])


# -- rights

STATUSES = """
import json, os
found = {}
for pid in os.listdir('/proc'):
    if pid.isdigit():
        text = open(f'/proc/{pid}/status').read()
        fields = dict(line.split(':', 1) for line in text.splitlines() if ':' in line)
        found[pid] = {name: text.split() for name, text in fields.items() if name in (
            'Uid', 'Gid', 'Groups', 'CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb', 'NoNewPrivs', 'Seccomp')}
print(json.dumps(found))
"""


async def test_nothing_inside_has_any_rights(cell: Cell) -> None:
    found = await cell.answer(STATUSES)
    assert {"1", str(max(map(int, found)))} <= found.keys()
    assert len(found) >= 5  # init and its sleep, the session, the supervisor, this
    for fields in found.values():
        assert fields["Uid"] == [str(UID)] * 4
        assert fields["Gid"] == [str(UID)] * 4
        assert set(fields["Groups"]) <= {str(UID)}
        for capabilities in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
            assert int(fields[capabilities][0], 16) == 0
        assert fields["NoNewPrivs"] == ["1"]
        assert fields["Seccomp"] == ["2"]


async def test_programs_that_change_the_user_change_nothing(jail: Jail, cell: Cell) -> None:
    inside = await cell.run("find", "/", "-xdev", "-perm", "/6000", "-type", "f")
    assert inside.lines == []
    assert (await cell.run("cp", "/usr/bin/id", "/home/app/id")).status == 0
    planted = jail.files_of(cell) / "home" / "id"
    os.chown(planted, 0, 0)
    planted.chmod(0o6755)
    assert (await cell.run("stat", "-c", "%u %a", "/home/app/id")).lines == ["0 6755"]
    assert (await cell.run("/home/app/id", "-u")).lines == [str(UID)]
    assert (await cell.run("/home/app/id", "-g")).lines == [str(UID)]


DOORS = """
import ctypes, errno, json, os, socket, time
libc = ctypes.CDLL(None, use_errno=True)

def call(function, *arguments):
    ctypes.set_errno(0)
    return 'OPEN' if getattr(libc, function)(*arguments) >= 0 else errno.errorcode[ctypes.get_errno()]

def attempt(work):
    try:
        work()
    except OSError as error:
        return errno.errorcode[error.errno]
    return 'OPEN'

found = {
    'mount': call('mount', b'none', b'/app', b'tmpfs', 0, None),
    'bind': call('mount', b'/', b'/app', None, 4096, None),
    'remount': call('mount', b'none', b'/', None, 32 | 4096, None),
    'umount': call('umount2', b'/app', 2),
    'unmask': call('umount2', b'/proc/keys', 2),
    'chroot': call('chroot', b'/app'),
    'sethostname': call('sethostname', b'x', 1),
    'reboot': call('reboot', 0),
    'acct': call('acct', None),
    'setuid': attempt(lambda: os.setuid(0)),
    'setgid': attempt(lambda: os.setgid(0)),
    'setgroups': attempt(lambda: os.setgroups([0])),
    'mknod': attempt(lambda: os.mknod('/app/disk', 0o60666, os.makedev(8, 0))),
    'chown': attempt(lambda: os.chown('/app', 0, 0)),
    'nice': attempt(lambda: os.setpriority(os.PRIO_PROCESS, 0, -5)),
    'clock': attempt(lambda: time.clock_settime(time.CLOCK_REALTIME, 0)),
    'packet socket': attempt(lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0x300)),
    'raw socket': attempt(lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, 1)),
    'raw socket 6': attempt(lambda: socket.socket(socket.AF_INET6, socket.SOCK_RAW, 58)),
    'socket to the machine below': attempt(lambda: socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM)),
    'socket to the ciphers': attempt(lambda: socket.socket(38, socket.SOCK_SEQPACKET)),
}
for name, flag in {'user': 0x10000000, 'mount': 0x20000, 'pid': 0x20000000, 'net': 0x40000000,
                   'cgroup': 0x2000000}.items():
    found[f'unshare {name}'] = call('unshare', flag)
found['setns'] = call('setns', os.open('/proc/1/ns/mnt', 0) if os.access('/proc/1/ns/mnt', 4) else 0, 0)
numbers = {'keyctl': 250, 'add_key': 248, 'request_key': 249, 'bpf': 321, 'perf_event_open': 298,
           'init_module': 175, 'finit_module': 313, 'kexec_load': 246, 'userfaultfd': 323,
           'open_by_handle_at': 304, 'quotactl': 179, 'syslog': 103, 'iopl': 172, 'swapon': 167}
numbers['io_uring_setup'] = 425
for name, number in numbers.items() if os.uname().machine == 'x86_64' else ():
    ctypes.set_errno(0)
    result = libc.syscall(number, 8, ctypes.create_string_buffer(256), 0, 0, 0)
    found[name] = 'OPEN' if result >= 0 else errno.errorcode[ctypes.get_errno()]
print(json.dumps(found))
"""


async def test_the_doors_of_the_kernel_are_shut(cell: Cell) -> None:
    found = await cell.answer(DOORS)
    refusals = {"EPERM", "EACCES", "ENOSYS", "EAFNOSUPPORT"}
    assert {name: how for name, how in found.items() if how not in refusals} == {}
    assert len(found) > 25


BORROW = """
import ctypes, json, os
libc = ctypes.CDLL(None, use_errno=True)
first = [pid for pid in os.listdir('/proc') if pid.isdigit()
         and open(f'/proc/{pid}/comm').read().strip() in ('tini', 'sleep')]
found = []
for pid in first:
    if libc.ptrace(16, int(pid), None, None) >= 0:
        found.append(f'ptrace {pid}')
    for name in ('mem', 'fd', 'root', 'environ'):
        try:
            path = f'/proc/{pid}/{name}'
            found += [path, os.listdir(path)] if name in ('fd', 'root') else [path, open(path, 'r+b')]
        except OSError:
            pass
print(json.dumps([sorted(first, key=int)[:1], len(first), found]))
"""


async def test_the_first_processes_cannot_be_borrowed(cell: Cell) -> None:
    """They were there before our own filter: who could write into them would be free of it."""
    assert await cell.answer(BORROW) == [["1"], 2, []]


# -- files

WRITABLE = """
import json, os, stat, sys
writable, tried = [], 0
for folder, folders, files in os.walk('/', followlinks=False):
    if folder in ('/proc', '/app', '/home/app'):
        folders.clear()
        continue
    folders[:] = [name for name in folders if not os.path.islink(os.path.join(folder, name))]
    probe = os.path.join(folder, '.probe')
    try:
        os.close(os.open(probe, os.O_CREAT | os.O_WRONLY | os.O_EXCL))
        writable.append(folder)
        os.unlink(probe)
    except OSError:
        pass
    tried += 1
    for name in files:
        path = os.path.join(folder, name)
        if os.path.islink(path) or stat.S_ISCHR(os.lstat(path).st_mode):
            continue
        try:
            os.close(os.open(path, os.O_WRONLY | os.O_NONBLOCK))
            writable.append(path)
        except OSError:
            pass
for folder, _, files in os.walk('/proc/sys'):
    for name in files:
        try:
            os.close(os.open(os.path.join(folder, name), os.O_WRONLY))
            writable.append(os.path.join(folder, name))
        except OSError:
            pass
print(json.dumps([writable, tried]))
"""


async def test_only_its_own_folders_can_be_written(cell: Cell) -> None:
    """Every folder and every file of the container is tried, as well as every switch of the kernel."""
    writable, tried = await cell.answer(WRITABLE)
    assert sorted(writable) == ["/dev/mqueue", "/dev/shm", "/tmp"]
    assert tried > 1000
    for folder in ("/app", "/home/app"):
        assert (await cell.run("touch", f"{folder}/probe")).status == 0


async def test_the_root_cannot_be_written_even_by_its_owner(jail: Jail, cell: Cell) -> None:
    """What the user's missing rights hide: the file system itself takes nothing."""
    container = jail.client.containers.get(cell.container)
    for place in ("/", "/usr/bin", "/etc", "/opt/vibedesk", "/var/lib", "/root"):
        done = await asyncio.to_thread(container.exec_run, ["touch", f"{place}/probe"], user="0:0")
        assert b"Read-only file system" in done.output
    done = await asyncio.to_thread(
        container.exec_run, ["sh", "-c", "echo 1 > /proc/sys/vm/drop_caches"], user="0:0"
    )
    assert b"Read-only file system" in done.output


SEARCH = """
import os, sys
word = sys.argv[1].encode()
def look(path):
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    except OSError:
        return
    try:
        before = b''
        for _ in range(64):
            data = os.read(fd, 1 << 20)
            if word in before + data:
                print('FOUND in', path)
                return
            if not data:
                return
            before = data[-200:]
    except OSError:
        pass
    finally:
        os.close(fd)
for folder, folders, files in os.walk('/'):
    if folder == '/':
        folders[:] = [name for name in folders if name not in ('proc', 'sys', 'usr')]
    for name in files + folders:
        if sys.argv[1] in name:
            print('FOUND', os.path.join(folder, name))
    for name in files:
        path = os.path.join(folder, name)
        if not os.path.islink(path):
            look(path)
for pid in filter(str.isdigit, os.listdir('/proc')):
    if int(pid) != os.getpid():
        for name in ('environ', 'cmdline', 'mountinfo', 'maps'):
            look(f'/proc/{pid}/{name}')
look('/proc/cmdline')
print('searched')
"""


async def search(cell: Cell, word: str) -> list[str]:
    """Return where a word can be seen from inside: names, contents, environments."""
    # Put together inside, so that the command line of the search does not hold it.
    code = f"import sys; sys.argv.append({word[:4]!r} + {word[4:]!r})\n{SEARCH}"
    *found, last = (await cell.python(code, timeout=60)).lines
    assert last == "searched"
    return sorted(found)


async def test_no_file_of_the_host_is_seen(jail: Jail, cell: Cell, tmp_path: Path) -> None:
    word = f"secret{uuid4().hex}"
    places = [
        cell.folder.parent,  # beside the project
        jail.folder,  # VibeDesk's own
        tmp_path,
        Path(os.environ["VIBEDESK_HOME"]),
        Path.home(),
        jail.cells[0].folder,  # another project
    ]
    files = [place / f"{word}.txt" for place in places]
    try:
        for file in files:
            file.write_text(word)
        assert await search(cell, word) == []
        (cell.folder / "own.txt").write_text(word)
        await cell.sandbox.push(["own.txt"])
        assert await search(cell, word) == ["FOUND in /app/own.txt"]
    finally:
        for file in [*files, cell.folder / "own.txt"]:
            file.unlink(missing_ok=True)
        await cell.sandbox.push(["own.txt"])


MOUNTS = """
import json
print(json.dumps([line.split()[4] for line in open('/proc/self/mountinfo')
                  if not line.split()[4].startswith(('/proc', '/sys', '/dev'))]))
"""


async def test_nothing_of_the_host_is_mounted(cell: Cell) -> None:
    found = await cell.answer(MOUNTS)
    docker_makes = ["/etc/hostname", "/etc/hosts", "/etc/resolv.conf"]
    assert sorted(found) == sorted(["/", "/app", "/home/app", "/run", "/tmp", *docker_makes])
    assert (await cell.run("cat", "/etc/hosts", "/etc/hostname")).text.count("sandbox") >= 1


async def test_no_way_to_docker(cell: Cell) -> None:
    sockets = await cell.run("sh", "-c", "find / -type s 2>/dev/null; ls /run /var/run")
    assert [line for line in sockets.lines if "sock" in line or "docker" in line] == []
    abstract = await cell.run("sh", "-c", "grep @ /proc/net/unix")
    assert abstract.lines == []
    blocks = await cell.run(
        "sh", "-c", "find /dev -type b; ls /dev | grep -E '^(sd|vd|nvme|mem|kmem|kmsg|fuse)'"
    )
    assert blocks.lines == []


# -- git's folder


async def test_gits_folder_is_never_seen(jail: Jail) -> None:
    word = f"secret{uuid4().hex}"
    paths = [".git/config", "lib/.git", "deep/er/.git/HEAD", "odd/.GIT/config", ".gitignore"]
    prisoner = await jail.open(files={"index.html": "mine", **dict.fromkeys(paths, word)})
    later = [".git/later", "new/.git/config", ".Git/x", "plain.txt"]
    for path in later:
        (prisoner.folder / path).parent.mkdir(parents=True, exist_ok=True)
        (prisoner.folder / path).write_text(word)
    await prisoner.sandbox.push([*later, *paths])
    assert (await search(prisoner, word)) == ["FOUND in /app/.gitignore", "FOUND in /app/plain.txt"]
    found = await prisoner.run("find", "/", "-xdev", "-iname", ".git")
    assert found.lines == []
    assert (await prisoner.run("find", "/app", "-iname", ".git")).lines == []
    await prisoner.sandbox.remove()


async def test_a_planted_git_folder_does_not_come_out(cell: Cell) -> None:
    """Git runs programs that its configuration names: one from inside would run as the person."""
    (cell.folder / ".git").mkdir(exist_ok=True)
    (cell.folder / ".git" / "config").write_text("the person's")
    planted = [
        ".git/config",
        ".git/hooks/post-checkout",
        "lib/.git",
        ".GIT/config",
        "lib/.Git/hooks/x",
    ]
    script = (
        'for path; do mkdir -p "$(dirname $path)"; echo evil > $path; done; echo fine > fine.txt'
    )
    assert (await cell.run("sh", "-c", script, "sh", *planted)).status == 0
    await cell.sandbox.pull([*planted, "fine.txt"])
    assert (cell.folder / ".git" / "config").read_text() == "the person's"
    assert (cell.folder / "fine.txt").read_text() == "fine\n"
    outside = [str(path.relative_to(cell.folder)) for path in cell.folder.rglob("*")]
    assert sorted(path for path in outside if "git" in path.lower()) == [".git", ".git/config"]
    await cell.run("sh", "-c", "rm -rf .git .GIT lib fine.txt")


# -- secrets


async def test_no_secret_of_the_engine_is_seen(jail: Jail, cell: Cell) -> None:
    assert all(os.environ[name] == value for name, value in SECRETS.items())
    assert all("kept-secret" in value for value in SECRETS.values())
    assert await search(cell, "kept-secret") == []
    attributes = jail.client.api.inspect_container(cell.container)
    assert not [value for value in SECRETS.values() if value in json.dumps(attributes)]
    names = {entry.partition("=")[0] for entry in attributes["Config"]["Env"]}
    assert names == {"PATH", "HOME", "LANG"}


async def test_the_passwords_of_docker_stay_outside(
    docker_host: str,
    docker_image: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The docker command gives every container the proxies of its configuration, with their passwords."""
    proxy = "http://me:secret-of-docker@127.0.0.1:9"
    settings = {"proxies": {"default": {"httpProxy": proxy, "httpsProxy": proxy}}}
    (tmp_path / "config.json").write_text(json.dumps(settings))
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    async with opened_jail(docker_host, tmp_path) as own:
        attributes = own.client.api.inspect_container(own.cells[0].container)
        assert "secret-of-docker" not in json.dumps(attributes)
        assert await search(own.cells[0], "secret-of-docker") == []


# -- links and names that lead elsewhere


async def test_a_link_inside_brings_nothing_of_the_host_and_is_no_link_outside(cell: Cell) -> None:
    outside = cell.folder.parent / "outside.txt"
    outside.write_text("the host's")
    script = (
        f"ln -sfn /etc/passwd link; ln -sfn {outside} host; ln -sfn / root; mkfifo pipe; "
        "ln -sfn /app/plain hop; echo text > plain; ln -f plain hard; "
        "python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind(\"socket\")'"
    )
    assert (await cell.run("sh", "-c", script)).status == 0
    links_and_the_like = ["hop", "host", "link", "pipe", "socket"]
    await cell.sandbox.pull([*links_and_the_like, "root/etc/hostname", "plain", "hard", "none"])
    assert cell.told.splitlines() == [
        f"{path} is a link or no plain file in the sandbox: it was not taken over into the project."
        for path in links_and_the_like
    ]
    came = {p.name: p for p in cell.folder.rglob("*") if p.is_file()}
    assert not [path for path in cell.folder.rglob("*") if path.is_symlink()]
    assert not set(links_and_the_like) & came.keys()
    assert came["plain"].read_text() == came["hard"].read_text() == "text\n"
    # Through a folder that is a link the sandbox's own files can come, as plain files; they are its own.
    assert came["hostname"].read_text() == "sandbox\n"
    assert outside.read_text() == "the host's"
    await cell.run("sh", "-c", "rm -rf link host root pipe hop plain hard socket")
    shutil.rmtree(cell.folder / "root")


async def test_a_link_in_the_hosts_folder_is_followed_in_neither_direction(cell: Cell) -> None:
    outside = cell.folder.parent / "elsewhere"
    outside.mkdir()
    word = f"secret{uuid4().hex}"
    (outside / "file.txt").write_text(word)
    (cell.folder / "file-link").symlink_to(outside / "file.txt")
    (cell.folder / "folder-link").symlink_to(outside)
    try:
        await cell.sandbox.push(["file-link", "folder-link", "folder-link/file.txt"])
        assert await search(cell, word) == []
        await cell.run(
            "sh",
            "-c",
            "rm -rf *link; mkdir -p folder-link/a/b; echo evil | tee folder-link/file.txt folder-link/a/b/c file-link",
        )
        with pytest.raises(SandboxError, match="behind a link"):
            await cell.sandbox.pull(["folder-link/file.txt"])
        with pytest.raises(SandboxError, match="behind a link"):
            await cell.sandbox.pull(["folder-link/a/b/c"])
        await cell.sandbox.pull(["file-link"])
        assert [path.name for path in outside.rglob("*")] == ["file.txt"]
        assert (outside / "file.txt").read_text() == word
        assert (cell.folder / "file-link").read_text() == "evil\n"
        assert not (cell.folder / "file-link").is_symlink()
    finally:
        (cell.folder / "folder-link").unlink()
        (cell.folder / "file-link").unlink()
        shutil.rmtree(outside)
        await cell.sandbox.push(["file-link"])


@pytest.mark.parametrize(
    "path", ["../up.txt", "/tmp/x", "a/../../up.txt", "./x", "a//b", "", "nul\0byte", "a/../b"]
)
async def test_paths_that_lead_out_are_refused(cell: Cell, path: str) -> None:
    before = sorted(cell.folder.parent.rglob("*"))
    with pytest.raises(SandboxError):
        await cell.sandbox.pull([path])
    with pytest.raises(SandboxError):
        await cell.sandbox.push([path])
    assert sorted(cell.folder.parent.rglob("*")) == before
    assert (await cell.run("echo", "well")).lines == ["well"]


# -- the files of others


async def test_the_files_of_another_sandbox_cannot_be_reached(jail: Jail, cell: Cell) -> None:
    word = f"secret{uuid4().hex}"
    neighbour = jail.cells[0]
    planted = await neighbour.run(
        "sh", "-c", f"echo {word} > /app/note; echo {word} > ~/note; echo {word} > /tmp/note"
    )
    assert planted.status == 0
    assert await search(cell, word) == []
    places = [jail.store, jail.files_of(neighbour), jail.store / "layers", Path("/store/sandboxes")]
    tried = await cell.run("ls", "-d", *map(str, places))
    assert tried.lines == []
    assert (await cell.run("ls", "-A", "/store")).lines == []


# -- packages that several sandboxes share

POISON = """
import ctypes, os, shutil
root = '/app/node_modules/shared'
def attempt(work):
    try:
        work()
    except OSError as error:
        print(error)
attempt(lambda: open(f'{root}/index.js', 'a').write('evil'))
attempt(lambda: os.chmod(f'{root}/package.json', 0o777))
attempt(lambda: os.truncate(f'{root}/package.json', 0))
attempt(lambda: os.link(f'{root}/index.js', '/home/app/hard'))
attempt(lambda: os.link(f'{root}/index.js', '/app/hard'))
attempt(lambda: open('/app/hard', 'w').write('evil'))
attempt(lambda: os.setxattr(f'{root}/index.js', 'user.evil', b'1'))
attempt(lambda: os.utime(f'{root}/index.js', (1, 1)))
attempt(lambda: os.rename(root, '/app/node_modules/renamed'))
os.makedirs(root, exist_ok=True)
attempt(lambda: open(f'{root}/index.js', 'w').write('module.exports = "evil"'))
attempt(lambda: os.symlink('/tmp', '/app/node_modules/.bin/evil'))
attempt(lambda: shutil.rmtree('/app/node_modules/other'))
attempt(lambda: os.unlink('/app/node_modules/.package-lock.json'))
attempt(lambda: os.mknod('/app/node_modules/whiteout', 0o20000, 0))
attempt(lambda: os.chmod('/app/node_modules', 0o700))
libc = ctypes.CDLL(None, use_errno=True)
for name in (b'trusted.overlay.redirect', b'trusted.overlay.opaque', b'trusted.overlay.metacopy', b'security.capability'):
    assert libc.setxattr(b'/app/node_modules', name, b'/../../sandboxes', 16, 0) < 0, name
print('tried')
"""


def tree_state(folder: Path) -> dict[str, tuple[object, ...]]:
    """Return everything about a tree: contents, kinds, modes, owners, times, attributes."""
    found: dict[str, tuple[object, ...]] = {}
    for path in sorted(folder.rglob("*")):
        status = path.lstat()
        content = b""
        if stat.S_ISREG(status.st_mode):
            content = path.read_bytes()
        elif path.is_symlink():
            content = str(path.readlink()).encode()
        attributes = tuple(os.listxattr(path, follow_symlinks=False))
        digest = hashlib.sha256(content).hexdigest()
        facts = (status.st_mode, status.st_uid, status.st_nlink, status.st_mtime_ns)
        found[str(path.relative_to(folder))] = (digest, *facts, attributes)
    return found


async def test_shared_packages_cannot_be_changed_by_anybody(jail: Jail) -> None:
    jail.registry.publish("shared", "1.0.0", text="module.exports = 'good'")
    jail.registry.publish("other", "1.0.0")
    files = locked_project(jail, shared="1.0.0", other="1.0.0")
    attacker, bystander = await jail.open(files=files), await jail.open(files=files)
    (layer,) = [path for path in (jail.store / "layers").iterdir() if path.name != "none"]
    before = tree_state(layer)
    assert "node_modules/shared/index.js" in before
    asked = ["node", "-p", "require('shared') + require('other')"]
    assert (await bystander.run(*asked)).lines == ["goodother@1.0.0"]

    outcome = await attacker.python(POISON)
    assert outcome.lines[-1] == "tried"
    assert "Invalid cross-device link" in outcome.text
    assert (await attacker.run("node", "-p", "require('shared')")).lines == ["evil"]

    assert tree_state(layer) == before
    late = await jail.open(files=files)
    for each in (bystander, late):
        assert (await each.run(*asked)).lines == ["goodother@1.0.0"]
        assert (await each.run("test", "-e", "/app/node_modules/renamed")).status == 1
    await attacker.sandbox.remove()
    assert tree_state(layer) == before
    for each in (bystander, late):
        await each.sandbox.remove()


async def test_what_a_project_says_elsewhere_does_not_reach_shared_packages(jail: Jail) -> None:
    """A package's own script may read the manifest: what it then makes belongs to one project only."""
    tell = "require('fs').writeFileSync('said.txt', String(require('/app/package.json').greeting))"
    scripts = {"install": f'node -e "{tell}"'}
    jail.registry.publish("telling", "1.0.0", scripts=scripts)
    attacker = await jail.open(files=locked_project(jail, {"greeting": "evil"}, telling="1.0.0"))
    bystander = await jail.open(files=locked_project(jail, {"greeting": "good"}, telling="1.0.0"))
    for each in (attacker, bystander):
        assert (await each.run("cat", "node_modules/telling/said.txt")).lines == ["undefined"]
        await each.sandbox.remove()


# -- the end of everything


PUT_BACK = "Files of the project were gone in the sandbox and were put back."


@pytest.mark.parametrize("place", ["/", "/app/*"])
async def test_deleting_everything_hurts_nobody_else(jail: Jail, place: str) -> None:
    had, added = (f"{word}-{len(jail.cells)}" for word in ("had", "added"))
    for name in (had, added):
        jail.registry.publish(name, "1.0.0")
    files = {"index.html": "mine", **locked_project(jail, **{had: "1.0.0"})}
    cell = await jail.open(size=SIZES["lite"], files=files)
    before = tree_state(cell.folder)
    async with jail.nobody_else_notices():
        deleting = f"rm -rf --no-preserve-root {place} 2>/dev/null; echo done"
        assert (await cell.run("sh", "-c", deleting)).lines == ["done"]
        emptied = ["/app", *(["/home/app"] if place == "/" else [])]
        assert (await cell.run("find", *emptied, "-mindepth", "1")).lines == []
    assert tree_state(cell.folder) == before

    # The session goes on; what is installed in it, and what is served, has the project's files.
    await cell.sandbox.push_all()
    assert cell.told.splitlines().count(PUT_BACK) == 1
    assert (await cell.run("cat", "index.html")).lines == ["mine"]
    adding = await cell.run("npm", "install", "--save-exact", f"{added}@1.0.0", timeout=60)
    assert adding.status == 0, adding.text
    await cell.sandbox.pull(["package.json"])
    manifest = json.loads((cell.folder / "package.json").read_text())
    assert manifest == {"name": "app", "dependencies": {added: "1.0.0", had: "1.0.0"}}

    await cell.run("sh", "-c", "rm -rf /app/*")
    await cell.serve()
    assert cell.told.splitlines().count(PUT_BACK) == 2
    assert (await cell.run("cat", "index.html")).lines == ["mine"]
    await cell.serve()
    assert cell.told.splitlines().count(PUT_BACK) == 2
    await cell.sandbox.remove()
