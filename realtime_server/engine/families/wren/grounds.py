"""What a reply goes by besides its stream: what a user said, how well that was understood, and what may be said and called."""

from collections.abc import Callable
from dataclasses import dataclass

from realtime_server.engine.families.wren import prompt
from realtime_server.engine.families.wren.instructions import told
from realtime_server.engine.families.wren.items import Transcripts, message_text, parsed
from realtime_server.engine.families.wren.policy.argument_grounding import Said, refers_back
from realtime_server.engine.families.wren.policy.fact_grounding import Facts
from realtime_server.engine.families.wren.policy.rules import Answering
from realtime_server.engine.families.wren.policy.thresholds import ArgumentGrounding
from realtime_server.engine.families.wren.recordings import Recording
from realtime_server.engine.families.wren.words import plain
from realtime_server.messages import Context, FunctionCall, Message

LATELY = 100
"""Items among which the last call of a function is looked for."""


@dataclass(frozen=True)
class Grounds:
    """`doubted`: what was said is not understood, so the reply says so, unless a call is demanded, or it only says back what
    was heard (`replies.is_said_back`). `evidence`: what the sound says for values (`Recording.evidence`), where there is one.
    `facts`: what it may state, `said`: what a call may be made of; None where it does not reply to a user."""

    doubted: bool = False
    evidence: Callable[[list[str], str, str], list[float]] | None = None
    facts: Facts | None = None
    said: Said | None = None
    rules: Answering = Answering()


def grounds(
    context: Context, transcripts: Transcripts, recording: Recording | None, doubted: bool, rules: Answering
) -> Grounds:
    """`recording`: what was heard of the newest item."""
    evidence, asked = recording.evidence if recording else None, prompt.asked(context)
    if not isinstance(asked, Message) or asked.role != "user":
        return Grounds(doubted, evidence, rules=rules)
    likeness, words = recording.likeness if recording else None, plain(message_text(asked, transcripts))
    facts = Facts(dict(told(context).facts), words, likeness, rules.fact_grounding, rules.copying)
    # A long conversation is not read for what can call nothing.
    callable_with = said(context, transcripts, recording, rules) if context.tools else None
    return Grounds(doubted, evidence, facts, callable_with, rules)


def said(context: Context, transcripts: Transcripts, recording: Recording | None, rules: Answering) -> Said:
    """What a call may be made of, where a user said the newest item."""
    rule = rules.argument_grounding or ArgumentGrounding()
    trusted = recording and not (rules.rejection and rules.rejection.rejects(recording.doubt, rule.trusted))
    calls = {item.name: item.arguments for item in context.items[-LATELY:] if isinstance(item, FunctionCall)}
    given = {name: parsed(arguments) for name, arguments in calls.items()}
    asked, text = prompt.asked(context), plain(prompt.remembered(context, transcripts))
    newest = plain(message_text(asked, transcripts)) if isinstance(asked, Message) else ""
    likeness = recording.likeness if recording and trusted else None
    return Said(text, likeness, given, rule.misheard, baseless=prompt.alone(context) and refers_back(newest))
