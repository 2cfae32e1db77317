"""Before a dialect says what it can hold, all are asked the same of a schema, and say it as briefly."""

from collections.abc import Callable
from typing import Any

import pytest

from realtime_server.engine.dialects import JUDGES
from realtime_server.engine.grammar import judging
from realtime_server.engine.grammar.judging import Dialect
from realtime_server.engine.grammar.keywords import CannotHonour
from realtime_server.messages import SchemaFault

Judge = Callable[[dict[str, Any]], SchemaFault | None]
judge = pytest.mark.parametrize("judge", [JUDGES["json"], JUDGES["wren"]], ids=["json", "wren"])


def needs(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties)}


@judge
def test_what_is_too_large_to_be_looked_at_is_refused(judge: Judge) -> None:
    most = judging.MOST_BYTES
    assert judge({"description": "x" * most}) == SchemaFault("", f"It has more than {most} bytes.")


@judge
def test_what_is_no_json_is_refused(judge: Judge) -> None:
    fault = judge({"default": object()})
    assert fault is not None
    assert fault.why.startswith("It is too deep or no JSON")


@judge
def test_what_is_no_schema_is_told_apart(judge: Judge) -> None:
    broken, refused = judge(needs(x={"type": "nonsense"})), judge(needs(x={"not": {"const": 1}}))
    assert broken is not None and refused is not None
    assert (broken.path, broken.malformed) == ("properties.x.type", True)
    assert (refused.path, refused.malformed) == ("properties.x.not", False)


@judge
def test_a_client_is_told_no_endless_path(judge: Judge) -> None:
    parameters: dict[str, Any] = needs(**{"x" * 100: {"not": {"const": 1}}})
    for _ in range(12):
        parameters = needs(a=parameters)
    fault = judge(parameters)
    assert fault is not None
    steps = fault.path.split(".")
    assert len(steps) == judging.LONGEST_PATH
    assert max(map(len, steps)) <= judging.LONGEST_STEP + 1


def test_each_text_is_judged_once() -> None:
    """By each dialect."""
    asked = list[bytes]()

    def left_out(text: bytes) -> CannotHonour | None:
        asked.append(text)
        return CannotHonour(("properties", "x"), "why " * 100)

    for one in (Dialect(dict, left_out), Dialect(dict, lambda text: left_out(text))):
        for _ in range(3):
            fault = one.fault({"type": "object"})
            assert fault is not None
            assert (fault.path, fault.partial, len(fault.why)) == ("properties.x", True, judging.LONGEST_WHY)
    assert len(asked) == 2
