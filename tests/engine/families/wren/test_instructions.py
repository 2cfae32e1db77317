"""What of free instructions reaches so small a model, at a cost that goes by what is read of them."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime_server import messages as m
from realtime_server.engine.families.wren import instructions


@pytest.mark.parametrize(("text", "name"), [
    ("Your name is Robin.", "Robin"), ("You are Alice, a friendly assistant.", "Alice"), ("name: Emma", "Emma"),
    ("You are a helpful assistant.", None), ("", None), ("You are an English teacher called nothing.", None),
    ("You are called Max. Speak English.", "Max"), ("Your name\n\tis   Robin.", "Robin"),
])  # fmt: skip
def test_name(text: str, name: str | None) -> None:
    assert instructions.name_from(text) == name


@pytest.mark.parametrize(("text", "facts"), [
    ("Your name is Robin. Date: November 21.", [("date", "november twenty one")]),
    ("The opening hours are nine to five. Be kind.", [("opening hours", "nine to five")]),
    ("Facts:\n- Room number = 12\n* price: 5 euros\nToday is Saturday.", [("room number", "twelve"), ("price", "five euros"), ("day", "saturday")]),
    ("Time: 10:15; gate: 7", [("time", "ten fifteen"), ("gate", "seven")]), ("You are a helpful assistant.", []), ("", []),
    ("price: 5\nprice: 6", [("price", "five")]), ("  -  Gate  :   7  ", [("gate", "seven")]),
])  # fmt: skip
def test_facts(text: str, facts: list[tuple[str, str]]) -> None:
    assert list(instructions.facts_from(text)) == facts


@given(st.text(max_size=300))
def test_any_instructions_are_read(text: str) -> None:
    facts = instructions.facts_from(text)
    assert len(facts) <= instructions.FACTS
    assert all(key and value and len(value.split()) <= instructions.LONGEST_FACT for key, value in facts)


def note(text: str) -> m.Message:
    return m.Message("note", "system", (m.Text(text),))


@given(st.permutations(["Your name is Robin. The gate is 7.", "The gate is 8.", "You are called Max."]), st.integers(0, 3))
def test_system_items_are_instructions_and_the_later_holds(texts: list[str], before: int) -> None:
    said = [m.Message(f"m{n}", "user", (m.Text("The gate is 9. Your name is Emma."),)) for n in range(before)]
    told = instructions.told(m.Context(texts[0], (), (*said, note(texts[1]), *said, note(texts[2]))))
    gates = [text[-2] for text in texts if "gate" in text]
    assert told.facts == (("gate", "seven" if gates[-1] == "7" else "eight"),)
    assert told.name == [name for text in texts for name in ("Robin", "Max") if name in text][-1]


def test_what_is_read_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Counted in characters that expressions see, not in time."""
    seen = list[int]()

    class Counted:
        def __init__(self, pattern: re.Pattern[str]) -> None:
            self._pattern = pattern

        def match(self, text: str) -> re.Match[str] | None:
            seen.append(len(text))
            return self._pattern.match(text)

        def finditer(self, text: str) -> object:
            seen.append(len(text))
            return self._pattern.finditer(text)

    for name in ("_KEY_COLON", "_THE_KEY_IS", "_TODAY_IS", "_NAME"):
        monkeypatch.setattr(instructions, name, Counted(getattr(instructions, name)))
    for filler in (" ", "a ", "the a is", ". ", ":", "name is ", "You are "):
        seen.clear()
        instructions.read(filler * (1_000_000 // len(filler)))
        assert sum(seen) <= 4 * instructions.READ
        assert max(seen[1:], default=0) <= instructions.LONGEST_SENTENCE


def test_no_two_quantifiers_take_the_same_characters() -> None:
    """A sentence is given to them with single spaces, so that `x+ y+` has one way to match each."""
    for pattern in (instructions._KEY_COLON, instructions._THE_KEY_IS, instructions._TODAY_IS, instructions._NAME):
        assert r"\s" not in pattern.pattern
    assert all("  " not in sentence for sentence in instructions._sentences("a  b\t\tc.  d  \n  e"))


@given(st.integers(1, 60))
def test_facts_and_names_are_short_however_long_they_are_written(times: int) -> None:
    context = m.Context("You are " + "A" + "b" * 500 * times, (), (note("The key is " + "x" * 100 * times),))
    told = instructions.told(context)
    assert told.name is None
    assert all(len(value) <= instructions.LONGEST_WORDS for _, value in told.facts)
