"""What a thinker writes, whichever it is."""

from hypothesis import given
from hypothesis import strategies as st

from realtime_server.engine.families.starling.thinker import Answer, NewCalls, Request
from realtime_server.engine.grammar.calls import Allowed
from realtime_server.engine.grammar.parsing import ArgumentsDelta, CallDone, CallStarted, Parsed, Text
from realtime_server.engine.runtime.resumed import Resumed
from realtime_server.messages import Context, Message, Sampling
from realtime_server.messages import Text as TextPart
from tests.engine.families.starling.tiny import thinker

THINKER = thinker()
CONTEXT = Context("Be brief.", (), (Message("i", "user", (TextPart("Hello."),)),))


def call(name: str, value: int) -> list[Parsed]:
    return [CallStarted(name), ArgumentsDelta('{"n": '), ArgumentsDelta(f"{value}}}"), CallDone()]


calls = st.tuples(st.sampled_from("ab"), st.integers(0, 1))


@given(st.lists(calls, max_size=5), st.lists(st.integers(1, 4), max_size=20))
def test_calls_are_passed_on_until_one_comes_again(made: list[tuple[str, int]], cuts: list[int]) -> None:
    pieces = [Text("So: "), *(piece for one in made for piece in call(*one))]
    new, passed, at = NewCalls(), list[Parsed](), 0
    for cut in [*cuts, len(pieces)]:
        passed += new.passed(pieces[at : at + cut])
        at += cut
    again = next((n for n, one in enumerate(made) if one in made[:n]), len(made))
    assert passed == pieces[: 1 + 4 * again]
    assert new.repeats is (again < len(made))


def written(sampling: Sampling, parts: list[int]) -> str:
    """By bodies that each go on with it for so many tokens."""
    prompt = THINKER.chat.prompt(CONTEXT, (), {})
    stream, cached = THINKER.prefixes.take("s", prompt.ids)
    answer = Answer(THINKER, Request(Allowed(()), sampling, 30), prompt, stream, cached)
    writing = Resumed(answer.write())
    for part in [*parts, 1000]:
        until = answer.tokens + part
        body = writing.run(lambda until=until: answer.tokens >= until)  # type: ignore[misc]
        step = next(body, None)
        while step is not None:
            try:
                step = body.send(THINKER.lm.run([step])[0])
            except StopIteration:
                step = None
    THINKER.prefixes.keep("s", stream)
    assert writing.over
    assert answer.over
    return "".join(piece.text for piece in answer.pieces if isinstance(piece, Text))


@given(st.lists(st.integers(1, 9), max_size=4), st.sampled_from([0.0, 0.9]))
def test_whoever_goes_on_with_an_answer_the_answer_is_the_same(parts: list[int], temperature: float) -> None:
    sampling = Sampling(temperature, seed=3)
    assert written(sampling, parts) == written(sampling, [])
