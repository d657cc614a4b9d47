"""The page about building, joined with the engine's settings."""

from __future__ import annotations

import os
from collections.abc import Callable

from PySide6.QtCore import QObject

from vibedesk.engine.engine import Engine
from vibedesk.engine.project_options import BUDGET_SETTING, DEFAULT_BUDGET, default_budget
from vibedesk.ui.settings.building_page import (
    DEPTHS,
    NETWORKS,
    BuildingPage,
    BuildingSettings,
    Network,
    ReviewDepth,
)
from vibedesk.ui.tasks import ErrorHandler, WidgetTasks

APPROVAL_SETTING = "build.approval"
_NETWORK = "sandbox.network"
_DEPTH = "review.depth"
_DEPTH_VARIABLE = "VIBEDESK_REVIEW"
_AUTOMATIC = "fix.automatic"
_AGENTS, _USUAL_AGENTS = "agents.most_at_once", 5
_SANDBOXES, _USUAL_SANDBOXES = "sandbox.most_at_once", 10


class BuildingControl(QObject):
    """Shows what is set, and keeps what the person changes."""

    def __init__(self, page: BuildingPage, engine: Engine, failed: ErrorHandler) -> None:
        super().__init__(page)
        self._page = page
        self._engine = engine
        self._tasks = WidgetTasks(page, failed)
        for changed, key in (
            (page.approval_changed, APPROVAL_SETTING),
            (page.budget_changed, BUDGET_SETTING),
            (page.network_changed, _NETWORK),
            (page.depth_changed, _DEPTH),
            (page.automatic_changed, _AUTOMATIC),
            (page.agents_changed, _AGENTS),
            (page.sandboxes_changed, _SANDBOXES),
        ):
            changed.connect(self._keeper(key))

    def refresh(self) -> None:
        self._tasks.start(self._show())

    async def _show(self) -> None:
        said = os.environ.get(_DEPTH_VARIABLE, "")
        setting = self._engine.setting
        self._page.show_settings(
            BuildingSettings(
                approval=bool(await setting(APPROVAL_SETTING, default=True)),
                budget=default_budget(await setting(BUDGET_SETTING, default=DEFAULT_BUDGET)) or 0.0,
                network=_network(await setting(_NETWORK)),
                depth=_depth(said or await setting(_DEPTH)),
                depth_fixed=bool(said),
                automatic=bool(await setting(_AUTOMATIC, default=True)),
                agents=_count(await setting(_AGENTS), _USUAL_AGENTS),
                sandboxes=_count(await setting(_SANDBOXES), _USUAL_SANDBOXES),
            )
        )

    def _keeper(self, key: str) -> Callable[[object], None]:
        def keep(value: object) -> None:
            self._tasks.start(self._engine.set_setting(key, value))

        return keep


def _network(said: object) -> Network:
    return next((network for network in NETWORKS if network == said), "registries")


def _depth(said: object) -> ReviewDepth:
    return next((depth for depth in DEPTHS if depth == said), "full")


def _count(stored: object, usual: int) -> int:
    usable = isinstance(stored, int) and not isinstance(stored, bool) and stored > 0
    return stored if usable else usual  # type: ignore[return-value]
