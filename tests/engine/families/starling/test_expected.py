"""Where the ear is sure its text is read; where it is not, the mean of what it may have heard, by its probabilities."""

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from realtime_server import messages as m
from realtime_server.engine.ears.transcript import Transcript
from realtime_server.engine.families.starling.chat import Chat
from realtime_server.engine.families.starling.expected import SURE, Marks, Reader, Said, identified
from realtime_server.engine.families.starling.thinker import Answer, Request
from realtime_server.engine.grammar.calls import Allowed
from realtime_server.engine.runtime.resumed import Resumed
from realtime_server.engine.runtime.scheduler import Limits, Scheduler
from realtime_server.engine.runtime.sequences import Sequences, Work
from realtime_server.engine.runtime.steps import FRAME
from tests.engine.ears.tiny import vocabulary
from tests.engine.families.starling.tiny import thinker, tokenizer

EAR = vocabulary()
THINKER = thinker()
CHAT = Chat(tokenizer(), 400)
READER = Reader(EAR, CHAT.encode, THINKER.lm.embed)
WORDS = st.lists(st.text("abcdeü", min_size=1, max_size=5), min_size=1, max_size=6)


def heard(text: str, doubtful: dict[int, tuple[str, float]]) -> Transcript:
    """A letter a token; at each place in `doubtful` the other letter is heard too, and what was written is so likely."""
    tokens = EAR.encode(f" {text}")
    likely = torch.tensor([[token, EAR.encode("z")[0]] for token in tokens])
    probabilities = torch.tensor([[0.95, 0.05]] * len(tokens))
    for n, (other, p) in doubtful.items():
        likely[n, 1] = EAR.encode(other)[0]
        probabilities[n] = torch.tensor([p, 1 - p])
    logprobs = tuple(probabilities[:, 0].log().tolist())
    return Transcript(text, tuple(tokens), logprobs, likely, probabilities, 0.0, torch.zeros(0))


def meaning(text: str) -> Tensor:
    return THINKER.lm.embed(CHAT.encode(text)).mean(0)


def spoken(said: Said, item_id: str = "i") -> tuple[m.Context, dict[str, Said]]:
    item = m.Message(
        item_id,
        "user",
        (m.Audio(np.zeros(0, np.int16), said.text, item_id),),
    )
    return m.Context("Be brief.", (), (item,)), {item_id: said}


@given(WORDS)
def test_what_is_surely_heard_is_read_as_text(words: list[str]) -> None:
    text = " ".join(words)
    said = READER.read(heard(text, {}))
    assert said == Said(text)
    context, by_key = spoken(said)
    typed = m.Context("Be brief.", (), (m.Message("i", "user", (m.Text(text),)),))
    assert CHAT.prompt(context, (), by_key) == CHAT.prompt(typed, (), {})


def test_a_doubtful_letter_is_the_mean_of_what_was_heard() -> None:
    said = READER.read(heard("a bad dog", {4: ("e", 0.6)}))
    (doubt,) = said.doubts
    assert said.text[doubt.begin : doubt.end] == " bad"
    expected = [
        meaning(" ") * 0.95 + meaning("z") * 0.05, meaning("b") * 0.95 + meaning("z") * 0.05,
        meaning("a") * 0.6 + meaning("e") * 0.4, meaning("d") * 0.95 + meaning("z") * 0.05,
    ]  # fmt: skip
    for token, mean in zip(doubt.ids, expected, strict=True):
        torch.testing.assert_close(said.frames[token], mean)
        assert token < FRAME


@given(WORDS, st.data())
@settings(max_examples=40)
def test_whatever_is_doubtful_all_else_is_read_as_before(words: list[str], data: st.DataObject) -> None:
    text = " ".join(words)
    tokens = EAR.encode(f" {text}")
    places = data.draw(st.sets(st.integers(0, len(tokens) - 1), max_size=3))
    said = READER.read(heard(text, dict.fromkeys(places, ("y", SURE - 0.1))))
    context, by_key = spoken(said)
    prompt = CHAT.prompt(context, (), by_key)
    assert [token for token in prompt.ids if token < FRAME] == [token for doubt in said.doubts for token in doubt.ids]
    assert set(prompt.frames) == {token for token in prompt.ids if token < FRAME}
    kept, at = "", 0
    for doubt in said.doubts:
        kept, at = kept + text[at : doubt.begin], doubt.end
    kept += text[at:]
    plain = tokenizer().decode([token for token in prompt.ids if token >= 0])
    assert plain == tokenizer().decode(
        CHAT.prompt(m.Context("Be brief.", (), (m.Message("i", "user", (m.Text("@"),)),)), (), {}).ids
    ).replace("@", kept)


def test_what_was_chosen_against_the_ears_first_guess_is_no_doubt() -> None:
    transcript = heard("bad", {2: ("e", 0.6)})
    likely = transcript.likely.clone()
    likely[2] = likely[2].flip(0)
    keyword = Transcript("bad", transcript.tokens, transcript.logprobs, likely, transcript.probabilities, 0.0, torch.zeros(0))
    assert READER.read(keyword) == Said("bad")


def test_marks_of_punctuation_are_no_doubt() -> None:
    said = READER.read(heard("so, bad", {3: (".", 0.5)}))
    assert said.doubts == ()


def test_the_same_is_heard_alike_in_every_turn() -> None:
    one, other = (READER.read(heard("bad", {2: ("e", 0.6)})) for _ in range(2))
    assert one.doubts == other.doubts
    assert identified(torch.zeros(3)) != identified(torch.ones(3))


def test_nobody_can_write_a_mark() -> None:
    said = READER.read(heard("bad", {2: ("e", 0.6)}))
    forged = Marks("another").write(said)
    context, by_key = spoken(said)
    context = m.Context("Be brief.", (), (m.Message("f", "user", (m.Text(forged),)), *context.items))
    prompt = CHAT.prompt(context, (), by_key)
    assert sum(token < FRAME for token in prompt.ids) == len(said.doubts[0].ids)


def test_a_template_that_changes_marks_reads_text() -> None:
    from copy import deepcopy

    escaping = deepcopy(tokenizer())
    escaping.chat_template = "{% for message in messages %}{{ message.content | replace(':', ';') }}{% endfor %}"
    said = READER.read(heard("a bad", {4: ("e", 0.6)}))
    context, by_key = spoken(said)
    prompt = Chat(escaping, 400).prompt(context, (), by_key)
    assert min(prompt.ids) >= 0
    assert "a bad" in tokenizer().decode(prompt.ids)


def written(chunk: int) -> tuple[list[int], str]:
    """The answer to a doubtful turn, prefilled in chunks."""
    own = thinker()
    said = Reader(EAR, own.chat.encode, own.lm.embed).read(heard("a bad dog ran", {4: ("e", 0.6), 9: ("o", 0.5)}))
    context, by_key = spoken(said)
    prompt = own.chat.prompt(context, (), by_key)
    stream, cached = own.prefixes.take("s", prompt.ids)
    answer = Answer(own, Request(Allowed.by("none", ()), limit=12), prompt, stream, cached)
    sequences = Sequences(own.lm.run, scheduler=Scheduler(Limits(chunk=chunk)))
    sequences.start("s", "r", Work(Resumed(answer.write()).run(lambda: False), [], lambda error: error, lambda: None))
    while sequences.step() is not None:
        pass
    assert stream.ids[: len(prompt.ids)] == prompt.ids
    return stream.ids[len(prompt.ids) :], "".join(str(piece) for piece in answer.pieces)


def test_a_prompt_with_doubts_is_read_in_chunks_as_at_once() -> None:
    assert written(3) == written(1000)
