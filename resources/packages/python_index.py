"""Asks a Python package index about packages, inside the sandbox, where the app's own installs run.

Arguments: the index's address where the environment names none, then normalized names. Prints one JSON object a
line: first `{"python": VERSION}`, then one a name. `exists` is null where the index does not answer in its JSON form.
"""

from __future__ import annotations

import gzip
import http.client
import json
import os
import platform
import sys
import zlib
from concurrent.futures import ThreadPoolExecutor
from urllib.error import HTTPError
from urllib.request import Request, urlopen

_FORM = "application/vnd.pypi.simple.v1+json"
_AT_ONCE = 4
_SECONDS = 20
_NOT_FOUND = 404


def ask(index: str, name: str) -> dict[str, object]:
    """Return what the index has of a package: [file name, requires-python, whether it is yanked]."""
    headers = {"Accept": _FORM, "Accept-Encoding": "gzip"}
    try:
        request = Request(f"{index.rstrip('/')}/{name}/", headers=headers)
        with urlopen(request, timeout=_SECONDS) as answer:
            body = answer.read()
            if answer.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
        files = [
            [file["filename"], file.get("requires-python"), bool(file.get("yanked"))]
            for file in json.loads(body)["files"]
        ]
    except HTTPError as error:
        return {"name": name, "exists": False if error.code == _NOT_FOUND else None}
    except (
        AttributeError,
        EOFError,
        LookupError,
        OSError,
        TypeError,
        ValueError,
        http.client.HTTPException,
        zlib.error,
    ):
        return {"name": name, "exists": None}
    return {"name": name, "exists": True, "files": files}


def main() -> None:
    """Print the answers in the order of the names."""
    index = os.environ.get("UV_INDEX_URL") or sys.argv[1]
    _tell({"python": platform.python_version()})
    with ThreadPoolExecutor(_AT_ONCE) as threads:
        for found in threads.map(lambda name: ask(index, name), sys.argv[2:]):
            _tell(found)


def _tell(found: dict[str, object]) -> None:
    sys.stdout.write(f"{json.dumps(found)}\n")


if __name__ == "__main__":
    main()
