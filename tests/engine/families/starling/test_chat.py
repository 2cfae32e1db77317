"""A conversation as a chat template takes it: what stays the same stays at its place, and what is too long is left out."""

from hypothesis import given
from hypothesis import strategies as st

from realtime_server import messages as m
from realtime_server.engine.families.starling.chat import UNTOLD, Chat, likely_words, messages
from tests.engine.families.starling.tiny import tokenizer

CHAT = Chat(tokenizer(), 400)
texts = st.text("abc de", min_size=1, max_size=30).filter(str.strip)


def said(*items: tuple[str, str]) -> tuple[m.Message, ...]:
    return tuple(m.Message(f"i{n}", role, (m.Text(text),)) for n, (role, text) in enumerate(items))  # type: ignore[arg-type]


@given(st.lists(texts, min_size=3, max_size=5))
def test_a_longer_conversation_begins_as_the_shorter_one_did(turns: list[str]) -> None:
    items = said(*((("user", "assistant")[n % 2], text) for n, text in enumerate(turns)))
    shorter, longer = (CHAT.prompt(m.Context("Be brief.", (), items[:n]), (), {}) for n in (1, 3))
    assert longer.ids[: len(shorter.ids)] == shorter.ids
    assert longer.head == shorter.head
    assert CHAT.prompt(m.Context("Be brief.", (), items[2:3]), (), {}).ids[: longer.head] == longer.ids[: longer.head]


@given(st.lists(texts, min_size=1, max_size=40))
def test_the_oldest_is_left_out_and_the_newest_never(turns: list[str]) -> None:
    context = m.Context("Be brief.", (), said(*((("user", "assistant")[n % 2], text) for n, text in enumerate(turns))))
    ids = CHAT.prompt(context, (), {}).ids
    assert len(ids) <= 400
    assert turns[-1].strip() in tokenizer().decode(ids)


def test_what_stands_in_it() -> None:
    call = m.FunctionCall("c", "call_1", "order", '{"size": "große"}')
    result = m.FunctionResult("r", "call_1", '{"ok": true}')
    assert messages(call, {}) == [
        {
            "role": "assistant",
            "content": "",
            "tool_calls": [{"type": "function", "id": "call_1", "function": {"name": "order", "arguments": {"size": "große"}}}],
        }
    ]
    text = tokenizer().decode(CHAT.prompt(m.Context("", (), (call, result)), (), {}).ids)
    assert UNTOLD in text
    assert '"große"' in text
    assert '<tool>{"ok": true}' in text


def test_names_and_offered_values_are_likely_to_be_said() -> None:
    schema = {
        "type": "object",
        "properties": {"size": {"enum": ["small", "extra_large", 3]}, "more": {"items": {"enum": ["oat milk"]}}},
    }
    context = m.Context(
        "You are Holly of Crumb and Company. Ask for Mr Tanaka.", (m.Function("f", "", schema),), (), keywords=("latte",)
    )
    assert likely_words(context) == ["latte", "small", "extra large", "oat milk", "Holly", "Crumb", "Company", "Mr Tanaka"]
