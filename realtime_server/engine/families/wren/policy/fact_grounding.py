"""What the instructions say, and nothing else: a reply that states a fact is held back until it is one of theirs.

A small model says "The owner is Kate." as readily where nobody told it as where somebody did, and now and then denies what
it was told. Which of the two is right can be looked up. So can the letters of a word that it is asked to spell, and the words
that it is asked to repeat: those that it was not trained on it now and then writes as others.
"""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from realtime_server.engine.families.wren.policy.thresholds import Copying, FactGrounding
from realtime_server.engine.families.wren.script import NOT_KNOWN, NOT_UNDERSTOOD

_STATEMENT = re.compile(r"The (?P<key>.+?) is\b", re.DOTALL)
_DENIAL = NOT_KNOWN[: NOT_KNOWN.index(" know")]
_SPELLING = re.compile(r"(?P<first>[A-Z]), [A-Z]")
_SPELLING_BEGUN = re.compile(r"[A-Z](,( )?)?")
_REPEATING = re.compile(r"(?:please )?(?:say|repeat)(?: after me)? (?P<words>(?!the number ).+)")
_APOLOGY = NOT_UNDERSTOOD[: NOT_UNDERSTOOD.index(" I")]


@dataclass(frozen=True)
class Facts:
    """The instructions' facts by key, and the user's turn that is replied to, all in plain words.

    `likeness`: of keys, to what was heard (`Recording.likeness`); None where the turn was written.
    """

    told: dict[str, str]
    said: str
    likeness: Callable[[list[str]], list[float]] | None = None
    grounding: FactGrounding | None = FactGrounding()
    copying: Copying | None = Copying()

    @property
    def hesitation(self) -> float:
        """The log-probability of "Sorry ..." from which on the model was not sure."""
        return self.grounding.hesitation if self.grounding is not None else -math.inf

    def undecided(self, text: str) -> bool:
        """Could what begins like this still become a statement, a denial or a spelling, or is it repeated rightly so far?"""
        if self.copying is not None and (_SPELLING_BEGUN.fullmatch(text) or self._wanted.startswith(text.lower())):
            return True
        if self.grounding is None:
            return False
        if text.startswith("The "):
            return _STATEMENT.match(text) is None and len(text) < self.grounding.longest_key
        return "The ".startswith(text) or (_DENIAL.startswith(text) and text != _DENIAL)

    def instead(self, text: str, sure: bool) -> str | None:
        """The whole reply in place of one that begins with a statement, a denial, a spelling or a repetition; None where it may
        go on.

        `sure`: the model did not hesitate to state something, as where a user taught it that sentence.
        """
        letters = _SPELLING.match(text)
        if letters is not None and self.copying is not None:
            return self._spelled(letters["first"].lower())
        if self.grounding is None:
            return self._repeated(text)
        match, denied = _STATEMENT.match(text), text.startswith(_DENIAL)
        if match is not None and f" {match[0].lower()} " not in f" {self.said} ":
            if match["key"] in self.told:
                return self._statement(match["key"])
            denied = not sure and not match["key"].startswith("capital of ")
        if not denied:
            return self._repeated(text)
        asked = self._asked()
        return NOT_KNOWN if asked is None else self._statement(asked)

    def _asked(self) -> str | None:
        """The key that the turn holds, or else the one that it sounds like."""
        spoken = [key for key in self.told if f" {key} " in f" {self.said} "]
        if spoken or self.likeness is None or self.grounding is None:
            return max(spoken, key=len, default=None)
        misheard = self.grounding.misheard
        near = dict(zip(self.told, self.likeness(list(self.told)), strict=True))
        return max((key for key, nats in near.items() if nats > -misheard), key=lambda key: near[key], default=None)

    def _spelled(self, first: str) -> str | None:
        """The letters of the word that was to be spelled, if possible one that begins as the model would."""
        words = self.said.split()
        asked = words[words.index("spell") + 1 :] if "spell" in words else []
        word = next((word for word in reversed(asked) if word.startswith(first)), asked[-1] if asked else None)
        return None if word is None else ", ".join(word.upper()) + "."

    @cached_property
    def _wanted(self) -> str:
        """The words that were to be repeated; none where there are none."""
        match = _REPEATING.fullmatch(self.said)
        return match["words"] if match is not None else ""

    def _repeated(self, text: str) -> str | None:
        """Those words, where the model begins to repeat them and goes wrong within one."""
        wanted, so_far = self._wanted, text.lower()
        if self.copying is None or text.startswith(_APOLOGY) or not wanted.startswith(so_far[:1] or "."):
            return None
        whole = so_far.startswith(wanted) and not so_far[len(wanted) :][:1].isalpha()
        return None if whole else f"{wanted.capitalize()}."

    def _statement(self, key: str) -> str:
        return f"The {key} is {self.told[key]}."
