"""A conversation as ids: bounded in every case, the same from turn to turn, and what is to be answered always in it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from realtime_server import messages as m
from realtime_server.engine.families.wren import prompt
from realtime_server.engine.families.wren.prompt import Bounds
from realtime_server.engine.families.wren.script import Script
from realtime_server.engine.families.wren.words import plain
from realtime_server.engine.runtime.truncation import ContextTooLong

TRAINED = 100
BOUNDS = Bounds(positions=2000, trained=TRAINED)


def said(text: str, role: str = "user") -> m.Message:
    return m.Message(text[:8], role, (m.Text(text),))  # type: ignore[arg-type]


def context(*items: m.ContextItem, truncation: m.Truncation = m.Truncation(), instructions: str = "") -> m.Context:
    return m.Context(instructions, (), items, truncation)


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


@given(st.integers(0, 40), st.integers(0, 60))
@settings(max_examples=40)
def test_a_longer_conversation_seldom_begins_elsewhere(script: Script, turns: int, words: int) -> None:
    """What was answered stands before the next turn, so that the model need not read it again; history has its bound."""
    items, changed = list[m.ContextItem](), 0
    for turn in range(turns):
        items.append(said(f"question {turn} " + "word " * (words % 7)))
        asked = prompt.to_answer(script, context(*items), {}, BOUNDS)
        items.append(said(f"Answer {turn}.", "assistant"))
        heard = prompt.before_turn(script, context(*items), {}, BOUNDS)
        assert len(heard) <= len(script.system("Wren")) + TRAINED
        changed += heard[: len(asked)] != asked
    assert changed <= turns / 2 + 1


def test_only_what_is_answered_may_be_longer_than_what_was_trained(script: Script) -> None:
    long = said("apple " * 200)
    ids = prompt.to_answer(script, context(said("hello"), long), {}, BOUNDS)
    assert ids[-len(script.user("apple " * 200)) :] == script.user("apple " * 200)
    assert len(ids) < 1000
    assert prompt.before_turn(script, context(said("hello"), long), {}, BOUNDS) == script.system("Wren")
    later = prompt.to_answer(script, context(said("hello"), long, said("What now?")), {}, BOUNDS)
    assert later == script.system("Wren") + script.user("What now?")


@pytest.mark.parametrize("text", ["apple " * 3000, "apple " * 200_000, "9" * 1_000_000, " " * 1_000_000])
def test_what_is_too_long_is_refused_before_it_is_read(script: Script, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    read = list[int]()
    encode = script._encode

    def counted(text: str) -> tuple[int, ...]:
        read.append(len(text))
        return encode(text)

    monkeypatch.setattr(script, "_encode", counted)
    with pytest.raises(ContextTooLong, match=r"fit|what fits"):
        prompt.to_answer(script, context(said(text)), {}, BOUNDS)
    assert sum(read) <= 8 * BOUNDS.positions * prompt.CHARACTERS
    read.clear()
    # Behind it everything goes on, and as cheaply.
    ids = prompt.to_answer(script, context(said(text), *[said(text)] * 50, said("hello")), {}, BOUNDS)
    assert ids[-len(script.user("hello")) :] == script.user("hello")
    assert len(ids) <= 200
    assert sum(read) <= 16 * TRAINED * prompt.CHARACTERS


def test_where_nothing_may_be_left_out_it_fails_when_it_is_answered_and_not_before(script: Script) -> None:
    items = [said("apple " * 200)] * 5
    never = m.Truncation(allowed=False)
    with pytest.raises(ContextTooLong, match="disabled"):
        prompt.to_answer(script, context(*items, said("hello"), truncation=never), {}, BOUNDS)
    with pytest.raises(ContextTooLong, match="disabled"):
        prompt.before_turn(script, context(*items, truncation=never), {}, BOUNDS)
    assert prompt.listening(script, context(*items, truncation=never), {}, BOUNDS) == script.system("Wren")
    whole = prompt.to_answer(script, context(*items[:2], said("hello"), truncation=never), {}, BOUNDS)
    assert len(whole) > 1000
    assert prompt.listening(script, context(*items[:2], truncation=never), {}, BOUNDS) == whole[: -len(script.user("hello"))]


def test_who_has_heard_nothing_greets(script: Script) -> None:
    note = said("Your name is Robin. The gate is 7.", "system")
    assert prompt.to_answer(script, context(), {}, BOUNDS) == script.system("Wren") + script.user("hello")
    greeted = script.system("Robin", [("gate", "seven")]) + script.user("hello")
    assert prompt.to_answer(script, context(note), {}, BOUNDS) == greeted
    assert prompt.before_turn(script, context(note), {}, BOUNDS) == script.system("Robin", [("gate", "seven")])


def test_images_are_left_out_unless_they_are_asked_about(script: Script) -> None:
    image = m.Message("a", "user", (m.Text("look"), m.Image("data:")))
    with pytest.raises(prompt.Unsupported, match="images"):
        prompt.to_answer(script, context(image), {}, BOUNDS)
    assert prompt.to_answer(script, context(image, said("hello")), {}, BOUNDS) == (
        script.system("Wren") + script.user("look") + script.user("hello")
    )
    assert prompt.before_turn(script, context(image), {}, BOUNDS) == script.system("Wren") + script.user("look")


def test_choices_are_shown_to_models_that_know_them(script: Script) -> None:
    schema = {"type": "object", "properties": {"roast": {"enum": ["dark", "light"]}, "to": {"type": "string"}}}
    known = m.Context("", (m.Function("make", "", schema),), ())
    shown = script.system("Wren", (), [("make", [("roast", ("dark", "light")), ("to", ())])])
    assert prompt.system_ids(script, known, choices_shown=True) == shown
    assert prompt.system_ids(script, known, choices_shown=False) == script.system(
        "Wren", (), [("make", [("roast", ()), ("to", ())])]
    )


@given(st.integers(1, 128), st.integers(0, 60))
@settings(max_examples=20)
def test_tools_are_shown_as_far_as_there_is_room(script: Script, tools: int, parameters: int) -> None:
    schema = {"type": "object", "properties": {f"parameter {n}": {"enum": ["dark", "light"]} for n in range(parameters)}}
    known = m.Context("", tuple(m.Function(f"tool_{chr(97 + n % 26)}", "", schema) for n in range(tools)), ())
    ids = prompt.system_ids(script, known, choices_shown=True)
    assert len(ids) <= prompt.LONGEST_HEAD
    names = prompt.system_ids(script, m.Context("", tuple(m.Function(t.name, "", {}) for t in known.tools), ()), True)
    assert len(ids) >= len(names)


def test_too_many_tools_are_told(script: Script) -> None:
    known = m.Context(
        "", tuple(m.Function("an unusually long name for a function " + "x" * 20, "", {}) for _ in range(128)), ()
    )
    with pytest.raises(ContextTooLong, match="functions"):
        prompt.to_answer(script, known, {}, BOUNDS)
    assert prompt.listening(script, known, {}, BOUNDS) == script.system("Wren")


def test_a_note_is_not_what_is_answered() -> None:
    known = context(said("hello"), said("Be kind.", "system"))
    answered = prompt.asked(known)
    assert answered is known.items[0]
    assert prompt.asked(context(said("Be kind.", "system"))) is None


@given(st.integers(0, 3), st.integers(0, 2))
def test_who_asks_again_wants_another_reply_to_what_was_said(before: int, replies: int) -> None:
    said = [m.Message(f"u{n}", "user", (m.Text("Hello."),)) for n in range(before)]
    told = [m.Message(f"a{n}", "assistant", (m.Text("Hello!"),)) for n in range(replies)]
    context = m.Context("", (), (*said, *told))
    assert list(prompt.unanswered(context).items) == (said or told)
