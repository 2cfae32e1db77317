"""Questions that are written instead of spoken: what the thinker makes of them, whatever the ear does."""

import random
from collections import defaultdict
from typing import Any

from realtime_server.training.wren import domain
from realtime_server.training.wren.asker import Asker
from realtime_server.training.wren.dialogue import Dialogue
from realtime_server.training.wren.measures.answers import context_of, right, share


def drawn(number: int) -> list[Dialogue]:
    """As training draws them, by a seed of their own: some of their sentences occur in it."""
    rng, dialogues = random.Random("written questions"), list[Dialogue]()
    while len(dialogues) < number:
        dialogue = domain.in_context(domain.sample(rng), rng)
        if dialogue.language == "en":
            dialogues.append(dialogue)
    return dialogues


def written_questions(asker: Asker, number: int) -> dict[str, Any]:
    """Answered exactly, by intent."""
    by_intent = defaultdict(list)
    for dialogue in drawn(number):
        answer = asker.write(str(dialogue.user), context_of(dialogue), audio=False)
        by_intent[dialogue.intent].append(right(answer, dialogue))
    every = [result for results in by_intent.values() for result in results]
    by_name = {intent: share(results) for intent, results in sorted(by_intent.items())}
    return {"exact": share(every), "questions": number, "exact_by_intent": by_name}
