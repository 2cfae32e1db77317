"""What of an item's JSON reaches so small a model: signs and points of figures, and no fault whatever a client wrote."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime_server import messages as m
from realtime_server.engine.families.wren import items
from realtime_server.engine.families.wren.script import Script
from realtime_server.engine.families.wren.words import plain


@pytest.mark.parametrize(("output", "words"), [
    ('{"temperature": 21, "condition": "sunny"}', "temperature twenty one condition sunny"), ("sunny", "sunny"),
    ('{"ok": true, "list": [1, 2.6, null]}', "ok true list one two point six none"), ("{broken", "broken"),
    ('{"temperature": -5}', "temperature minus five"), ("-5 degrees", "minus five degrees"), ("19.95", "nineteen point nine five"),
    ("-0.5", "minus zero point five"), ('{"price": Infinity}', "price infinity"), ('{"at": "2024-11-05"}', "at two thousand twenty four eleven five"),
    ("nine-to-five", "nine to five"), ('{"price": 1e999}', "price one e nine hundred ninety nine"), ("It is 5. Then 6.", "it is five then six"),
])  # fmt: skip
def test_results(output: str, words: str) -> None:
    assert plain(items.result_words(output)) == words


def test_a_conversation(script: Script) -> None:
    conversation = (
        m.Message("a", "user", (m.Audio(np.zeros(1, np.int16), None, "a"),)),
        m.FunctionCall("b", "call", "get_weather", '{"city": "Rome", "days": 2}'),
        m.FunctionResult("c", "call", '{"condition": "sunny"}'),
        m.Message("d", "assistant", (m.Text("It is sunny."),)),
    )
    ids = [token for item in conversation for token in items.item_ids(script, item, {"a": "weather in rome"})]
    assert script.decode(ids) == "weather in rome get weather city Rome days two condition sunny It is sunny."


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8)),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4), max_leaves=20,
)  # fmt: skip
WRITTEN = st.one_of(
    st.text(max_size=400), JSON.map(json.dumps), st.integers(1, 6000).map(lambda n: "9" * n),
    st.integers(1, 5000).map(lambda n: "[" * n + "]" * n), st.integers(1, 3000).map(lambda n: '{"a":' * n + "-Infinity" + "}" * n),
    st.integers(1, 5000).map(lambda n: '{"id": -' + "7" * n + "}"), st.integers(1, 30_000).map(lambda n: "a " * n),
    st.sampled_from(['{"a": 1e999}', "NaN", '"\\ud800"', "\ud800", '{"\\ud800": 1.5}', "<end><call>"]),
)  # fmt: skip


@given(WRITTEN)
def test_whatever_a_client_writes_is_bounded_and_no_fault(script: Script, text: str) -> None:
    written = (
        m.FunctionCall("a", "id", text, text),
        m.FunctionResult("b", "id", text),
        m.FunctionCall("c", "id", "f", f'{{"a": {text}}}'),
    )
    for item in written:
        # Each of a digit's characters may become a word.
        assert len(items.item_ids(script, item, {})) <= 8 * items.MOST_ARGUMENTS * items.LONGEST_ARGUMENT
    assert len(items.result_words(text)) <= 8 * items.LONGEST_RESULT
    assert isinstance(items.parsed(text), dict)


def test_pictures_say_nothing(script: Script) -> None:
    image = m.Image("data:image/png;base64,")
    assert items.item_ids(script, m.Message("a", "user", (image,)), {}) == []
    assert items.item_ids(script, m.Message("a", "user", (m.Text("hello"), image)), {}) == script.user("hello")
    assert items.item_ids(script, m.Message("a", "user", (m.Text(""),)), {}) == script.user("")
