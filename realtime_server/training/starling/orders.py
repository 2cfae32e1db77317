"""Orders of food and drink: many slots, most of them not said, each filled with the very words of the customer."""

import functools
import random
from dataclasses import dataclass
from typing import Any

from realtime_server.training.starling import spoken
from realtime_server.training.starling.dialogue import Call, Calls, Exchange, Results, Say, Tool, User
from realtime_server.training.starling.tables import stored


@dataclass(frozen=True)
class Menu:
    """`before` stands before the item, `after` behind "with" (where it may have an amount before it)."""

    names: tuple[str, ...]
    description: str
    item_key: str
    items: tuple[str, ...]
    before: tuple[tuple[str, tuple[str, ...]], ...]
    after: tuple[tuple[str, tuple[str, ...], bool], ...]


def _parted(text: str) -> list[tuple[str, tuple[str, ...]]]:
    """`key: a, b; key: c, d`."""
    pairs = [part.split(": ") for part in text.split("; ")]
    return [(key, tuple(values.split(", "))) for key, values in pairs]


@functools.cache
def menus() -> tuple[Menu, ...]:
    """In the table a key with * takes amounts."""
    result = []
    for row in stored("menus")["menus"]:
        ((item_key, items),) = _parted(row["item"])
        behind = tuple((key.rstrip("*"), values, key.endswith("*")) for key, values in _parted(row["after"]))
        result.append(Menu(tuple(row["names"]), row["description"], item_key, items, tuple(_parted(row["before"])), behind))
    return tuple(result)


def _cased(key: str, camel: bool) -> str:
    first, *rest = key.split(" ")
    return first + "".join(map(str.title, rest)) if camel else "_".join((first, *rest))


def _schema(values: tuple[str, ...], rng: random.Random, free: float) -> dict[str, Any]:
    return {"type": "string"} if rng.random() < free else {"type": "string", "enum": list(values)}


@dataclass(frozen=True)
class Shown:
    """A menu as a tool with its own names for the parameters; where they are camel case, that too."""

    menu: Menu
    tool: Tool
    keys: dict[str, str]
    amounts: tuple[str, ...]
    """That may stand before what can carry one, a space behind each; the empty one is among them."""


def _listed(values: tuple[str, ...], amounts: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(amount + value for value in values for amount in amounts)


def shown(rng: random.Random) -> Shown:
    """As many of the parameters as its client cared to declare. What can carry an amount is any text, or all is listed."""
    menu, camel = rng.choice((*menus(), *menus()[:1] * 5)), rng.random() < 0.5
    kept_before = [entry for entry in menu.before if rng.random() < 0.8]
    kept_after = [entry for entry in menu.after if rng.random() < 0.8]
    keys = {key: _cased(key, camel) for key in (menu.item_key, *(k for k, _ in kept_before), *(k for k, _, _ in kept_after))}
    suffix = rng.choice(("", "", "Amount" if camel else "_amount"))
    keys |= {key: keys[key] + suffix for key, _, amounts in kept_after if amounts}
    free, all_amounts = rng.choice((0.0, 0.5, 1.0)), sorted(set(filter(None, stored("menus")["amounts"])))
    listed = rng.random() < 0.6
    amounts = ("", *rng.sample(all_amounts, rng.randint(1, 4))) if listed else ("", *all_amounts)
    properties = {keys[menu.item_key]: _schema(menu.items, rng, free)}
    properties |= {keys[key]: _schema(values, rng, free) for key, values in kept_before}
    properties |= {
        keys[key]: _schema(_listed(values, amounts if carries else ("",)), rng, free if listed or not carries else 1.0)
        for key, values, carries in kept_after
    }
    required = [keys[menu.item_key]] if rng.random() < 0.8 else []
    parameters = {"type": "object", "properties": properties, "required": required}
    return Shown(
        menu, Tool(rng.choice(menu.names), rng.choice((menu.description, "Place an order.", "")), parameters), keys, amounts
    )


def _article(words: str) -> str:
    if words.split(" ")[0] in {"one", "two", "three"}:
        return ""
    return "an " if words[0] in "aeiou" else "a "


def said(shop: Shown, rng: random.Random) -> tuple[str, str, dict[str, str]]:
    """(the order's words without an opening, what is ordered, the arguments). Nothing is said that the tool can not take."""
    menu, keys = shop.menu, shop.keys
    often = rng.choice((0.25, 0.5, 0.8))
    before = {key: rng.choice(values) for key, values in menu.before if key in keys and rng.random() < often}
    order = list(before)
    rng.shuffle(order)
    after = {}
    for key, values, carries in menu.after:
        if key in keys and rng.random() < often * 0.8:
            amount = rng.choice(shop.amounts) if carries and rng.random() < 0.75 else ""
            after[key] = amount + rng.choice(values)
    behind = list(after)
    rng.shuffle(behind)
    item = rng.choice(menu.items)
    words = " ".join([*(before[key] for key in order), item])
    ending = " and ".join(after[key] for key in behind)
    arguments = {keys[menu.item_key]: item} | {keys[k]: v for k, v in before.items()} | {keys[k]: v for k, v in after.items()}
    inside = shop.tool.parameters["properties"]
    return words + (f" with {ending}" if ending else ""), item, {key: arguments[key] for key in inside if key in arguments}


def order(shop: Shown, rng: random.Random) -> Exchange:
    words, item, arguments = said(shop, rng)
    article = _article(words) if rng.random() < 0.75 else ""
    opening = rng.choice(stored("menus")["openings"])
    please = rng.choice(("", "", "", " please", ", thanks"))
    mark = "?" if opening.startswith(("Can", "Could", "May", "Hi")) else "."
    text = f"{opening} {article}{words}{please}{mark}".strip() if opening else f"{spoken.upper_first(article + words)}{please}."
    user = User(spoken.heard(text, rng, errors=0))
    calls = Calls((Call(shop.tool.name, arguments),))
    if rng.random() < 0.25:
        reason, answer = rng.choice(stored("menus")["failed"])
        return Exchange("order", (user, calls, Results((f'{{"error": "{reason}"}}',)), Say(answer.format(item))))
    output = rng.choice(('{"status": "ok"}', '{"success": true}', "ok", '{"ordered": true}'))
    return Exchange(
        "order", (user, calls, Results((output,)), Say(spoken.upper_first(rng.choice(stored("menus")["done"]).format(item))))
    )
