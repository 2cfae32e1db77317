"""A function that the model cannot honour costs itself, and nothing else, unless the server is strict."""

import logging
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime_server import messages as m
from realtime_server.protocol.errors import ClientError
from realtime_server.protocol.session_config import FunctionTool, NamedFunction, RealtimeSession, Tool
from realtime_server.session import response_request, validation
from realtime_server.session.limits import Limits


def fault(parameters: dict[str, Any]) -> m.SchemaFault | None:
    match parameters.get("title"):
        case "partly":
            return m.SchemaFault("properties.y", "It is partly odd.", partial=True)
        case "odd":
            return m.SchemaFault("properties.x", "It is odd.")
        case "none":
            return m.SchemaFault("title", "It is no schema.", malformed=True)
    return None


KINDS = st.lists(st.sampled_from(["plain", "partly", "odd"]), max_size=6)


def tools(kinds: list[str]) -> tuple[Tool, ...]:
    return tuple(FunctionTool(name=f"f{n}", parameters={"title": kind}) for n, kind in enumerate(kinds))


@given(KINDS)
def test_what_cannot_be_honoured_is_kept_and_not_shown(kinds: list[str]) -> None:
    config = RealtimeSession(id="sess", model="m", expires_at=0, tools=tools(kinds))
    validation.check_tools(config.tools, "auto", fault, Limits(), "session")
    shown = response_request.context(config, response_request.NO_OVERRIDES, (), fault).tools
    assert [tool.name for tool in shown] == [f"f{n}" for n, kind in enumerate(kinds) if kind != "odd"]
    assert len(config.tools) == len(kinds)
    for n, kind in enumerate(kinds):
        if kind != "odd":
            validation.check_tools(config.tools, NamedFunction(name=f"f{n}"), fault, Limits(), "session")


@given(KINDS, st.integers(0, 6))
def test_its_path_is_told_where_it_matters(kinds: list[str], place: int) -> None:
    kinds = ["plain" if kind == "partly" else kind for kind in kinds]
    kinds.insert(min(place, len(kinds)), "odd")
    first = kinds.index("odd")
    for choice, limits in (("auto", Limits(strict_tools=True)), (NamedFunction(name=f"f{first}"), Limits())):
        with pytest.raises(ClientError, match="odd") as refused:
            validation.check_tools(tools(kinds), choice, fault, limits, "session")  # type: ignore[arg-type]
        assert refused.value.code == "invalid_function_parameters"
        assert refused.value.param == f"session.tools[{first}].parameters.properties.x"


def test_what_is_no_schema_is_refused() -> None:
    with pytest.raises(ClientError, match="no schema") as refused:
        validation.check_tools(tools(["plain", "none"]), "auto", fault, Limits(), "response")
    assert refused.value.param == "response.tools[1].parameters.title"


def test_all_together_have_a_size() -> None:
    large = FunctionTool(name="f", parameters={"description": "x" * 1000})
    validation.check_tools((large,) * 4, "auto", fault, Limits(tools_bytes=4500), "session")
    judged = list[Any]()
    with pytest.raises(ClientError, match="bytes") as refused:
        validation.check_tools((large,) * 5, "auto", judged.append, Limits(tools_bytes=4500), "session")
    assert refused.value.param == "session.tools"
    assert not judged


def test_a_choice_needs_its_function() -> None:
    with pytest.raises(ClientError, match="not found") as refused:
        validation.check_tools(tools(["plain"]), NamedFunction(name="g"), fault, Limits(), "session")
    assert refused.value.code == "invalid_value"


def test_it_is_logged_once_with_its_path(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        validation.check_tools(tools(["odd", "plain", "odd"]), "auto", fault, Limits(), "session")
    (line,) = caplog.messages
    assert "session.tools[0].parameters.properties.x" in line
    assert "session.tools[2]" in line
