"""The app's own variables, as rows. A secret's value is never among them: an empty text says that it is kept elsewhere.

Every function runs on the store's thread, inside the transaction of whoever called it.
"""

from __future__ import annotations

from dataclasses import dataclass

from vibedesk.base.clock import utc_now
from vibedesk.engine.store.tables import VariableRow


@dataclass(frozen=True, slots=True, kw_only=True)
class VariableRecord:
    """One variable. `value`: None where none was given yet, empty where it is a secret that is kept elsewhere."""

    name: str
    secret: bool = True
    value: str | None = None
    purpose: str = ""
    asked_by: str = "you"
    consent: bool = False


def variables(project_id: str) -> list[VariableRecord]:
    """Return the project's variables by name."""
    rows = VariableRow.select().where(VariableRow.project == project_id).order_by(VariableRow.name)
    return [
        VariableRecord(
            name=row.name,
            secret=bool(row.secret),
            value=row.value,
            purpose=row.purpose,
            asked_by=row.asked_by,
            consent=bool(row.consent),
        )
        for row in rows
    ]


def put_variable(project_id: str, variable: VariableRecord) -> None:
    """Add a variable, or replace the one of that name."""
    VariableRow.replace(
        project=project_id,
        name=variable.name,
        secret=variable.secret,
        value=variable.value,
        purpose=variable.purpose,
        asked_by=variable.asked_by,
        consent=variable.consent,
        at=utc_now(),
    ).execute()


def drop_variable(project_id: str, name: str) -> bool:
    """Remove a variable; return whether there was one."""
    gone = (
        VariableRow.delete()
        .where((VariableRow.project == project_id) & (VariableRow.name == name))
        .execute()
    )
    return bool(gone)
