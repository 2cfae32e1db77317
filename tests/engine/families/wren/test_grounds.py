"""What a reply goes by: facts only where a user said what is replied to, and the sound only where there is one."""

import torch

from realtime_server import messages as m
from realtime_server.engine.families.wren.grounds import grounds
from realtime_server.engine.families.wren.policy.rules import Answering
from realtime_server.engine.families.wren.recordings import Recording

LATTE = m.Message("m", "user", (m.Text("A latte."),))


def test_only_a_reply_to_a_user_is_held_to_facts() -> None:
    heard = Recording("m", -2, torch.zeros(0), [], "a latte")
    asked = grounds(m.Context("The day is Monday.", (), (LATTE,)), {}, heard, True, Answering())
    assert asked.facts is not None
    assert (asked.facts.told, asked.facts.said) == ({"day": "monday"}, "a latte")
    assert asked.doubted
    assert asked.evidence is not None
    result = m.FunctionResult("r", "c", "{}")
    told = grounds(m.Context("", (), (LATTE, result)), {}, None, False, Answering())
    assert (told.facts, told.evidence, told.doubted) == (None, None, False)
