"""The agent's states and the moves between them.

The table is the contract of the state machine: a move that is not in it raises `InvalidTransitionError`
and changes nothing.
"""

from __future__ import annotations

from enum import StrEnum

from vibedesk.base.errors import VibeDeskError


class AgentState(StrEnum):
    """What a project's agent is doing; the values are stored and sent as they are."""

    IDLE = "idle"
    BLUEPRINTING = "blueprinting"
    AWAITING_APPROVAL = "awaiting_approval"
    PLANNING_PHASE = "planning_phase"
    IMPLEMENTING_PHASE = "implementing_phase"
    INSTALLING_DEPS = "installing_deps"
    STARTING_SERVER = "starting_server"
    REVIEWING = "reviewing"
    FIXING = "fixing"
    FINALIZING = "finalizing"
    COMPLETE = "complete"
    ERROR = "error"


_S = AgentState

TRANSITIONS: dict[AgentState, frozenset[AgentState]] = {
    _S.IDLE: frozenset(
        {
            _S.BLUEPRINTING,
            _S.PLANNING_PHASE,
            _S.IMPLEMENTING_PHASE,
            _S.INSTALLING_DEPS,
            _S.STARTING_SERVER,
            _S.REVIEWING,
            _S.FIXING,
            _S.FINALIZING,
        }
    ),
    _S.BLUEPRINTING: frozenset(
        {
            _S.AWAITING_APPROVAL,
            _S.PLANNING_PHASE,
            _S.INSTALLING_DEPS,
            _S.IMPLEMENTING_PHASE,
            _S.IDLE,
            _S.ERROR,
        }
    ),
    _S.AWAITING_APPROVAL: frozenset(
        {
            _S.PLANNING_PHASE,
            _S.INSTALLING_DEPS,
            _S.IMPLEMENTING_PHASE,
            _S.BLUEPRINTING,
            _S.IDLE,
            _S.ERROR,
        }
    ),
    _S.PLANNING_PHASE: frozenset(
        {_S.INSTALLING_DEPS, _S.IMPLEMENTING_PHASE, _S.COMPLETE, _S.IDLE, _S.ERROR}
    ),
    _S.IMPLEMENTING_PHASE: frozenset(
        {_S.INSTALLING_DEPS, _S.STARTING_SERVER, _S.REVIEWING, _S.IDLE, _S.ERROR}
    ),
    _S.INSTALLING_DEPS: frozenset(
        {_S.IMPLEMENTING_PHASE, _S.STARTING_SERVER, _S.REVIEWING, _S.IDLE, _S.ERROR}
    ),
    _S.STARTING_SERVER: frozenset({_S.REVIEWING, _S.IDLE, _S.ERROR}),
    _S.REVIEWING: frozenset({_S.FIXING, _S.STARTING_SERVER, _S.FINALIZING, _S.IDLE, _S.ERROR}),
    _S.FIXING: frozenset({_S.REVIEWING, _S.INSTALLING_DEPS, _S.STARTING_SERVER, _S.IDLE, _S.ERROR}),
    _S.FINALIZING: frozenset(
        {_S.PLANNING_PHASE, _S.IMPLEMENTING_PHASE, _S.COMPLETE, _S.IDLE, _S.ERROR}
    ),
    _S.COMPLETE: frozenset(
        {
            _S.BLUEPRINTING,
            _S.PLANNING_PHASE,
            _S.IMPLEMENTING_PHASE,
            _S.INSTALLING_DEPS,
            _S.STARTING_SERVER,
            _S.REVIEWING,
            _S.FIXING,
            _S.IDLE,
        }
    ),
    # From `error` the way leads to `idle` or back into the state that failed; see `check_transition`.
    _S.ERROR: frozenset({_S.IDLE}),
}

RESTING = frozenset({_S.IDLE, _S.COMPLETE, _S.ERROR})
"""States in which no run is cut off when the program ends."""


class InvalidTransitionError(VibeDeskError):
    """The state machine does not allow this move."""

    code = "invalid_transition"


InvalidTransition = InvalidTransitionError
"""The name under which the engine's contract knows the error."""


def check_transition(
    current: AgentState, target: AgentState, *, failed: AgentState | None = None
) -> None:
    """Raise `InvalidTransitionError` unless `current` may go to `target`.

    Args:
        current: The state now.
        target: The state wanted.
        failed: While `current` is `error`: the state that failed, which may be retried.
    """
    if target in TRANSITIONS[current]:
        return
    if current is AgentState.ERROR and failed is not None and target is failed:
        return
    raise InvalidTransitionError(
        f"The agent cannot go from {current.value} to {target.value}.",
        details={"from": current.value, "to": target.value},
    )
