"""What a reply goes by besides its stream: what a user said, how well that was understood, and what may be said."""

from dataclasses import dataclass

from realtime_server.engine.families.wren import prompt
from realtime_server.engine.families.wren.calls import Evidence
from realtime_server.engine.families.wren.instructions import told
from realtime_server.engine.families.wren.items import Transcripts, message_text
from realtime_server.engine.families.wren.policy.fact_grounding import Facts
from realtime_server.engine.families.wren.policy.rules import Answering
from realtime_server.engine.families.wren.policy.thresholds import AcousticEvidence
from realtime_server.engine.families.wren.recordings import Recording
from realtime_server.engine.families.wren.words import plain
from realtime_server.messages import Context, Message


@dataclass(frozen=True)
class Grounds:
    """`doubted`: what was said is not understood, so the reply says so, unless a call is demanded, or it only says back what
    was heard (`replies.is_said_back`). `evidence`: what the sound says for values (`Recording.evidence`), where there is one.
    `facts`: what it may state; None where it does not reply to a user."""

    doubted: bool = False
    evidence: Evidence | None = None
    facts: Facts | None = None


def grounds(
    context: Context, transcripts: Transcripts, recording: Recording | None, doubted: bool, rules: Answering
) -> Grounds:
    """`recording`: what was heard of the newest item."""
    asked, evidence = prompt.asked(context), _evidence(recording, rules.acoustic_evidence)
    if not isinstance(asked, Message) or asked.role != "user":
        return Grounds(doubted, evidence)
    likeness, said = recording.likeness if recording else None, plain(message_text(asked, transcripts))
    return Grounds(doubted, evidence, Facts(dict(told(context).facts), said, likeness, rules.fact_grounding, rules.copying))


def _evidence(recording: Recording | None, rule: AcousticEvidence | None) -> Evidence | None:
    if recording is None or rule is None:
        return None
    return lambda *asked: [rule.weight * nats for nats in recording.evidence(*asked)]
