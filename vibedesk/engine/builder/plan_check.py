"""Looks at a phase's plan before it is used: what may not be written or run is taken out of it, and said."""

from __future__ import annotations

from collections.abc import Collection

from vibedesk.base.errors import InvalidInputError
from vibedesk.engine.builder.planned_packages import package_specs
from vibedesk.engine.builder.schemas import Phase, PlannedFile
from vibedesk.engine.builder.templates import Template
from vibedesk.engine.files.path_index import checked_path
from vibedesk.engine.models.protocol import BadAnswerError


def checked_plan(
    plan: Phase, template: Template, *, locked: Collection[str]
) -> tuple[Phase, list[str]]:
    """Return the plan with what can be done, and a sentence for everything that was taken out.

    Args:
        plan: As the model made it or the person edited it.
        template: The starter, which has files that stay as they are.
        locked: Paths that the person locked.

    Raises:
        BadAnswerError: it plans files, but none that may be written.
    """
    said: list[str] = []
    files: dict[str, PlannedFile] = {}
    for file in plan.files:
        try:
            path = checked_path(file.path)
        except InvalidInputError as error:
            said.append(f"The plan names a file that cannot be written: {error.message}")
            continue
        if path in template.untouchable_files:
            said.append(f"The plan leaves {path} as it is: the starter needs it so.")
        elif path in locked:
            said.append(f"The plan leaves {path} as it is: you locked it.")
        elif path in files:
            files[path] = _joined(files[path], file)
        else:
            files[path] = file.model_copy(update={"path": path})
    commands = [command for command in plan.install_commands if command.strip()]
    installs = [command for command in commands if package_specs([command], template.packages)]
    said.extend(f"Not run: {command.strip()}" for command in commands if command not in installs)
    if installs and template.packages.manifest in locked:
        packages = package_specs(installs, template.packages)
        said.append(without_packages(packages, template.packages.manifest))
        installs = []
    if plan.files and not files:
        raise BadAnswerError(
            "The plan names no file that may be written.",
            remedy="Try again, unlock files, or choose another model.",
            details={"reason": " ".join(said)},
            retryable=True,
        )
    update = {"files": list(files.values()), "install_commands": installs}
    return plan.model_copy(update=update), said


def without_packages(packages: Collection[str], manifest: str) -> str:
    """Return the sentence that packages are left out because the person locked the file that lists them."""
    return f"Not installed: {', '.join(packages)}. You locked {manifest}."


def _joined(first: PlannedFile, second: PlannedFile) -> PlannedFile:
    """Return one entry for a file that the plan names twice."""
    purposes = [file.purpose for file in (first, second) if file.purpose]
    changes = [file.changes for file in (first, second) if file.changes]
    return first.model_copy(
        update={"purpose": "; ".join(purposes), "changes": "; ".join(changes) or None}
    )
