"""The transition tables. No other file changes a state; a missing entry is the error and changes nothing."""

from enum import Enum, auto


class ResponseState(Enum):
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    INCOMPLETE = "incomplete"
    FAILED = "failed"


class ResponseInput(Enum):
    FINISH = auto()
    CANCEL = auto()
    RUN_OUT = auto()
    FAIL = auto()


RESPONSE: dict[tuple[ResponseState, ResponseInput], ResponseState] = {
    (ResponseState.IN_PROGRESS, ResponseInput.FINISH): ResponseState.COMPLETED,
    (ResponseState.IN_PROGRESS, ResponseInput.CANCEL): ResponseState.CANCELLED,
    (ResponseState.IN_PROGRESS, ResponseInput.RUN_OUT): ResponseState.INCOMPLETE,
    (ResponseState.IN_PROGRESS, ResponseInput.FAIL): ResponseState.FAILED,
}


class TurnState(Enum):
    """Of the input buffer: is a user turn open, and who opened it?"""

    IDLE = auto()
    PUSHED = auto()
    SPOKEN = auto()


class TurnInput(Enum):
    APPEND = auto()
    """Audio while no detector decides."""
    SPEECH_STARTED = auto()
    COMMIT = auto()
    CLEAR = auto()


TURN: dict[tuple[TurnState, TurnInput], TurnState] = {
    (TurnState.IDLE, TurnInput.APPEND): TurnState.PUSHED,
    (TurnState.PUSHED, TurnInput.APPEND): TurnState.PUSHED,
    (TurnState.SPOKEN, TurnInput.APPEND): TurnState.SPOKEN,
    (TurnState.IDLE, TurnInput.SPEECH_STARTED): TurnState.SPOKEN,
    # A turn that was open when a detector was asked for begins anew where the detector says.
    (TurnState.PUSHED, TurnInput.SPEECH_STARTED): TurnState.SPOKEN,
    (TurnState.SPOKEN, TurnInput.SPEECH_STARTED): TurnState.SPOKEN,
    (TurnState.IDLE, TurnInput.COMMIT): TurnState.IDLE,
    (TurnState.PUSHED, TurnInput.COMMIT): TurnState.IDLE,
    (TurnState.SPOKEN, TurnInput.COMMIT): TurnState.IDLE,
    (TurnState.IDLE, TurnInput.CLEAR): TurnState.IDLE,
    (TurnState.PUSHED, TurnInput.CLEAR): TurnState.IDLE,
    (TurnState.SPOKEN, TurnInput.CLEAR): TurnState.IDLE,
}


class IllegalTransition(Exception):
    """An input that this state does not know: our mistake, never the client's."""


def next_response_state(state: ResponseState, by: ResponseInput) -> ResponseState:
    try:
        return RESPONSE[state, by]
    except KeyError:
        raise IllegalTransition(f"{by} in {state}") from None


def next_turn_state(state: TurnState, by: TurnInput) -> TurnState:
    try:
        return TURN[state, by]
    except KeyError:
        raise IllegalTransition(f"{by} in {state}") from None
