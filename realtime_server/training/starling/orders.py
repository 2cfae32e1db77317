"""Orders in shops: many slots, most of them not said, each filled with what the shop lists for what the customer said."""

import random
from dataclasses import dataclass
from typing import Any

from realtime_server.training.starling import menus, spoken
from realtime_server.training.starling.dialogue import Call, Calls, Exchange, Results, Say, User
from realtime_server.training.starling.menus import Form, Shop, Slot
from realtime_server.training.starling.tables import stored

FIGURES = {word: str(number) for number, word in enumerate(spoken.ONES[2:13], 2)}


@dataclass(frozen=True)
class Said:
    """An order's words without an opening, what is ordered, as one or several, and the arguments in the tool's order."""

    text: str
    item: str
    many: bool
    arguments: dict[str, Any]


def _many(item: str) -> bool:
    """Whether a name means several already."""
    return item.endswith("s") and not item.endswith(("ss", "us"))


def plural(item: str) -> str:
    """'a pear' -> 'pears'."""
    if _many(item):
        return item
    if item.endswith(("ch", "sh", "ss", "x")):
        return f"{item}es"
    return f"{item[:-1]}ies" if item.endswith("y") and item[-2] not in "aeiou" else f"{item}s"


def _article(words: str) -> str:
    first = words.split(" ")[0]
    return "an " if (words[0].lower() in "aeiou" and first not in {"one", "eu"}) or first in {"8", "11", "18"} else "a "


def _and(parts: list[str]) -> str:
    return " and ".join(filter(None, (", ".join(parts[:-1]), parts[-1]))) if parts else ""


def _corrected(slot: Slot, form: Form, rng: random.Random) -> str:
    """Now and then another value is said first, and taken back."""
    others = [forms[0] for _, forms in slot.choices if forms[0].place == form.place and form not in forms]
    if not others or rng.random() > 0.03 or form.text.startswith(("a ", "an ")):
        return form.text
    return f"{rng.choice(others).text}, {rng.choice(stored('menus')['corrections'])} {form.text}"


Chosen = list[tuple[Slot, Any, Form]]


def _chosen(shop: Shop, rng: random.Random) -> Chosen:
    """Of the slots few or many, each with one way to say its value."""
    often, result = rng.choice((0.2, 0.4, 0.7)), []
    for slot in shop.slots:
        if rng.random() < often:
            value, forms = rng.choice(
                slot.choices if slot.choices[0][0] is not True or rng.random() < 0.4 else slot.choices[:1]
            )
            result.append((slot, value, forms[0] if rng.random() < 0.4 else rng.choice(forms)))
    rng.shuffle(result)
    return result


def _without(shop: Shop, chosen: Chosen, rng: random.Random) -> str:
    """What is named as left out stands in no call."""
    taken = {slot.key for slot, _, _ in chosen}
    free = [slot for slot in shop.slots if slot.base and slot.key not in taken]
    if not free or rng.random() > 0.06:
        return ""
    what = rng.choice(rng.choice(free).base)
    return rng.choice((f", no {what}", f" without {what}", f", and no {what}"))


def _number(shop: Shop, measured: bool, rng: random.Random) -> int:
    """How many are ordered in so many words; 0 where nothing is said of it. Of what is not listed it is one at most: its name
    would be taken as it is said, in the plural."""
    if not shop.count or measured or rng.random() > 0.4:
        return 0
    return rng.choice((1, 2, 2, 3, 3, 4, 5, 6, 8, 10)) if "enum" in shop.item.schema else 1


def _front(number: int, words: str, several: bool, rng: random.Random) -> str:
    """A number or an article, or nothing."""
    if number:
        counted = "a couple of" if number == 2 and rng.random() < 0.15 else spoken.words(number)
        return f"{str(number) if rng.random() < 0.35 else counted} "
    if several:
        return rng.choice(("", "", "the ", "some "))
    return _article(words) if rng.random() < 0.8 else ""


def _arranged(shop: Shop, chosen: Chosen, item: str, number: int, rng: random.Random) -> str:
    """Before the item, behind "with", behind it; what can stand before it may also come last."""
    before, with_, behind = [], [], []
    for slot, _, form in chosen:
        text = _corrected(slot, form, rng)
        if form.place == "with":
            with_.append(text)
        elif form.place == "behind":
            behind.append(f"{rng.choice(('', '', ','))} {text}")
        elif rng.random() < 0.2 and not text.endswith(" of"):
            behind.append(f", {text}")
        else:
            before.append(text)
    before.sort(key=lambda text: not text.endswith(" of"))
    several = number > 1 or (not number and _many(item))
    words = " ".join([*before, plural(item) if number > 1 else item])
    measured = bool(before) and before[0].endswith(" of")
    front = "" if measured else _front(number, words, several, rng)
    ending = f"{rng.choice((' with', ' with', ', with'))} {_and(with_)}" if with_ else ""
    parts = [ending, *behind] if rng.random() < 0.7 else [*behind, ending]
    return front + words + "".join(parts)


def _figures(text: str, rng: random.Random) -> str:
    """Numbers as a recogniser may write them."""
    return " ".join(FIGURES.get(word, word) for word in text.split(" ")) if rng.random() < 0.12 else text


def said(shop: Shop, rng: random.Random) -> Said:
    """Nothing is said that the tool can not take, but for what is to be left out."""
    chosen, item = _chosen(shop, rng), str(rng.choice(shop.item.choices)[0])
    measured = any(form.text.endswith(" of") for _, _, form in chosen)
    number = 0 if _many(item) else _number(shop, measured, rng)
    text = _arranged(shop, chosen, item, number, rng) + _without(shop, chosen, rng)
    arguments = (
        {shop.item.key: item} | {slot.key: value for slot, value, _ in chosen} | ({shop.count: number} if number else {})
    )
    inside = shop.tool.parameters["properties"]
    listed = all("enum" in schema or schema["type"] != "string" for schema in inside.values())
    ordered = {key: arguments[key] for key in inside if key in arguments}
    return Said(_figures(text, rng) if listed else text, item, number > 1 or _many(item), ordered)


def _sentence(text: str, rng: random.Random) -> str:
    """With an opening or without one, with a pause, with a word of thanks."""
    table = stored("menus")
    opening, ending = rng.choice(table["openings"]), rng.choice(table["endings"])
    if "please" in opening.lower():
        ending = ""
    pause = rng.choice(table["pauses"]) if opening and rng.random() < 0.1 else ""
    asking = opening.removeprefix("Hi, ").removeprefix("Hi there, ").lower().startswith(("can", "could", "may", "would", "how"))
    whole = f"{opening}{pause} {text}" if opening else spoken.upper_first(text)
    return spoken.heard(f"{whole}{ending}{'?' if asking else '.'}", rng, errors=0)


def _told(shop: Shop, order_: Said, rng: random.Random) -> tuple[str, str]:
    """(what the function returns, how that is told)."""
    table, name = stored("menus"), plural(order_.item) if order_.many else order_.item
    if rng.random() < 0.2:
        reason, answer = rng.choice(table["failed"]["dfg"] + table["failed"][shop.kind])
        return f'{{"error": "{reason}"}}', answer.format(name, "are" if order_.many else "is")
    output = rng.choice(('{"status": "ok"}', '{"success": true}', "ok", '{"ordered": true}', '{"ok": true}', "done"))
    return output, spoken.upper_first(rng.choice(table["done many" if order_.many else "done"]).format(name))


def order(shop: Shop, rng: random.Random) -> Exchange:
    wanted = said(shop, rng)
    output, answer = _told(shop, wanted, rng)
    calls = Calls((Call(shop.tool.name, wanted.arguments),))
    return Exchange("order", (User(_sentence(wanted.text, rng)), calls, Results((output,)), Say(answer)))


def offer(shop: Shop, rng: random.Random) -> Exchange | None:
    """What may be chosen stands in the tool. None where nothing is listed that can be told in a sentence."""
    table = stored("menus")
    listed = [slot for slot in shop.slots if not slot.base and 1 < len(slot.schema.get("enum", ())) < 7]
    if not listed:
        return None
    slot = rng.choice(listed)
    key = menus.spaced(slot.key)
    *values, last = slot.schema["enum"]
    answer = rng.choice(table["offer answers"]).format(f"{', '.join(values)} or {last}")
    return Exchange.of("offer", spoken.heard(rng.choice(table["offer asks"]).format(key), rng, errors=0), answer)


def not_sold(shop: Shop, rng: random.Random) -> Exchange | None:
    """Something of another kind of shop. None where the tool would take anything, or all that others sell."""
    if "enum" not in shop.item.schema:
        return None
    sold = [str(item) for item, _ in shop.item.choices]
    others = [row["items"].split(", ") for row in stored("menus")["menus"] if row["for"] != shop.kind]
    # Another shop's soup of the day is a soup, too.
    foreign = [item for items in others for item in items if not any(own in item or item in own for own in sold)]
    if not foreign:
        return None
    item = rng.choice(foreign)
    text = ("" if _many(item) else _article(item)) + item
    answer = rng.choice(stored("menus")["not sold"]).format(plural(item))
    return Exchange.of("not sold", _sentence(text, rng), answer.replace("is no", "are no"))


def any_of(shop: Shop, rng: random.Random) -> Exchange:
    """Mostly an order."""
    pick = rng.random()
    other = offer(shop, rng) if pick < 0.05 else not_sold(shop, rng) if pick < 0.08 else None
    return other or order(shop, rng)


def instructions(shop: Shop, rng: random.Random) -> str:
    return str(rng.choice(stored("menus")["instructions"])).format(shop.place)
