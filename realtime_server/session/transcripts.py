"""What the model heard of each user turn: kept for the conversation, and told to the client if it asked for it."""

from typing import assert_never

from realtime_server import messages as m
from realtime_server.messages import AUDIO_RATE_HZ
from realtime_server.protocol import items as wire
from realtime_server.protocol import server_events as ev
from realtime_server.session.conversation import Entry
from realtime_server.session.outbox import Outbox

Transcript = m.TranscriptDelta | m.TranscriptDone | m.TranscriptFailed
INPUT_AUDIO_TOKENS_PER_S = 10


class Transcripts:
    def __init__(self, outbox: Outbox) -> None:
        self._out = outbox
        self._logprobs: dict[str, list[ev.LogProb]] = {}

    def take(self, output: Transcript, entry: Entry | None, shown: bool, with_logprobs: bool) -> None:
        """`entry`: the turn's item, None where the client has deleted it meanwhile."""
        place = {"item_id": output.item_id, "content_index": 0}
        match output:
            case m.TranscriptDelta():
                logprob = ev.LogProb(token=output.text, logprob=output.logprob, bytes=tuple(output.text.encode()))
                self._logprobs.setdefault(output.item_id, []).append(logprob)
                if shown:
                    one = (logprob,) if with_logprobs else None
                    self._out.send(ev.TranscriptionDelta, **place, delta=output.text, logprobs=one)
            case m.TranscriptDone():
                if entry is not None:
                    _keep(entry, output.text, shown)
                every = tuple(self._logprobs.pop(output.item_id, ()))
                if shown:
                    seconds = entry.recording.length / AUDIO_RATE_HZ if entry and entry.recording else 0.0
                    usage, logprobs = _usage(seconds, output.text_tokens), every if with_logprobs else None
                    self._out.send(ev.TranscriptionCompleted, **place, transcript=output.text, usage=usage, logprobs=logprobs)
            case m.TranscriptFailed():
                self._logprobs.pop(output.item_id, None)
                if shown:
                    error = ev.TranscriptionError(type="server_error", code="transcription_failed", message=output.message)
                    self._out.send(ev.TranscriptionFailed, **place, error=error)
            case _:
                assert_never(output)


def _keep(entry: Entry, text: str, shown: bool) -> None:
    entry.heard = text
    if shown and isinstance(entry.item, wire.UserMessage):
        parts = [p.model_copy(update={"transcript": text}) if isinstance(p, wire.InputAudio) else p for p in entry.item.content]
        entry.item = entry.item.model_copy(update={"content": tuple(parts)})


def _usage(seconds: float, text_tokens: int) -> ev.TranscriptionUsage:
    heard = round(seconds * INPUT_AUDIO_TOKENS_PER_S)
    return ev.TranscriptionUsage(
        total_tokens=heard + text_tokens, input_tokens=heard,
        input_token_details=ev.TranscriptionInputDetails(text_tokens=0, audio_tokens=heard), output_tokens=text_tokens,
    )  # fmt: skip
