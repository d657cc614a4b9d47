"""The incremental SCOF parser: text in any pieces → events. Pure, linear, never raises."""

from __future__ import annotations

import re
from collections import deque
from typing import Literal

from vibedesk.base.project_paths import UnsafePathError, normalize_project_path
from vibedesk.engine.scof.commands import (
    Advice,
    OpenBody,
    SkipBody,
    Step,
    is_command,
    lacks_heredoc,
    read_command_line,
    strip_prompt,
)
from vibedesk.engine.scof.events import (
    Command,
    FileMode,
    InstallPackages,
    OtherCommand,
    RemovePath,
    RenamePath,
    ScofEvent,
)
from vibedesk.engine.scof.marker_line import MarkerLine
from vibedesk.engine.scof.patch_hunks import split_patch_by_file

_SURROGATE = re.compile("[\ud800-\udfff]")
_PAIR = re.compile("[\ud800-\udbff][\udc00-\udfff]")
_CONTINUED = re.compile(r"(?<!\\)(?:\\\\)*\\[ \t]*$")
_MAX_COMMAND_CHARACTERS = 200_000
_new_object = object.__new__  # calling the class costs a third more, and there is one event a chunk

_INSIDE, _AT_START, _SLOW = range(3)


class ScofParser:
    """Feed it what the model streams; call `close` once at the end. One parser per reply.

    After `close`, `truncated_path` and `partial_text` tell whether the stream ended inside a body. A reply
    to `continue` goes into a new parser: it may send the cut file again in full or go on with the next ones.
    """

    def __init__(self) -> None:
        self._line: list[str] = []  # the unfinished line outside of bodies
        self._command: list[str] = []  # its earlier lines, joined by backslashes
        self._waiting = ""  # a command whose `<<` may stand on the next line
        self._steps: deque[Step] = deque()
        self._high_surrogate = ""
        self._warned_of_bytes = False
        self._first_line = True
        self._closed = False
        # The open body. `_state` picks the fast path of `feed`; it is _SLOW outside of shown bodies.
        self._state = _SLOW
        self._closing: MarkerLine | None = None
        self._shown = False
        self._keeps_text = False
        self._in_content_line = False
        self._path = ""
        self._mode: FileMode = "full"
        self._marker = ""
        self._needle = "\n"
        self._suspicious = "\n"
        self._indented_marker: re.Pattern[str] | None = None
        self._parts: list[str] = []
        self.truncated_path: str | None = None
        self.partial_text = ""

    @property
    def open_path(self) -> str | None:
        """The path of the body being read, if one is shown."""
        return self._path if self._closing is not None and self._shown else None

    def feed(self, text: str) -> list[ScofEvent]:
        """Take the next piece of the stream and return what became certain."""
        state = self._state
        if state and (state == _SLOW or text[:1] == self._marker[0]):
            return self._feed_slowly(text)
        # Here the text goes on with a content line of a shown body, and so do its other lines, unless one
        # of them begins like the marker.
        if not text or not text.isascii() or self._suspicious in text:
            return self._feed_slowly(text)
        if text[-1] == "\n":
            self._state = _AT_START
        elif state:
            self._state = _INSIDE
        event = _new_object(ScofEvent)
        event.kind = "chunk"
        event.path = self._path
        event.mode = self._mode
        event.text = text
        event.truncated = False
        event.command = None
        self._parts.append(text)
        return [event]

    def close(self) -> list[ScofEvent]:
        """Tell that the stream has ended; return the last events. Later calls return nothing."""
        if self._closed:
            return []
        self._leave_fast_path()
        events: list[ScofEvent] = []
        if self._high_surrogate:
            self._consume(self._without_surrogates("", events, final=True), events)
        self._closed = True
        if self._closing is None:
            self._end_top_level(events)
        while self._closing is not None:
            # The held line is the closing one if it is complete; what follows it on its line has no body.
            if self._closing.is_complete and not self._in_content_line:
                self._close_body(events)
            else:
                self._truncate(events)
        return events

    def _feed_slowly(self, text: str) -> list[ScofEvent]:
        events: list[ScofEvent] = []
        if self._closed:
            return events
        self._leave_fast_path()
        if self._high_surrogate or not text.isascii():
            text = self._without_surrogates(text, events, final=False)
        self._consume(text, events)
        self._state = self._state_for_feed()
        return events

    def _leave_fast_path(self) -> None:
        if self._state != _SLOW:
            self._in_content_line = self._state == _INSIDE
            self._state = _SLOW

    def _state_for_feed(self) -> int:
        if self._closing is None or not self._shown:
            return _SLOW
        if self._indented_marker is not None or self._high_surrogate:
            return _SLOW
        if self._in_content_line:
            return _INSIDE
        return _AT_START if self._marker and not self._closing.held else _SLOW

    def _consume(self, text: str, events: list[ScofEvent]) -> None:
        at = 0
        while at < len(text):
            if self._closing is None:
                at = self._read_line(text, at, events)
            else:
                at = self._read_body(text, at, self._closing, events)

    def _without_surrogates(self, text: str, events: list[ScofEvent], *, final: bool) -> str:
        """Join surrogate pairs cut by JSON escapes; other surrogates stand for bytes that are no text."""
        text = self._high_surrogate + text
        self._high_surrogate = ""
        if not final and "\ud800" <= text[-1:] <= "\udbff":
            self._high_surrogate, text = text[-1], text[:-1]
        if _SURROGATE.search(text) is None:
            return text
        text = _PAIR.sub(
            lambda pair: pair[0].encode("utf-16", "surrogatepass").decode("utf-16"), text
        )
        text, replaced = _SURROGATE.subn("\ufffd", text)
        if replaced and not self._warned_of_bytes:
            self._warned_of_bytes = True
            events.append(_warning("the stream holds bytes that are no text; each became \ufffd"))
        return text

    # Outside of bodies

    def _read_line(self, text: str, at: int, events: list[ScofEvent]) -> int:
        end = text.find("\n", at)
        if end < 0:
            self._line.append(text[at:])
            return len(text)
        self._line.append(text[at:end])
        line = "".join(self._line)
        self._line = []
        self._top_level_line(line.removesuffix("\r"), events)
        return end + 1

    def _top_level_line(self, line: str, events: list[ScofEvent]) -> None:
        if self._first_line:
            self._first_line = False
            line = line.removeprefix("\ufeff")
        if self._waiting:
            waiting, self._waiting = self._waiting, ""
            if line.lstrip().startswith("<<"):
                line = f"{waiting} {line.lstrip()}"
            else:
                self._run(waiting, events)
        if not self._command and not is_command(line):
            return
        if continued := _CONTINUED.search(line[-200:]):
            self._command.append(line[: len(line) - len(continued[0].lstrip("\\")) - 1])
            return
        command = strip_prompt("".join([*self._command, line]))
        self._command = []
        if len(command) > _MAX_COMMAND_CHARACTERS:
            events.append(_warning(f"a command of {len(command)} characters is ignored"))
        elif "<<" not in command and lacks_heredoc(command):
            self._waiting = command
        else:
            self._run(command, events)

    def _end_top_level(self, events: list[ScofEvent]) -> None:
        if self._line or self._command:
            line = "".join(self._line)
            self._line = []
            self._top_level_line(line.removesuffix("\r").rstrip("\\"), events)
        if self._waiting:
            events.append(_warning(f"the stream ended before the body of: {self._waiting[:200]}"))
            self._waiting = ""

    def _run(self, command: str, events: list[ScofEvent]) -> None:
        self._steps.extend(read_command_line(command))
        self._next_steps(events)

    def _next_steps(self, events: list[ScofEvent]) -> None:
        """Work through the command's steps until one opens a body; the rest follows after its end."""
        while self._steps and self._closing is None:
            step = self._steps.popleft()
            if isinstance(step, OpenBody):
                self._open_body(step, events)
            elif isinstance(step, SkipBody):
                self._await_marker(step.heredoc.marker, indented=step.heredoc.indented)
                self._shown = self._keeps_text = False
            elif isinstance(step, Advice):
                events.append(_warning(step.text))
            else:
                text, command = step
                self._command_event(text, command, events)

    def _command_event(self, text: str, command: Command, events: list[ScofEvent]) -> None:
        path = ""
        match command:
            case RemovePath():
                checked = self._checked_path(command.path, "", events)
                if checked is None:
                    return
                path, command = checked, RemovePath(checked)
            case RenamePath():
                source = self._checked_path(command.source, "", events)
                target = self._checked_path(command.target, "", events)
                if source is None or target is None:
                    return
                path, command = source, RenamePath(source, target)
            case InstallPackages() | OtherCommand():
                pass
        events.append(ScofEvent("command", path, text=text, command=command))

    def _checked_path(
        self, raw: str, mode: FileMode | Literal[""], events: list[ScofEvent]
    ) -> str | None:
        try:
            return normalize_project_path(raw)
        except UnsafePathError as error:
            events.append(ScofEvent("refused", raw, mode, str(error)))
            return None

    # Bodies

    def _open_body(self, step: OpenBody, events: list[ScofEvent]) -> None:
        self._await_marker(step.heredoc.marker, indented=step.heredoc.indented)
        self._mode = step.mode
        if step.path is None:
            self._path, self._shown, self._keeps_text = "", False, True
            return
        path = self._checked_path(step.path, step.mode, events)
        self._path = path or ""
        self._shown = self._keeps_text = path is not None
        if path is not None:
            events.append(ScofEvent("start", path, step.mode))

    def _await_marker(self, marker: str, *, indented: bool) -> None:
        self._marker = marker
        self._closing = MarkerLine(marker, indented=indented)
        self._in_content_line = False
        self._needle = "\n" + marker
        self._suspicious = self._needle[:2]
        self._indented_marker = (
            re.compile(r"\n(?=[ \t]*" + re.escape(marker) + ")") if indented else None
        )

    def _read_body(self, text: str, at: int, closing: MarkerLine, events: list[ScofEvent]) -> int:
        """Read body text from `at` to its end or the closing line; return the position behind that."""
        start, before = at, ""
        while True:
            if not self._in_content_line:
                line_start = at
                verdict, at = closing.read(text, at)
                if verdict == "open":
                    self._add_content(before + text[start:line_start], events)
                    return len(text)
                if verdict == "closing":
                    self._add_content(before + text[start:line_start], events)
                    self._close_body(events)
                    return at
                if closing.held:  # only ever at the beginning of a feed
                    before = "".join(closing.held)
                closing.restart()
                self._in_content_line = True
            newline = self._next_possible_marker(text, at)
            if newline < 0:
                self._add_content(before + text[start:], events)
                return len(text)
            at = newline + 1
            self._in_content_line = False
            if at == len(text):
                self._add_content(before + text[start:], events)
                return at

    def _next_possible_marker(self, text: str, at: int) -> int:
        """Return the next newline before a line that has the whole marker, else the last one, else -1."""
        if self._indented_marker is not None:
            match = self._indented_marker.search(text, at)
            found = match.start() if match else -1
        else:
            found = text.find(self._needle, at)
        return found if found >= 0 else text.rfind("\n", at)

    def _add_content(self, text: str, events: list[ScofEvent]) -> None:
        if not text or not self._keeps_text:
            return
        self._parts.append(text)
        if self._shown:
            events.append(ScofEvent("chunk", self._path, self._mode, text))

    def _close_body(self, events: list[ScofEvent]) -> None:
        self._end_body(events, truncated=False)
        self._next_steps(events)

    def _truncate(self, events: list[ScofEvent]) -> None:
        if self._closing is not None:
            self._add_content("".join(self._closing.held), events)
        if self._shown:
            self.truncated_path, self.partial_text = self._path, "".join(self._parts)
        else:
            events.append(_warning("the stream ended inside a body that makes no file"))
        self._steps.clear()
        self._end_body(events, truncated=True)

    def _end_body(self, events: list[ScofEvent], *, truncated: bool) -> None:
        body = "".join(self._parts)
        self._closing, self._parts = None, []
        if self._shown:
            events.append(ScofEvent("end", self._path, self._mode, body, truncated))
        elif self._keeps_text and not truncated:
            self._emit_patches(body, events)

    def _emit_patches(self, diff: str, events: list[ScofEvent]) -> None:
        """Send the parts of a patch that names its own files, each as a body of its own."""
        parts = split_patch_by_file(diff)
        if not parts:
            events.append(_warning("a patch that names no file is ignored"))
        for raw, part in parts:
            path = self._checked_path(raw, "patch", events)
            if path is not None:
                events.append(ScofEvent("start", path, "patch"))
                events.append(ScofEvent("chunk", path, "patch", part))
                events.append(ScofEvent("end", path, "patch", part))


def _warning(text: str) -> ScofEvent:
    return ScofEvent("warning", text=text)
