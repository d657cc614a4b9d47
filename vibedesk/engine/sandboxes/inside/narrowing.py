"""What a session's program does to itself before it serves an app."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import socket
import struct

_PR_SET_NO_NEW_PRIVS = 38
_PR_SET_SECCOMP = 22
_FILTER = 2
_ALLOW = 0x7FFF0000
_ERROR = 0x00050000

# Offsets in what a filter is given of a system call: its number, the architecture, its first argument.
_NUMBER, _ARCHITECTURE, _FIRST = 0, 4, 16
_LOAD, _EQUALS, _AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06

_X32 = 0x40000000
_IO_URING_SETUP = 425
# By machine: its number in the kernel, and the number of `socket` there.
_MACHINES = {"x86_64": (0xC000003E, 41), "aarch64": (0xC00000B7, 198)}
_FAMILIES = (socket.AF_UNIX, socket.AF_INET, socket.AF_INET6, 16)  # 16: netlink


def outlive_the_app() -> None:
    """Let the kernel end anything else in the sandbox first when memory runs out; commands raise their score."""
    with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w") as file:
        file.write("0")


def narrow() -> None:
    """Shut a few doors of the kernel for this process and all that it starts; cannot be undone.

    Sockets to the machine under this one (vsock) belong to no network namespace, so a container without a network
    still has them, and io_uring opens any socket past a filter. Newer engines shut both themselves.

    Raises:
        OSError: the kernel takes no filter.
    """
    machine = _MACHINES.get(os.uname().machine)
    if machine is None:
        return
    program = b"".join(struct.pack("=HBBI", *step) for step in _steps(*machine))
    code = ctypes.create_string_buffer(program)
    # struct sock_fprog: how many steps, and where they are.
    whole = ctypes.create_string_buffer(
        struct.pack("@HP", len(program) // 8, ctypes.addressof(code))
    )
    _prctl(_PR_SET_NO_NEW_PRIVS, 1)
    _prctl(_PR_SET_SECCOMP, _FILTER, ctypes.addressof(whole))


def _steps(architecture: int, socket_number: int) -> list[tuple[int, int, int, int]]:
    """Return the filter: operation, how many steps to go on when it holds and when not, operand."""
    families = [
        (_EQUALS, len(_FAMILIES) - place, 0, family) for place, family in enumerate(_FAMILIES)
    ]
    return [
        (_LOAD, 0, 0, _ARCHITECTURE),
        (_EQUALS, 1, 0, architecture),
        (_RETURN, 0, 0, _ERROR | errno.ENOSYS),  # programs of a related machine
        (_LOAD, 0, 0, _NUMBER),
        (_AT_LEAST, 0, 1, _X32),
        (_RETURN, 0, 0, _ERROR | errno.ENOSYS),
        (_EQUALS, 0, 1, _IO_URING_SETUP),
        (_RETURN, 0, 0, _ERROR | errno.ENOSYS),
        (_EQUALS, 1, 0, socket_number),
        (_RETURN, 0, 0, _ALLOW),
        (_LOAD, 0, 0, _FIRST),
        *families,
        (_RETURN, 0, 0, _ERROR | errno.EAFNOSUPPORT),
        (_RETURN, 0, 0, _ALLOW),
    ]


def _prctl(option: int, value: int, more: int = 0) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    words = [ctypes.c_ulong(word) for word in (value, more, 0, 0)]
    if libc.prctl(option, *words) != 0:
        raise OSError(ctypes.get_errno(), "prctl failed")
