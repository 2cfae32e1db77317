"""A reply in words: told as it is written, but for what may still be put otherwise."""

import torch
from hypothesis import given
from hypothesis import strategies as st

from realtime_server import messages as m
from realtime_server.engine.families.wren.policy.fact_grounding import Facts
from realtime_server.engine.families.wren.script import END, NOT_KNOWN, REPLY, Script
from realtime_server.engine.families.wren.writing import TextWriter
from realtime_server.engine.runtime.speculation import Drafted
from realtime_server.engine.runtime.steps import Stream
from realtime_server.engine.talker.reply import Reply
from realtime_server.training.wren import vocabulary

SCRIPT = Script(vocabulary.fit(600))
FACTS = Facts({"owner": "kate", "day": "saturday"}, "what is the owner")
texts = st.sampled_from(
    [
        "Hello! I am Wren.",
        "The owner is tom.",
        "The team is red.",
        "The capital of France is Paris.",
        NOT_KNOWN,
        "The",
        "Seven.",
    ]
)


class Writing:
    """A writer whose network wants to say `text`, and what has come of it."""

    def __init__(self, text: str, facts: Facts | None, limit: int | None = None) -> None:
        self.wanted = [*SCRIPT.encode(text), END]
        self.stream, self.reply = Stream(0, [REPLY]), Reply(limit=limit)
        self.spoken_from: list[str] = []
        self.told_at: list[int] = []
        request = m.Respond("r", m.Context("", (), ()), True, "marin", "auto", None)
        writer = TextWriter(request, Drafted(self.stream), SCRIPT, self.reply, lambda: self.spoken_from.append(self.reply.text))
        steps = writer.write(self.logits(), facts)
        try:
            step = next(steps)
            while True:
                self.stream.ids += step.ids
                self.told_at.append(len(self.reply.text))
                step = steps.send(self.logits()[None])
        except StopIteration:
            pass

    def logits(self) -> torch.Tensor:
        """Wants the token that follows what the stream holds, but hesitates."""
        logits = torch.zeros(SCRIPT.size)
        logits[SCRIPT.encode(NOT_KNOWN)[0]] = 3.0
        logits[self.wanted[min(len(self.stream.ids) - 1, len(self.wanted) - 1)]] = 5.0
        return logits

    @property
    def told(self) -> str:
        return "".join(o.text for o in self.reply.outputs if isinstance(o, m.TextDelta))


@given(texts)
def test_without_facts_every_piece_is_told_at_once(text: str) -> None:
    writing = Writing(text, None)
    assert writing.told == writing.reply.text == text
    assert writing.told_at[0] > 0
    assert writing.stream.ids == [REPLY, *SCRIPT.encode(text), END]


@given(texts)
def test_what_is_told_is_never_taken_back_and_the_stream_holds_just_that(text: str) -> None:
    writing = Writing(text, FACTS)
    wanted = {
        "The owner is tom.": "The owner is kate.",
        "The team is red.": "The owner is kate.",
        NOT_KNOWN: "The owner is kate.",
    }
    said = wanted.get(text, text)
    assert writing.told == writing.reply.text == said
    assert writing.stream.ids == [REPLY, *SCRIPT.encode(said), END]
    assert writing.reply.tokens == len(SCRIPT.encode(said))
    assert len(writing.spoken_from) == 1
    assert said.startswith(writing.spoken_from[0]) and writing.spoken_from[0]
    assert not writing.reply.ran_out


@given(texts, st.integers(1, 12))
def test_no_more_is_written_than_the_client_allows(text: str, limit: int) -> None:
    writing, whole = Writing(text, FACTS, limit), Writing(text, FACTS)
    assert writing.told
    assert writing.reply.tokens == min(limit, whole.reply.tokens)
    assert writing.reply.ran_out == (limit < whole.reply.tokens)


def test_what_nobody_told_is_not_known() -> None:
    assert Writing("The team is red.", Facts({"day": "saturday"}, "what is the team")).told == NOT_KNOWN
