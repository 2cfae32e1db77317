"""Everything that the measures say in the test voices, each wording once."""

from realtime_server.training.starling.sets import conversation, questions, requests
from realtime_server.training.starling.sets.talks import Talk, Turn

TALKS: tuple[Talk, ...] = (*questions.TALKS, *requests.TALKS, conversation.TALK)
TURNS: tuple[Turn, ...] = tuple(turn for talk in TALKS for turn in talk.turns)
