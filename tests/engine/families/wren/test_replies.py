"""What is replied: words, or a call of which something was said."""

import torch
from hypothesis import given
from hypothesis import strategies as st

from realtime_server import messages as m
from realtime_server.engine.families.wren import replies
from realtime_server.engine.families.wren.grounds import Grounds
from realtime_server.engine.families.wren.policy.fact_grounding import Facts
from realtime_server.engine.families.wren.script import ARGUMENT, CALL, END, NOT_UNDERSTOOD, REPLY, VALUE
from realtime_server.engine.families.wren.words import DIGITS
from realtime_server.engine.runtime.speculation import Drafted
from realtime_server.engine.runtime.steps import Stream, Think
from realtime_server.engine.talker.reply import Reply
from tests.engine.families.wren.test_writing import SCRIPT

SIZE = {"type": "string", "enum": ["small", "large"]}


def write(steps: replies.Steps, stream: Stream, wanted: list[int]) -> None:
    """Goes through these steps with a network that wants to write these tokens."""
    try:
        step = next(steps)
        while True:
            assert isinstance(step, Think)
            stream.ids += step.ids
            behind = torch.zeros(1, SCRIPT.size)
            behind[0, wanted[min(len(stream.ids) - 1, len(wanted) - 1)]] = 5.0
            step = steps.send(behind)
    except StopIteration:
        return


def reply(required: list[str], tool_choice: str, doubted: bool) -> tuple[Reply, list[int]]:
    """Of a network that wants to call this function with a large size; and what its stream holds then."""
    tool = m.Function("order", "", {"type": "object", "properties": {"size": SIZE}, "required": required})
    called, size, large = map(SCRIPT.encode, ("order", "size", "large"))
    wanted = [CALL, *called, ARGUMENT, *size, VALUE, *large, END]
    request, result, stream = (
        m.Respond("r", m.Context("", (tool,), ()), False, "marin", tool_choice, None),
        Reply(),
        Stream(0, []),
    )
    steps = replies.think(request, Drafted(stream), SCRIPT, result, lambda: None, Grounds(doubted))
    write(steps, stream, wanted)
    return result, stream.ids


@given(st.sampled_from([[], ["size"]]), st.sampled_from(["auto", "required"]))
def test_what_the_network_calls_is_called(required: list[str], tool_choice: str) -> None:
    result, _ = reply(required, tool_choice, doubted=tool_choice == "required")
    assert isinstance(result.outputs[0], m.CallStarted)
    assert "".join(o.text for o in result.outputs if isinstance(o, m.CallArgumentsDelta)) == '{"size": "large"}'


def test_a_doubted_turn_calls_nothing() -> None:
    result, ids = reply([], "auto", doubted=True)
    assert result.text == NOT_UNDERSTOOD
    assert not any(isinstance(o, m.CallStarted | m.CallArgumentsDelta | m.CallDone) for o in result.outputs)
    assert ids == [REPLY, *SCRIPT.encode(NOT_UNDERSTOOD), END]


def test_what_the_network_refuses_is_not_called() -> None:
    tools = (m.Function("call_mom", "", {"type": "object"}),)
    for doubted in (False, True):
        request = m.Respond("r", m.Context("", tools, ()), False, "marin", "auto", None)
        result, stream, said = Reply(), Stream(0, []), "call mom is what my sister always says"
        grounds = Grounds(doubted, facts=Facts({}, said))
        steps = replies.think(request, Drafted(stream), SCRIPT, result, lambda: None, grounds)
        write(steps, stream, [*SCRIPT.encode(NOT_UNDERSTOOD), END])
        assert not any(isinstance(o, m.CallStarted) for o in result.outputs)
        assert result.text == NOT_UNDERSTOOD


def answered(grounds: Grounds, wanted: list[int]) -> str:
    """What a network says that wants to write these tokens, where it might call a function."""
    request = m.Respond("r", m.Context("", (m.Function("order", "", {"type": "object"}),), ()), False, "marin", "auto", None)
    result, stream = Reply(), Stream(0, [])
    steps = replies.think(request, Drafted(stream), SCRIPT, result, lambda: None, grounds)
    write(steps, stream, wanted)
    return "".join(o.text for o in result.outputs if isinstance(o, m.TextDelta))


def test_a_doubted_turn_is_answered_only_where_the_answer_is_what_was_heard() -> None:
    words = [*SCRIPT.encode("Large."), END]
    said_back = Grounds(doubted=True, facts=Facts({}, "say large"))
    assert answered(Grounds(doubted=True), words) == NOT_UNDERSTOOD
    assert answered(said_back, words) == "Large."
    assert answered(said_back, [CALL, *SCRIPT.encode("order"), END]) == NOT_UNDERSTOOD


@given(
    st.sampled_from(["please say {}", "repeat after me {}", "how do you spell {}"]), st.sampled_from(["atrium", "five", "bye"])
)
def test_what_is_to_be_repeated_is_said_back(request: str, word: str) -> None:
    assert replies.is_said_back(request.format(word))


@given(st.lists(st.sampled_from(DIGITS), min_size=1))
def test_digits_are_said_back_and_nothing_else(digits: list[str]) -> None:
    assert replies.is_said_back(" ".join(digits))
    assert not replies.is_said_back(" ".join([*digits, "minutes"]))
    assert not replies.is_said_back("")


def drawn(sampling: m.Sampling | None, draft: list[int]) -> tuple[str, list[int]]:
    """What a network says that would as soon write any of a few words, and what its stream holds then."""
    request = m.Respond("r", m.Context("", (), ()), False, "marin", "auto", 8, sampling=sampling)
    result, stream = Reply(limit=8), Stream(0, [])
    words = SCRIPT.encode("The owner is tom and kate on saturday")
    steps = replies.think(request, Drafted(stream, draft), SCRIPT, result, lambda: None, Grounds())
    behind: torch.Tensor | None = None
    try:
        while True:
            step = next(steps) if behind is None else steps.send(behind)
            assert isinstance(step, Think)
            first = len(stream.ids)
            stream.ids += step.ids
            behind = torch.full((len(step.ids), SCRIPT.size), -20.0)
            for row, position in enumerate(range(first, len(stream.ids))):
                behind[row, words] = torch.arange(len(words)).roll(position) / 4
    except StopIteration:
        return result.text, stream.ids


@given(seed=st.integers(0, 99), temperature=st.sampled_from([0.0, 0.6, 1.2]), drafted=st.integers(1, 8), own=st.booleans())
def test_a_seed_says_the_same_again_and_whatever_was_drafted(seed: int, temperature: float, drafted: int, own: bool) -> None:
    sampling = m.Sampling(temperature, seed=seed)
    said = drawn(sampling, [])
    draft = said[1][1 : 1 + drafted] if own else SCRIPT.encode("The owner is tom and kate")[:drafted]
    assert drawn(sampling, draft) == said
    assert (said == drawn(None, [])) or temperature > 0


def test_without_a_seed_two_answers_differ_and_the_models_own_do_not() -> None:
    assert len({drawn(m.Sampling(1.2), [])[0] for _ in range(8)}) > 1
    assert len({drawn(None, [])[0] for _ in range(8)}) == 1
