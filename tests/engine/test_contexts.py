"""What is added, replaced and removed by id is what a model is given, in order; of each session its own."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime_server import messages as m
from realtime_server.engine.contexts import Contexts

IDS = st.sampled_from("abcd")


def listen(contexts: Contexts, session_id: str, items: tuple[str | m.ContextItem, ...] | None = None) -> m.Context:
    given = contexts.take(session_id, m.Listen("turn", m.ContextRef("Be kind.", (), items)))
    assert isinstance(given, m.Listen)
    return given.context


def said(item_id: str, text: str = "hi") -> m.Message:
    return m.Message(item_id, "user", (m.Text(text),))


@given(
    st.lists(st.tuples(st.sampled_from(["add", "remove", "replace"]), st.sampled_from("xy"), IDS, st.none() | IDS), max_size=30)
)
def test_changes_are_those_of_a_list(steps: list[tuple[str, str, str, str | None]]) -> None:
    contexts = Contexts()
    lists: dict[str, list[m.ContextItem]] = {"x": [], "y": []}
    for what, session_id, item_id, after in steps:
        mine = lists[session_id]
        ids = [item.item_id for item in mine]
        if what == "add" and item_id not in ids and after in (None, *ids):
            assert contexts.take(session_id, m.AddItem(said(item_id), after)) is None
            mine.insert(0 if after is None else ids.index(after) + 1, said(item_id))
        elif what == "remove" and item_id in ids:
            assert contexts.take(session_id, m.RemoveItem(item_id)) is None
            del mine[ids.index(item_id)]
        elif what == "replace" and item_id in ids:
            assert contexts.take(session_id, m.ReplaceItem(said(item_id, "more"))) is None
            mine[ids.index(item_id)] = said(item_id, "more")
    for session_id, mine in lists.items():
        assert listen(contexts, session_id) == m.Context("Be kind.", (), tuple(mine))
        named = tuple(item.item_id for item in reversed(mine))
        assert listen(contexts, session_id, (*named, said("own"))).items == (*reversed(mine), said("own"))


def test_a_transcript_comes_to_its_sound() -> None:
    contexts, sound = Contexts(), np.arange(10, dtype=np.int16)
    parts = (m.Text("look"), m.Audio(sound, None, "key"))
    contexts.take("s", m.AddItem(m.Message("a", "user", parts), None))
    contexts.take("s", m.AddTranscript("a", 1, "hello"))
    (item,) = listen(contexts, "s").items
    assert isinstance(item, m.Message)
    look, heard = item.parts
    assert look == m.Text("look")
    assert isinstance(heard, m.Audio)
    assert (heard.transcript, heard.key) == ("hello", "key")
    assert heard.samples is sound


@pytest.mark.parametrize("command", [
    m.Hear("turn", np.zeros(1, np.int16)), m.Commit("turn"), m.Forget("turn"), m.Cancel("resp"),
])  # fmt: skip
def test_what_names_no_context_passes(command: Any) -> None:
    assert Contexts().take("s", command) is command


def test_a_request_keeps_all_that_it_asks() -> None:
    asked = m.Respond("resp", m.ContextRef("", ()), True, "ash", m.NamedFunction("f"), 7, 1.5, m.Sampling(0.7, seed=3))
    given = Contexts().take("s", asked)
    assert given == m.Respond("resp", m.Context("", (), ()), True, "ash", m.NamedFunction("f"), 7, 1.5, asked.sampling)


def test_an_ended_session_leaves_nothing() -> None:
    contexts = Contexts()
    contexts.take("s", m.AddItem(said("a"), None))
    contexts.end("s")
    assert listen(contexts, "s").items == ()
