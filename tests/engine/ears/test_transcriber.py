"""Whatever a model makes of a turn, what is transcribed is the ear's, and all else is the model's."""

import pytest

from realtime_server import messages as m
from realtime_server.engine.ears.transcriber import TranscribedModel
from tests.engine.ears.tiny import ear, noise, speech

CONTEXT = m.Context("", (), (), keywords=("tea",))


class Parrot:
    """Transcribes every turn as "parrot" as soon as it is complete, and answers so."""

    name, abilities = "parrot", m.Abilities(frozenset({"green"}))

    def __init__(self) -> None:
        self.told: list[tuple[str, m.Output]] = []
        self.ended: list[str] = []
        self.held: dict[str, bool] = {}

    def run(self, session_id: str, command: object) -> None:
        match command:
            case m.Commit():
                self.told.append((session_id, m.TranscriptDone(command.item_id, "parrot", 1)))
            case m.Respond():
                # A recording that was never listened to is transcribed by whoever answers.
                self.told += [
                    (session_id, m.TranscriptDone("old", "parrot", 1)),
                    (session_id, m.ResponseFinished(command.response_id, "completed")),
                ]
            case _:
                pass

    def hold(self, session_id: str, held: bool) -> None:
        self.held[session_id] = held

    def end(self, session_id: str) -> None:
        self.ended.append(session_id)

    def step(self) -> list[tuple[str, m.Output]] | None:
        told, self.told = self.told, []
        return told or None

    def abandon(self) -> list[tuple[str, m.Output]]:
        return [("a", m.ResponseFailed("response", "server_error", "abandoned"))]


def transcribed() -> tuple[TranscribedModel, Parrot]:
    parrot = Parrot()
    return TranscribedModel(parrot, ear()), parrot


def run(model: TranscribedModel) -> list[tuple[str, m.Output]]:
    told = []
    while (more := model.step()) is not None:
        told += more
    return told


def say(model: TranscribedModel, session_id: str, item_id: str, live: bool = False) -> None:
    model.run(session_id, m.Listen(item_id, CONTEXT, live))
    model.run(session_id, m.Hear(item_id, speech(1.5, 0.5)))


@pytest.mark.parametrize("live", [False, True])
def test_a_turn_is_transcribed_by_the_ear(live: bool) -> None:
    model, _ = transcribed()
    say(model, "a", "item", live)
    run(model)
    model.run("a", m.Commit("item"))
    *deltas, done = (output for _, output in run(model))
    assert isinstance(done, m.TranscriptDone)
    assert done.text not in ("", "parrot")
    assert done.text_tokens >= len(deltas) > 0
    assert "".join(delta.text for delta in deltas).strip() == done.text


def test_sessions_are_heard_together_and_apart() -> None:
    model, _ = transcribed()
    for session_id in ("a", "b"):
        say(model, session_id, f"of {session_id}")
        model.run(session_id, m.Commit(f"of {session_id}"))
    done = {session_id: output for session_id, output in run(model) if isinstance(output, m.TranscriptDone)}
    assert {session_id: output.item_id for session_id, output in done.items()} == {"a": "of a", "b": "of b"}
    assert done["a"].text == done["b"].text


def test_what_is_answered_is_the_models() -> None:
    model, parrot = transcribed()
    assert (model.name, model.abilities) == (parrot.name, parrot.abilities)
    model.run("a", m.Respond("response", CONTEXT, False, "", "auto", None))
    assert run(model) == [("a", m.TranscriptDone("old", "parrot", 1)), ("a", m.ResponseFinished("response", "completed"))]


def test_a_forgotten_turn_is_heard_no_more() -> None:
    model, _ = transcribed()
    say(model, "a", "item")
    model.run("a", m.Forget("item"))
    model.run("a", m.Hear("item", noise(0.1, 0.1)))
    assert run(model) == []


def test_a_held_session_stands_still_and_an_ended_one_is_gone() -> None:
    model, parrot = transcribed()
    say(model, "a", "item")
    model.run("a", m.Commit("item"))
    model.hold("a", True)
    assert parrot.held == {"a": True}
    assert not any(isinstance(output, m.TranscriptDone) for _, output in run(model))
    model.hold("a", False)
    assert any(isinstance(output, m.TranscriptDone) for _, output in run(model))
    model.end("a")
    assert parrot.ended == ["a"]
    assert run(model) == []


def test_abandoned_turns_fail() -> None:
    model, _ = transcribed()
    say(model, "a", "item")
    assert [type(output) for _, output in model.abandon()] == [m.TranscriptFailed, m.ResponseFailed]
