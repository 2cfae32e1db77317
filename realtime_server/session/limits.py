"""What we refuse, and the numbers."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    append_bytes: int = 15 * 1024 * 1024
    """Raw audio in one `input_audio_buffer.append`."""
    waiting_turns: int = 32
    """Turns that were committed and are not written yet, with which no more is read from the client until some are."""
    commit_ms: int = 100
    """Less than this is no turn."""
    buffer_s: int = 600
    """Uncommitted audio; more is refused, so that a forgotten push-to-talk cannot fill the memory."""
    item_audio_s: int = 300
    """Audio in the items of one event: of `conversation.item.create`, or of all of a `response.input`."""
    kept_audio_s: int = 600
    """Audio of conversation items kept for `retrieve`; the oldest is let go first, its transcript stays."""
    items: int = 2000
    """Of a conversation, and of one `response.input`; where it is full, what is said pushes out the oldest."""
    item_bytes: int = 64 * 1024 * 1024
    """All that the client has put into the conversation, as JSON without its audio."""
    parallel_responses: int = 16
    """Beside the conversation's own."""
    session_s: int = 3600
    requests_per_minute: int = 20_000
    """Responses, and turns whose transcript is asked for, of one key over all its sessions."""
    tokens_per_minute: int = 40_000_000
    reserved_tokens: int = 4096
    """What a response without a limit of its own reserves until it is known what it used."""
    tools_bytes: int = 128 * 1024
    """The schemas of a session's functions, as JSON: more are refused before they are looked at."""
    strict_tools: bool = False
    """A parameter that the model cannot honour is an error; otherwise the model is not shown it, or its whole function where it
    must be there."""
