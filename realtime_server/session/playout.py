"""How far the answers have been played, where a shell plays them itself (`output_audio_buffer.*`, protocol 2.10)."""

from dataclasses import dataclass, field

from realtime_server.messages import Play, Played, Samples, StopPlaying
from realtime_server.protocol import server_events as ev
from realtime_server.session.entry import Entry
from realtime_server.session.outbox import Outbox


@dataclass(eq=False)
class _Sound:
    """Of one item, in samples."""

    entry: Entry
    sent: int = 0
    played: int = 0


@dataclass(eq=False)
class _Answer:
    """Whose sound has begun to play, and may go on."""

    response_id: str
    sounds: dict[str, _Sound] = field(default_factory=dict)
    """By item."""
    complete: bool = False
    """The response is done: no more of it will come."""

    @property
    def over(self) -> bool:
        return self.complete and all(sound.played >= sound.sent for sound in self.sounds.values())


@dataclass(frozen=True)
class Cut:
    """An item that was not played to its end, and how many samples of it were."""

    entry: Entry
    played: int


class Playout:
    """A response's sound is `started` with its first samples, and either `stopped` when it is done and played, or `cleared`."""

    def __init__(self, outbox: Outbox) -> None:
        self._out = outbox
        self._answers: dict[str, _Answer] = {}
        self._silenced: set[str] = set()
        """Responses that go on, beside the conversation, after theirs was cleared."""

    @property
    def playing(self) -> bool:
        return bool(self._answers)

    def play(self, response_id: str, entry: Entry, samples: Samples) -> None:
        if response_id in self._silenced:
            return
        answer = self._answers.get(response_id)
        if answer is None:
            answer = self._answers[response_id] = _Answer(response_id)
            self._out.send(ev.OutputAudioBufferStarted, response_id=response_id)
        answer.sounds.setdefault(entry.id, _Sound(entry)).sent += len(samples)
        self._out.run(Play(entry.id, samples))

    def complete(self, response_id: str) -> None:
        """The response is done, however it ended."""
        self._silenced.discard(response_id)
        if (answer := self._answers.get(response_id)) is not None:
            answer.complete = True
            self._settle()

    def played(self, report: Played) -> None:
        for answer in self._answers.values():
            if (sound := answer.sounds.get(report.item_id)) is not None:
                sound.played = max(sound.played, min(report.samples, sound.sent))
        self._settle()

    def drained(self) -> None:
        for answer in self._answers.values():
            for sound in answer.sounds.values():
                sound.played = sound.sent
        self._settle()

    def stop(self) -> list[Cut]:
        """At once; what was cut off, in the order of playing."""
        if not self._answers:
            return []
        self._out.run(StopPlaying())
        answers, self._answers = self._answers, {}
        for answer in answers.values():
            self._out.send(ev.OutputAudioBufferCleared, response_id=answer.response_id)
            if not answer.complete:
                self._silenced.add(answer.response_id)
        sounds = (sound for answer in answers.values() for sound in answer.sounds.values())
        # What is still being written is ahead of its sound.
        return [Cut(sound.entry, sound.played) for sound in sounds if sound.played < sound.sent or sound.entry.running]

    def _settle(self) -> None:
        for answer in [answer for answer in self._answers.values() if answer.over]:
            del self._answers[answer.response_id]
            self._out.send(ev.OutputAudioBufferStopped, response_id=answer.response_id)
