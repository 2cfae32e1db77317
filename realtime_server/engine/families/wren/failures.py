"""Why a turn or a response may fail, and what the client is told of it."""

from realtime_server.engine.families.wren.prompt import Unsupported
from realtime_server.engine.families.wren.transcribing import TurnTooLong
from realtime_server.engine.runtime.truncation import ContextTooLong
from realtime_server.messages import ResponseFailed, TranscriptFailed


class TurnLost(Exception):
    """A response waits for a turn that has failed."""


REFUSALS = (ContextTooLong, TurnTooLong, Unsupported, TurnLost)
"""Told to the client; no fault of ours that is worth a log line."""


def not_transcribed(item_id: str, error: Exception) -> TranscriptFailed:
    told = isinstance(error, TurnTooLong | ContextTooLong)
    return TranscriptFailed(item_id, str(error) if told else "The model failed to transcribe this turn.")


def not_answered(response_id: str, error: Exception) -> ResponseFailed:
    if isinstance(error, ContextTooLong | TurnTooLong):
        return ResponseFailed(response_id, "context_length_exceeded", str(error))
    if isinstance(error, Unsupported):
        return ResponseFailed(response_id, "unsupported_content_type", str(error))
    return ResponseFailed(response_id, "server_error", "The model failed to answer.")
