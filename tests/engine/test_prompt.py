"""What of free instructions and JSON reaches so small a model."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime_server import messages as m
from realtime_server.engine.wren import prompt
from realtime_server.engine.wren.script import Script
from realtime_server.engine.wren.words import plain


@pytest.mark.parametrize(("instructions", "name"), [
    ("Your name is Robin.", "Robin"), ("You are Alice, a friendly assistant.", "Alice"), ("name: Emma", "Emma"),
    ("You are a helpful assistant.", "Wren"), ("", "Wren"), ("You are an English teacher called nothing.", "Wren"),
    ("You are called Max. Speak English.", "Max"),
])  # fmt: skip
def test_name(instructions: str, name: str) -> None:
    assert prompt.name_from(instructions) == name


@pytest.mark.parametrize(("instructions", "facts"), [
    ("Your name is Robin. Date: November 21.", [("date", "november twenty one")]),
    ("The opening hours are nine to five. Be kind.", [("opening hours", "nine to five")]),
    ("Facts:\n- Room number = 12\n* price: 5 euros\nToday is Saturday.", [("room number", "twelve"), ("price", "five euros"), ("day", "saturday")]),
    ("Time: 10:15; gate: 7", [("time", "ten fifteen"), ("gate", "seven")]), ("You are a helpful assistant.", []), ("", []),
    ("price: 5\nprice: 6", [("price", "five")]),
])  # fmt: skip
def test_facts(instructions: str, facts: list[tuple[str, str]]) -> None:
    assert prompt.facts_from(instructions) == facts


@given(st.text(max_size=300))
def test_any_instructions_are_read(instructions: str) -> None:
    facts = prompt.facts_from(instructions)
    assert len(facts) <= prompt.FACTS
    assert all(key and value and len(value.split()) <= prompt.LONGEST_FACT for key, value in facts)


@given(st.lists(st.text(max_size=30), max_size=500))
def test_keywords_are_written_as_transcripts_are(keywords: list[str]) -> None:
    found = prompt.keywords_from(tuple(keywords))
    assert [plain(keyword) for keyword in found] == list(found)
    assert len(found) <= prompt.KEYWORDS
    assert all(found) and len(set(found)) == len(found)


def test_keywords() -> None:
    assert prompt.keywords_from(("Zoë", "iced  Mocha!", "7", "…", "zoe", f"far too {'long ' * 9}")) == (
        "zoe",
        "iced mocha",
        "seven",
    )


@pytest.mark.parametrize(("output", "words"), [
    ('{"temperature": 21, "condition": "sunny"}', "temperature 21 condition sunny"), ("sunny", "sunny"),
    ('{"ok": true, "list": [1, 2.6]}', "ok true list 1 3"), ("{broken", "{broken"),
])  # fmt: skip
def test_results(output: str, words: str) -> None:
    assert prompt.result_words(output) == words


def test_a_conversation(script: Script) -> None:
    items = (
        m.Message("a", "user", (m.Audio(np.zeros(1, np.int16), None, "a"),)),
        m.FunctionCall("b", "call", "get_weather", '{"city": "Rome"}'),
        m.FunctionResult("c", "call", '{"condition": "sunny"}'),
        m.Message("d", "assistant", (m.Text("It is sunny."),)),
    )
    ids = [token for item in items for token in prompt.item_ids(script, item, {"a": "weather in rome"})]
    assert script.decode(ids) == "weather in rome get weather city Rome condition sunny It is sunny."
    said = [prompt.item_text(item, {"a": "weather in rome"}) for item in items]
    assert said == ["weather in rome", "rome", "condition sunny", "It is sunny."]


@given(st.lists(st.integers(1, 30), max_size=40), st.integers(30, 100), st.floats(0.3, 1.0))
def test_truncation_fits_and_is_stable(lengths: list[int], room: int, retention: float) -> None:
    parts = [[n] * length for n, length in enumerate(lengths)]
    truncation = m.Truncation(retention=retention)
    kept = prompt.fitting(parts, room, truncation)
    assert sum(map(len, kept)) <= room
    assert kept == parts[len(parts) - len(kept) :]
    if sum(lengths) <= room:
        assert kept == parts
    # While there is room, a further part only adds itself: the beginning stays as it was.
    if sum(map(len, kept)) < room:
        assert prompt.fitting([*parts, [99]], room, truncation) == [*kept, [99]]


def test_disabled_truncation_says_so() -> None:
    with pytest.raises(prompt.ContextTooLong, match="disabled"):
        prompt.fitting([[1] * 20, [2] * 20], 30, m.Truncation(allowed=False))
    assert len(prompt.fitting([[1] * 20, [2] * 20], 300, m.Truncation(conversation_tokens=20))) == 1


def test_images_are_refused(script: Script) -> None:
    with pytest.raises(prompt.Unsupported, match="images"):
        prompt.item_ids(script, m.Message("a", "user", (m.Image("data:"),)), {})


def test_choices_are_shown_to_models_that_know_them(script: Script) -> None:
    schema = {"type": "object", "properties": {"roast": {"enum": ["dark", "light"]}, "to": {"type": "string"}}}
    context = m.Context("", (m.Function("make", "", schema),), ())
    shown = script.system("Wren", (), [("make", [("roast", ("dark", "light")), ("to", ())])])
    assert prompt.system_ids(script, context, choices_shown=True) == shown
    assert prompt.system_ids(script, context, choices_shown=False) == script.system(
        "Wren", (), [("make", [("roast", ()), ("to", ())])]
    )
