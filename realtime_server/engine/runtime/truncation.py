"""What of a conversation the model is shown, and in which order: no more than it was trained to have before it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from realtime_server.messages import ContextItem, FunctionCall, FunctionResult, Message, Truncation

OWN_RETENTION = 0.5
"""Down to this share of what the model was trained on the oldest is left out at once, so that much of the prompt stays the same
for some turns."""


class ContextTooLong(Exception):
    """What is to be answered does not fit, or the session forbids to leave anything out."""


@dataclass(frozen=True)
class Part:
    """Items that stay together: a message; or a call with its result, and with the question that led to it, where the
    conversation went on before the result came."""

    items: tuple[ContextItem, ...]

    @property
    def asks(self) -> bool:
        """A user begins with it."""
        first = self.items[0]
        return isinstance(first, Message) and first.role == "user"


def is_note(item: ContextItem) -> bool:
    """Does it instruct the model, rather than say something to it?"""
    return isinstance(item, Message) and item.role == "system"


def in_order(items: Iterable[ContextItem], notes: bool = False) -> list[Part]:
    """As models are trained to read them: each result behind its own call, at the place where the result came.

    A call that waits for its result stands where it was made. System items are instructions, and no part of it, unless `notes`.
    """
    parts, waiting, newest = list[Part | None](), dict[str, int](), -1
    for item in items:
        if isinstance(item, FunctionResult) and (at := waiting.pop(item.call_id, None)) is not None:
            call, parts[at] = parts[at], None
            together = (*(call.items if call else ()), item)
            before = parts[at - 1] if at > 0 else None
            if newest > at and before is not None and before.asks and len(before.items) == 1:
                together, parts[at - 1] = (*before.items, *together), None
            parts.append(Part(together))
        elif notes or not is_note(item):
            if isinstance(item, FunctionCall):
                waiting[item.call_id] = len(parts)
            elif isinstance(item, Message):
                newest = len(parts)
            parts.append(Part((item,)))
    return [part for part in parts if part is not None]


def newest(sizes: Sequence[int], room: int) -> int:
    """From which of the parts on they may be looked at at all: sizes in characters, of which those of `room` are the newest
    that could fit.

    It moves by leaps: between two of them a longer conversation is looked at from the same part on.
    """
    left = (sum(sizes) // room - 1) * room
    for n, size in enumerate(sizes):
        if left <= 0:
            return n
        left -= size
    return len(sizes)


def fitting(
    parts: Sequence[list[int]], room: int, truncation: Truncation, trained: int | None = None, asks: Sequence[bool] = ()
) -> list[list[int]]:
    """The newest parts that fit, in tokens: see `first_kept`."""
    return list(parts[first_kept(list(map(len, parts)), room, truncation, trained, asks) :])


def first_kept(
    sizes: Sequence[int], room: int, truncation: Truncation, trained: int | None = None, asks: Sequence[bool] = ()
) -> int:
    """From which part on they fit, after the oldest were left out in the steps that retention asks for. Raises ContextTooLong.

    `sizes`: each one's tokens. `room`: tokens, whatever happens. `trained`: the tokens that the model learned to have before
    it, beyond which nothing is shown unless nothing may be left out. `asks`: of each part, whether a user begins with it; what
    is kept then begins there. What is left out depends on the parts alone, so a later turn of the same conversation leaves out
    the same, until the limit is met again: between two such cuts the prompt only grows, and what the model holds of it can be
    used again.
    """
    total, retention = sum(sizes), truncation.retention
    if not truncation.allowed:
        if total > room:
            raise ContextTooLong(f"The conversation has {total} tokens; {room} fit, and truncation is disabled.")
        return 0
    limit = min(room, truncation.conversation_tokens if truncation.conversation_tokens is not None else room)
    if trained is not None and trained < limit:
        limit, retention = trained, min(retention, OWN_RETENTION)
    first = total = 0
    for n, size in enumerate(sizes):
        total += size
        if total <= limit:
            continue
        while first <= n and (total > limit or (first < n and (total > limit * retention or (asks and not asks[first])))):
            total -= sizes[first]
            first += 1
    # Where all was too long up to here, what comes next may be an answer to it.
    while asks and 0 < first < len(sizes) - 1 and not asks[first]:
        first += 1
    return first
