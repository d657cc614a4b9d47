"""`vibedesk scof`: read a stream, say what is in it, write it into a folder if asked."""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, TextIO

from vibedesk.base.errors import InvalidInputError, VibeDeskError, as_vibedesk_error
from vibedesk.engine.scof.apply import ApplyReport, apply_scof
from vibedesk.engine.scof.result import ScofResult, parse_scof

_BLOCK = 1 << 16


def _mark_bad_bytes(error: UnicodeError) -> tuple[str, int]:
    # A lone surrogate, never valid text: the parser turns it into U+FFFD and warns.
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return "\udcff", error.end


codecs.register_error("vibedesk.scof", _mark_bad_bytes)


def run(
    stream: BinaryIO, *, chunk_size: int | None, as_json: bool, apply_to: Path | None, out: TextIO
) -> int:
    """Do the command; return its exit status.

    Raises:
        VibeDeskError: `chunk_size` is not positive, or the folder cannot be written.
    """
    if chunk_size is not None and chunk_size < 1:
        raise InvalidInputError(
            f"A chunk of {chunk_size} characters makes no stream.",
            remedy="Give --chunk-size a number of at least 1.",
        )
    result = parse_scof(decoded_chunks(stream, chunk_size))
    report = None if apply_to is None else _applied(result, apply_to)
    if as_json:
        out.write(json.dumps(_as_json(result, report)) + "\n")
    else:
        out.writelines(f"{line}\n" for line in _summary(result, report, apply_to))
    return 0


def decoded_chunks(stream: BinaryIO, chunk_size: int | None) -> Iterator[str]:
    """Yield the stream's text as UTF-8, `chunk_size` characters at a time; bad bytes are marked."""
    decoder = codecs.getincrementaldecoder("utf-8")("vibedesk.scof")
    pieces: list[str] = []
    missing = chunk_size or 1
    while block := stream.read(_BLOCK):
        text = decoder.decode(block)
        if chunk_size is None:
            yield text
            continue
        at = 0
        while len(text) - at >= missing:
            yield "".join([*pieces, text[at : at + missing]])
            pieces, at, missing = [], at + missing, chunk_size
        pieces.append(text[at:])
        missing -= len(text) - at
    yield "".join([*pieces, decoder.decode(b"", final=True)])


def _applied(result: ScofResult, folder: Path) -> ApplyReport:
    try:
        return apply_scof(result, folder)
    except VibeDeskError:
        raise
    except OSError as error:
        known = as_vibedesk_error(error)
        if known.code != "internal":
            raise known from error
        raise InvalidInputError(
            f"{folder} cannot be written: {error.strerror or error}.",
            remedy="Choose another folder with --apply.",
        ) from error


def _as_json(result: ScofResult, report: ApplyReport | None) -> dict[str, object]:
    fields = result.to_dict()
    if report is not None:
        refused = [path for path, _ in report.refused]
        fields["refused"] = list(dict.fromkeys([*result.refused, *refused]))
        fields["warnings"] = [*result.warnings, *_complaints(report)]
    return fields


def _complaints(report: ApplyReport) -> list[str]:
    return [*report.warnings, *(f"not applied: {path}: {why}" for path, why in report.refused)]


def _summary(result: ScofResult, report: ApplyReport | None, folder: Path | None) -> Iterator[str]:
    for path, content in result.files.items():
        yield f"file       {path} ({len(content)} characters)"
    yield from (f"patch      {each['path']}" for each in result.patches)
    yield from (f"append     {each['path']}" for each in result.appends)
    yield from (f"delete     {path}" for path in result.deleted)
    yield from (f"rename     {source} → {target}" for source, target in result.renamed)
    yield from (f"package    {package}" for package in result.install_commands)
    yield from (f"command    {command} (not run)" for command in result.commands)
    yield from (f"refused    {path}" for path in result.refused)
    if result.truncated is not None:
        yield f"truncated  {result.truncated} ({len(result.partial)} characters came)"
    yield from (f"warning    {warning}" for warning in result.warnings)
    if report is not None:
        yield from (f"warning    {complaint}" for complaint in _complaints(report))
        yield f"written    {len(report.written)} files into {folder}"
