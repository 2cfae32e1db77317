"""What a response is asked to be: the session's fields with this response's own, as settings, context and command.

Pure functions of the configuration and the conversation; `session` decides when they are called.
"""

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from realtime_server import messages as m
from realtime_server.messages import AUDIO_RATE_HZ
from realtime_server.protocol.beta import DEFAULT_TEMPERATURE
from realtime_server.protocol.client_events import ResponseConfig
from realtime_server.protocol.session_config import (
    AudioInput,
    CustomVoice,
    FunctionTool,
    NamedFunction,
    RealtimeSession,
    TranscriptionSession,
)
from realtime_server.session.entry import Entry
from realtime_server.session.response import ResponseSettings
from realtime_server.session.validation import usable

NO_OVERRIDES = ResponseConfig()
WHISPER = "whisper-1"
MOST_KEYWORDS, LONGEST_PROMPT = 1000, 10_000
"""Keywords, and characters of a prompt, that are looked at: they are for every turn anew."""
Items = tuple[str | m.ContextItem, ...] | None
"""Ids in the conversation and items beside it; None for the conversation itself."""


def settings(config: RealtimeSession, override: ResponseConfig) -> ResponseSettings:
    output = override.audio.output if override.audio else None
    return ResponseSettings(
        modality=(override.output_modalities or config.output_modalities)[0],
        voice=output.voice if output and output.voice else config.audio.output.voice,
        format=output.format if output and output.format else config.audio.output.format,
        max_output_tokens=override.max_output_tokens or config.max_output_tokens,
        metadata=override.metadata,
    )


def context(
    config: RealtimeSession | TranscriptionSession, override: ResponseConfig, items: Items, judge: m.SchemaJudge
) -> m.ContextRef:
    """What the engine is to know: session and conversation, or what this response says instead; of the functions those that it
    can honour."""
    if isinstance(config, TranscriptionSession):
        return m.ContextRef("", (), (), keywords=keywords(config.audio.input))
    tools = config.tools if override.tools is None else override.tools
    functions = tuple(
        m.Function(tool.name, tool.description or "", tool.parameters)
        for tool in tools
        if isinstance(tool, FunctionTool) and usable(judge(tool.parameters))
    )
    instructions = config.instructions if override.instructions is None else override.instructions
    return m.ContextRef(instructions, functions, items, _truncation(config), keywords(config.audio.input))


def keywords(audio: AudioInput) -> tuple[str, ...]:
    """What the client says is likely to be said. Whisper has its keywords in the prompt, between commas."""
    transcription = audio.transcription
    if transcription is None:
        return ()
    prompt = (transcription.prompt or "")[:LONGEST_PROMPT] if transcription.model == WHISPER else ""
    return _keywords((transcription.keywords or ())[:MOST_KEYWORDS], prompt)


@lru_cache(maxsize=64)
def _keywords(listed: tuple[str, ...], prompt: str) -> tuple[str, ...]:
    """The same for every turn of a session, which so share them."""
    return (*listed, *(word.strip() for word in prompt.split(",") if word.strip()))


def command(
    response_id: str, config: RealtimeSession, override: ResponseConfig, asked: ResponseSettings, known: m.ContextRef
) -> m.Respond[m.ContextRef]:
    choice, limit, voice = override.tool_choice or config.tool_choice, asked.max_output_tokens, asked.voice
    return m.Respond(
        response_id, known, asked.modality == "audio",
        voice.id if isinstance(voice, CustomVoice) else voice,
        choice if isinstance(choice, str) else m.NamedFunction(choice.name) if isinstance(choice, NamedFunction) else "auto",
        None if limit == "inf" else limit,
        config.audio.output.speed, _sampling(config, override),
    )  # fmt: skip


def _sampling(config: RealtimeSession, override: ResponseConfig) -> m.Sampling | None:
    """None, as the model decodes by itself, where none was asked for, or the beta's default, which many of its clients
    always send."""
    temperature = override.temperature or config.temperature
    return None if temperature in (None, DEFAULT_TEMPERATURE) else m.Sampling(temperature)


def input_audio_s(entries: Iterable[Entry]) -> float:
    """The user's audio in them: usage counts by duration."""
    return sum(entry.user_samples for entry in entries) / AUDIO_RATE_HZ


def _truncation(config: RealtimeSession) -> m.Truncation:
    match config.truncation:
        case "auto":
            return m.Truncation()
        case "disabled":
            return m.Truncation(allowed=False)
        case ratio:
            limits: Any = ratio.token_limits
            return m.Truncation(True, ratio.retention_ratio, limits.post_instructions if limits else None)
