"""Moments in words."""

from __future__ import annotations

from datetime import datetime

from PySide6.QtCore import QCoreApplication, QDate, QLocale


def when_words(at: datetime, now: datetime | None = None) -> str:
    """Say when: the time of today, else with the day before it."""
    now = now or datetime.now().astimezone()
    time = at.strftime("%H:%M")
    days = (now.date() - at.date()).days
    if days == 0:
        return time
    if days == 1:
        return _tr("yesterday {0}").format(time)
    short = "d MMM" if at.year == now.year else "d MMM yyyy"
    return f"{QLocale().toString(QDate(at.year, at.month, at.day), short)}, {time}"


def moment_words(at: str) -> str:
    """Return a stored time as people say it, or the text itself where it is none."""
    try:
        return when_words(datetime.fromisoformat(at.replace("Z", "+00:00")).astimezone())
    except ValueError:
        return at


def _tr(text: str) -> str:
    return QCoreApplication.translate("Times", text)
