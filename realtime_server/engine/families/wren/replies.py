"""The sequence that thinks an answer: a generator that yields steps and is sent answers.

Yielding None means: nothing to do before something else happens.
"""

from collections.abc import Callable, Generator
from typing import Any

from realtime_server.engine.families.wren.calls import CallWriter
from realtime_server.engine.families.wren.choosing import best_text
from realtime_server.engine.families.wren.grounds import Grounds
from realtime_server.engine.families.wren.policy.lexicon_correction import ANY_WORD_BEHIND
from realtime_server.engine.families.wren.script import CALL, END, NOT_UNDERSTOOD, REPLY, Script
from realtime_server.engine.families.wren.words import DIGITS
from realtime_server.engine.families.wren.writing import TextWriter
from realtime_server.engine.runtime.speculation import Drafted
from realtime_server.engine.runtime.steps import Think
from realtime_server.engine.talker.reply import Reply
from realtime_server.messages import NamedFunction, Respond, ResponseFinished

Steps = Generator[Think | None, Any, None]


def is_said_back(said: str) -> bool:
    """Is this, in plain words, answered with what was said? Then the user hears how it was understood, and nothing is done."""
    words = said.split()
    return not ANY_WORD_BEHIND.isdisjoint(words) or (bool(words) and set(words) <= set(DIGITS))


def think(
    request: Respond, line: Drafted, script: Script, reply: Reply, start_speaking: Callable[[], None], grounds: Grounds
) -> Steps:
    """Writes the reply on `line`, behind a context that is already there; calls `start_speaking` with its first words."""
    tools = request.context.tools
    named = request.tool_choice.name if isinstance(request.tool_choice, NamedFunction) else None
    forced = bool(tools) and (request.tool_choice == "required" or named is not None)
    logits = yield from line.take(REPLY)
    wants_call = bool(tools) and best_text(logits, END, CALL)[0] == CALL
    asked = grounds.facts.said if grounds.facts is not None else ""
    refused = grounds.doubted and (wants_call or not is_said_back(asked))
    if forced or (wants_call and not grounds.doubted):
        writer = CallWriter(script, tools, request.response_id, reply.outputs, line, grounds.evidence, reply.limit)
        yield from writer.write(named)
        reply.tokens += writer.tokens
        reply.ran_out = writer.ran_out
    else:
        words = TextWriter(request, line, script, reply, start_speaking)
        yield from words.give(NOT_UNDERSTOOD) if refused else words.write(logits, grounds.facts)
    reply.written = True
    while request.audio and reply.text and not reply.spoken:
        yield None
    reason: Any = "max_output_tokens" if reply.ran_out else "completed"
    reply.outputs.append(ResponseFinished(request.response_id, reason))
