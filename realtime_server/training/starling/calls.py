"""Exchanges in which tools are called, asked back for, or not called because none fits."""

import random
from dataclasses import dataclass
from typing import Any

from realtime_server.training.starling import spoken, toolbox
from realtime_server.training.starling.dialogue import Call, Calls, Exchange, Results, Say, Tool, User
from realtime_server.training.starling.rendering import plain_json
from realtime_server.training.starling.slots import Draw, Value
from realtime_server.training.starling.tables import stored


@dataclass(frozen=True)
class Offered:
    """A kind as one client declares it: its own name, the parameters' names, and what values these take."""

    kind: toolbox.Kind
    tool: Tool
    keys: dict[str, str]
    draws: dict[str, Draw]


def _cased(words: str, camel: bool) -> str:
    first, *rest = words.split("_")
    return first + "".join(map(str.title, rest)) if camel else words


def offered(kind: toolbox.Kind, rng: random.Random) -> Offered:
    camel, described = rng.random() < 0.3, rng.random() < 0.3
    keys = {slot.key: _cased(slot.key, camel) for slot in kind.slots}
    properties: dict[str, Any] = {}
    draws: dict[str, Draw] = {}
    for slot in kind.slots:
        schema, draws[slot.key] = rng.choice(slot.variants)
        if described and "description" not in schema:
            schema = {**schema, "description": f"The {slot.key.replace('_', ' ')}"}
        properties[keys[slot.key]] = schema
    required = [keys[slot.key] for slot in kind.slots if slot.key in kind.required]
    parameters = {"type": "object", "properties": properties, "required": required}
    name = rng.choice(kind.names)
    return Offered(kind, Tool(_cased(name, camel), kind.description if rng.random() < 0.85 else "", parameters), keys, draws)


def sampled(rng: random.Random, count: int) -> list[Offered]:
    """Tools of as many kinds."""
    return [offered(kind, rng) for kind in rng.sample(toolbox.kinds(), count)]


def _expanded(template: str, rng: random.Random, often: float) -> str:
    """Each bracket is kept or not."""
    parts = template.replace("]", "[").split("[")
    return "".join(part for n, part in enumerate(parts) if n % 2 == 0 or rng.random() < often)


@dataclass(frozen=True)
class Request:
    """What the user says, and the values of the slots that it names."""

    tool: Offered
    text: str
    said: dict[str, Value]

    @property
    def call(self) -> Call:
        told = {self.tool.keys[slot.key]: self.said[slot.key][1] for slot in self.tool.kind.slots if slot.key in self.said}
        return Call(self.tool.tool.name, told)


def _asked(tool: Offered, template: str, rng: random.Random) -> Request:
    said = {slot.key: tool.draws[slot.key](rng) for slot in tool.kind.slots if slot.key in toolbox.keys(template)}
    return Request(tool, toolbox.filled(template, said), said)


def request(tool: Offered, rng: random.Random) -> Request:
    return _asked(tool, _expanded(rng.choice(tool.kind.asks), rng, rng.choice((0.2, 0.5, 0.9))), rng)


def outcome(asked: Request, rng: random.Random) -> tuple[str, str]:
    """(what the function returned, how it is told)."""
    table, kind = stored("calls"), asked.tool.kind
    if rng.random() < 0.2:
        reason = rng.choice(table["reasons"])
        return rng.choice(table["failures"]).replace("<reason>", reason), rng.choice(table["sorry"]).replace("<reason>", reason)
    if kind.found is None:
        return rng.choice(table["successes"]), toolbox.filled(kind.done, asked.said)
    result, answer = toolbox.found(kind.found, rng, asked.said)
    return plain_json(result), answer


def single(tool: Offered, rng: random.Random) -> Exchange:
    asked = request(tool, rng)
    output, answer = outcome(asked, rng)
    return Exchange(
        "call", (User(spoken.heard(asked.text, rng, errors=0)), Calls((asked.call,)), Results((output,)), Say(answer))
    )


def several(tools: list[Offered], rng: random.Random) -> Exchange:
    """Two at once: of two tools, or of one with other values."""
    first, second = rng.sample(tools, 2) if len(tools) > 1 and rng.random() < 0.7 else (tools[0], tools[0])
    one, other = request(first, rng), request(second, rng)
    if one.call == other.call:
        return single(first, rng)
    joint = rng.choice((" And ", " And also, ", " Then ", " "))
    later = other.text if joint == " " or other.text.startswith("I") else other.text[:1].lower() + other.text[1:]
    (output, answer), (output2, answer2) = outcome(one, rng), outcome(other, rng)
    user = User(spoken.heard(one.text + joint + later, rng, errors=0))
    return Exchange("calls", (user, Calls((one.call, other.call)), Results((output, output2)), Say(f"{answer} {answer2}")))


def pair(tools: list[Offered], rng: random.Random) -> Exchange:
    """Of one tool at once for two values of its only slot, named in one sentence."""
    tool = rng.choice(tools)
    templates = [t for ask in tool.kind.asks if len(toolbox.keys(t := _expanded(ask, rng, 0.0))) == 1]
    # Two values of a list are one call.
    if not templates or any(schema["type"] == "array" for schema in tool.tool.parameters["properties"].values()):
        return several(tools, rng)
    template = rng.choice(templates)
    one, other = _asked(tool, template, rng), _asked(tool, template, rng)
    if one.call == other.call:
        return single(tool, rng)
    (key,) = toolbox.keys(template)
    both = {key: (f"{one.said[key][0]} and {other.said[key][0]}", None)}
    (output, answer), (output2, answer2) = outcome(one, rng), outcome(other, rng)
    user = User(spoken.heard(toolbox.filled(template, both), rng, errors=0))
    return Exchange("calls", (user, Calls((one.call, other.call)), Results((output, output2)), Say(f"{answer} {answer2}")))


def asked_back(tool: Offered, rng: random.Random) -> Exchange | None:
    """The last required slot is missing: it is asked for, and with the answer the call is made. None where nobody asks so."""
    if not tool.kind.bare:
        return None
    slot = [slot for slot in tool.kind.slots if slot.key in tool.kind.required][-1]
    bare = _asked(tool, tool.kind.bare, rng)
    value = tool.draws[slot.key](rng)
    whole = Request(tool, bare.text, {**bare.said, slot.key: value})
    answer = spoken.sentence(rng.choice(("{}", "{}.", "{} please.")).format(value[0]))
    output, told = outcome(whole, rng)
    asked = (User(spoken.heard(bare.text, rng, errors=0)), Say(slot.ask), User(answer))
    return Exchange("asked back", (*asked, Calls((whole.call,)), Results((output,)), Say(told)))


def not_able(tools: list[Offered], rng: random.Random) -> Exchange:
    """Something is wanted that none of these tools does."""
    have = {offer.kind.names[0] for offer in tools}
    kind = rng.choice([kind for kind in toolbox.kinds() if kind.names[0] not in have and not kind.found])
    asked = request(offered(kind, rng), rng)
    answer = rng.choice(stored("calls")["not able"]).format(kind.unable)
    return Exchange("not able", (User(spoken.heard(asked.text, rng, errors=0)), Say(answer)))
