"""What was made of a text, kept as long as there is room: bounded by characters, since one text may be as long as thousands."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class Cache(Generic[Key, Value]):
    """`get` may be called on any thread; two that miss at once both make the value."""

    def __init__(self, room: int) -> None:
        """`room`: the sizes of all that is kept make no more than this; what alone has more is not kept."""
        self._room, self._taken = room, 0
        self._kept: OrderedDict[Key, tuple[Value, int]] = OrderedDict()
        self._lock = Lock()

    def get(self, key: Key, size: int, make: Callable[[], Value]) -> Value:
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key][0]
        value = make()
        if size <= self._room:
            self._keep(key, value, size)
        return value

    def _keep(self, key: Key, value: Value, size: int) -> None:
        """The ones that were not asked for the longest make room for it."""
        with self._lock:
            if key in self._kept:
                return
            self._kept[key] = value, size
            self._taken += size
            while self._taken > self._room:
                self._taken -= self._kept.popitem(last=False)[1][1]
