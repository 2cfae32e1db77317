"""What Wren does with the client's functions: five that it knows, and any number of made-up ones.

The made-up ones teach it to copy a call from what was said and from the names that it is shown, whatever they are.
"""

import random
from dataclasses import replace

from realtime_server.engine.families.wren.words import number_in_words
from realtime_server.training.wren.dialogue import NOT_ABLE, Call, Dialogue, Result, Say, Tool, Turn
from realtime_server.training.wren.lexicon import CITIES, CONDITIONS, DAYS, NAMES, ROOMS, free_word, free_words

SIZES = ("small", "medium", "large", "eight ounce", "twelve ounce", "sixteen ounce", "twenty ounce")
ROASTS = ("light roast", "medium roast", "dark roast")
SHOTS = ("single shot", "double shot", "triple shot")
DRINKS = (
    "americano", "cappuccino", "espresso", "iced mocha", "latte", "mocha", "coffee", "drip coffee", "house coffee",
    "iced coffee",
)  # fmt: skip
AMOUNTS = ("a little bit of", "a bit of", "some", "a lot of", "lots of")
MILKS = ("milk", "skim milk", "whole milk", "soy milk", "almond milk", "cream")
SUGARS = ("sugar", "brown sugar", "sweetener")
LEFT_OUT = 0.1
"""Of the orders without milk, or without sugar, how many say so."""
ORDER_OPENINGS = ("", "brew", "can i get", "can i have", "i want", "get me", "give me", "i'd like", "make me", "may i have")

ORDER = Tool("order_drink", ("coffeeDrink", "size", "roast", "numberOfShots", "milkAmount", "sugarAmount"))
WEATHER = Tool("get_weather", ("city",))
TIMER = Tool("set_timer", ("duration", "unit"))
LIGHT = Tool("set_light", ("room", "state"))
CONTACT = Tool("call_contact", ("name",))
KNOWN_TOOLS = (ORDER, WEATHER, TIMER, LIGHT, CONTACT)
KNOWN_CHOICES: dict[str, dict[str, tuple[str, ...]]] = {
    ORDER.name: {"size": SIZES, "roast": ROASTS, "numberOfShots": SHOTS}, TIMER.name: {"unit": ("seconds", "minutes", "hours")},
    LIGHT.name: {"room": ROOMS, "state": ("on", "off")},
}  # fmt: skip
"""What a client's schema may list."""

VERBS = (
    "open close start stop play show find send add remove book cancel check clean move paint read record save search share "
    "sort tune lock unlock change buy sell pack print scan feed water fetch deliver measure translate schedule adjust"
).split()
KEYS = (
    "color size level speed name day time number amount count title place kind style mode priority message topic language "
    "genre weight height person volume room"
).split()


def made_up_tool(rng: random.Random) -> Tool:
    verb = rng.choice(VERBS) if rng.random() < 0.7 else free_word(rng)
    keys: list[str] = []
    for _ in range(rng.choice((0, 1, 1, 1, 2, 2, 3))):
        key = rng.choice(KEYS) if rng.random() < 0.7 else free_word(rng)
        if key not in keys:
            keys.append(key)
    return Tool(f"{verb}_{free_word(rng)}", tuple(keys))


def some_tools(rng: random.Random, *needed: Tool) -> tuple[Tool, ...]:
    """Those needed among others, in any order; often few, since each makes the context longer."""
    others = [t for t in KNOWN_TOOLS if t not in needed and rng.random() < 0.2]
    others += [made_up_tool(rng) for _ in range(rng.choice((0, 0, 0, 1, 1, 2)))]
    tools = [*needed, *others]
    rng.shuffle(tools)
    return tuple(tools)


def with_tool(intent: str, user: str, tool: Tool, arguments: dict[str, str], rng: random.Random) -> Dialogue:
    """The call where the tool is offered; an honest refusal where it is not."""
    if rng.random() < 0.88:
        ordered = tuple((key, arguments[key]) for key in tool.parameters if key in arguments)
        return Dialogue(intent, user, Call(tool.name, ordered), tools=some_tools(rng, tool))
    return Dialogue(intent, user, Say(NOT_ABLE), tools=tuple(t for t in some_tools(rng) if t.name != tool.name))


def with_choices(dialogue: Dialogue, rng: random.Random) -> Dialogue:
    """The same with schemas that list values: all that a known function has; of others the right one among some more."""
    call = dialogue.reply if isinstance(dialogue.reply, Call) else None
    return replace(dialogue, tools=tuple(_choosing(tool, call, rng) for tool in dialogue.tools))


def _choosing(tool: Tool, call: Call | None, rng: random.Random) -> Tool:
    if tool in KNOWN_TOOLS:
        return replace(tool, choices=tuple(KNOWN_CHOICES.get(tool.name, {}).items())) if rng.random() < 0.3 else tool
    wanted = dict(call.arguments) if call and call.name == tool.name else {}
    choices = []
    for key in tool.parameters:
        values = {wanted[key]: None} if key in wanted else {}
        values |= dict.fromkeys(value(rng) for _ in range(rng.randint(1, 4)))
        if rng.random() < 0.5:
            choices.append((key, tuple(rng.sample(list(values), len(values)))))
    return replace(tool, choices=tuple(choices))


# --- The five known functions -----------------------------------------------------------------------------------------


def coffee_order(rng: random.Random) -> Dialogue:
    slots: dict[str, str] = {}
    before = []
    for slot, values in (("size", SIZES), ("roast", ROASTS), ("numberOfShots", SHOTS)):
        if rng.random() < 0.45:
            slots[slot] = rng.choice(values)
            before.append(slots[slot])
    rng.shuffle(before)
    slots["coffeeDrink"] = rng.choice(DRINKS)
    after, unwanted = [], []
    for slot, choices in (("milkAmount", MILKS), ("sugarAmount", SUGARS)):
        if rng.random() < 0.35:
            slots[slot] = some_of(choices, rng)
            after.append(slots[slot])
        elif rng.random() < LEFT_OUT:
            unwanted.append(rng.choice(choices))
    rng.shuffle(after)
    user = order_sentence(rng.choice(ORDER_OPENINGS), rng.choice(("", "a", "an")), before, slots["coffeeDrink"], after)
    if unwanted:
        joint = rng.choice(("and no", "but no", "without") if after else ("with no", "without", "no"))
        user = f"{user} {joint} {' or '.join(unwanted)}"
    return with_tool("order", user, ORDER, slots, rng)


def some_of(choices: tuple[str, ...], rng: random.Random) -> str:
    return rng.choice((rng.choice(choices), f"{rng.choice(AMOUNTS)} {rng.choice(choices)}"))


def order_sentence(opening: str, article: str, before: list[str], drink: str, after: list[str]) -> str:
    tail = " and ".join(after)
    return " ".join(w for w in (opening, article, *before, drink, tail and f"with {tail}") if w)


def weather(rng: random.Random) -> Dialogue:
    city = rng.choice(CITIES)
    user = rng.choice(
        ("what is the weather in {}", "what's the weather like in {}", "how is the weather in {}", "weather in {}",
         "tell me the weather in {}", "is it raining in {}")
    ).format(city.lower())  # fmt: skip
    return with_tool("weather", user, WEATHER, {"city": city}, rng)


def timer_amount(rng: random.Random) -> tuple[str, str]:
    return number_in_words(rng.choice((*range(1, 13), 15, 20, 25, 30, 40, 45, 50))), rng.choice(("seconds", "minutes", "hours"))


def units(amount: str, unit: str) -> str:
    return unit[:-1] if amount == "one" else unit


def timer(rng: random.Random) -> Dialogue:
    amount, unit = timer_amount(rng)
    user = rng.choice(("set a timer for {}", "set the timer to {}", "start a timer for {}", "timer {}", "wake me in {}"))
    return with_tool("timer", user.format(f"{amount} {units(amount, unit)}"), TIMER, {"duration": amount, "unit": unit}, rng)


def light(rng: random.Random) -> Dialogue:
    room, state = rng.choice(ROOMS), rng.choice(("on", "off"))
    user = rng.choice(
        ("turn {1} the lights in the {0}", "turn the {0} lights {1}", "switch {1} the light in the {0}",
         "switch the {0} light {1}", "{0} lights {1}")
    ).format(room, state)  # fmt: skip
    return with_tool("light", user, LIGHT, {"room": room, "state": state}, rng)


def contact(rng: random.Random) -> Dialogue:
    name = rng.choice(NAMES) if rng.random() < 0.7 else free_word(rng).capitalize()
    user = rng.choice(("call {}", "please call {}", "phone {}", "give {} a call", "make a call to {}")).format(name.lower())
    return with_tool("contact", user, CONTACT, {"name": name}, rng)


# --- Made-up functions ------------------------------------------------------------------------------------------------


def value(rng: random.Random) -> str:
    kind = rng.random()
    if kind < 0.3:
        return number_in_words(rng.randint(0, 100))
    return rng.choice(DAYS) if kind < 0.35 else free_words(rng, 2)


def made_up(rng: random.Random) -> Dialogue:
    """'water the cactus with amount thirty' -> water_cactus(amount: thirty)."""
    tool = made_up_tool(rng)
    verb, noun = tool.name.split("_")
    opening = rng.choice(("", "", "", "please", "can you", "i want to"))
    article = rng.choice(("the", "the", "a", "my", ""))
    said = [key for key in tool.parameters if rng.random() < 0.75]
    arguments = {key: value(rng) for key in said}
    if len(tool.parameters) == 1 and said and rng.random() < 0.5:
        (key,) = said
        joint = rng.choice(("", "to", "in", "on", "for", "with"))
        words = rng.choice(((verb, article, noun, joint, arguments[key]), (verb, article, arguments[key], noun)))
    else:
        tail = " and ".join(f"{key} {arguments[key]}" for key in rng.sample(said, len(said)))
        words = (verb, article, noun, rng.choice(("with", "")) if tail else "", tail)
    return with_tool("made_up", " ".join(w for w in (opening, *words) if w), tool, arguments, rng)


# --- Corrections: turns that only the one before makes whole ----------------------------------------------------------


def called(maker: object, rng: random.Random) -> tuple[Dialogue, dict[str, str]]:
    """A dialogue of this intent whose reply is a call."""
    assert callable(maker)
    while isinstance((asked := maker(rng)).reply, Say):
        pass
    return asked, dict(asked.reply.arguments)


def after(asked: Dialogue, answer: str) -> tuple[Turn, ...]:
    return (Turn(asked.user, asked.reply), Turn(Result("ok"), Say(answer)))


def changed(intent: str, user: str, tool: Tool, arguments: dict[str, str], asked: Dialogue, answer: str) -> Dialogue:
    call = Call(tool.name, tuple((key, arguments[key]) for key in tool.parameters if key in arguments))
    return Dialogue(intent, user, call, tools=asked.tools, history=after(asked, answer))


def corrected_order(rng: random.Random) -> Dialogue:
    asked, slots = called(coffee_order, rng)
    added = [slot for slot in ("milkAmount", "sugarAmount") if slot in slots]
    if added and rng.random() < 0.4:
        return order_without(rng.choice(added), asked, slots, rng)
    slot, new = "", ""
    while slots.get(slot, "") == new:
        slot, new = rng.choice((
            ("size", rng.choice(SIZES)), ("roast", rng.choice(ROASTS)), ("numberOfShots", rng.choice(SHOTS)),
            ("coffeeDrink", rng.choice(DRINKS)), ("milkAmount", some_of(MILKS, rng)), ("sugarAmount", some_of(SUGARS, rng)),
        ))  # fmt: skip
    ways = ("with {}", "with {} please", "add {}") if slot in ("milkAmount", "sugarAmount") else (
        "make it {}", "make that {}", "make it a {}", "no {}", "actually {}", "{} please")  # fmt: skip
    user = rng.choice(ways).format(new)
    return changed("corrected_order", user, ORDER, slots | {slot: new}, asked, done_words(asked))


def order_without(slot: str, asked: Dialogue, slots: dict[str, str], rng: random.Random) -> Dialogue:
    """What the order before has in this slot is not wanted any more."""
    added = slots[slot]
    kinds = [kind for kind in (*MILKS, *SUGARS) if f" {added}".endswith(f" {kind}")]
    user = rng.choice(
        ("without {}", "without the {}", "without {} please", "no {}", "no {} please", "remove the {}", "leave out the {}")
    ).format(rng.choice(kinds))
    rest = {key: value for key, value in slots.items() if key != slot}
    return changed("corrected_order", user, ORDER, rest, asked, done_words(asked))


def and_weather(rng: random.Random) -> Dialogue:
    asked, _ = called(weather, rng)
    city = rng.choice(CITIES)
    user = rng.choice(("and in {}", "what about {}", "and {}", "how about {}")).format(city.lower())
    answer = f"It is {rng.choice(CONDITIONS)} in {dict(asked.reply.arguments)['city']}."  # type: ignore[union-attr]
    return changed("and_weather", user, WEATHER, {"city": city}, asked, answer)


def corrected_timer(rng: random.Random) -> Dialogue:
    asked, _ = called(timer, rng)
    amount, unit = timer_amount(rng)
    user = rng.choice(("make it {}", "no {}", "change it to {}", "make that {}")).format(f"{amount} {units(amount, unit)}")
    return changed("corrected_timer", user, TIMER, {"duration": amount, "unit": unit}, asked, done_words(asked))


def corrected_light(rng: random.Random) -> Dialogue:
    asked, arguments = called(light, rng)
    state = "off" if arguments["state"] == "on" else "on"
    user = rng.choice(("turn it {} again", "turn them {}", "turn it {}", "switch it {} again")).format(state)
    return changed("corrected_light", user, LIGHT, arguments | {"state": state}, asked, done_words(asked))


# --- Speaking the result ----------------------------------------------------------------------------------------------


def done_words(asked: Dialogue) -> str:
    """What is said when the function reports nothing but success."""
    assert isinstance(asked.reply, Call)
    arguments = dict(asked.reply.arguments)
    match asked.reply.name:
        case ORDER.name:
            return f"Your {arguments['coffeeDrink']} is on its way."
        case TIMER.name:
            return f"The timer is set to {arguments['duration']} {units(arguments['duration'], arguments['unit'])}."
        case LIGHT.name:
            return f"The {arguments['room']} light is {arguments['state']}."
        case CONTACT.name:
            return f"I am calling {arguments['name']}."
    return "Okay, it is done."


def spoken_result(rng: random.Random) -> Dialogue:
    """The turn after a function has answered: say what it said."""
    makers = (coffee_order, weather, weather, timer, light, contact, made_up, made_up)
    asked, arguments = called(rng.choice(makers), rng)
    assert isinstance(asked.reply, Call)
    asked_for = Turn(asked.user, asked.reply)
    # The conversation may have gone on while the function ran.
    meanwhile = (Turn("thank you", Say("You are welcome.")), Turn("how are you", Say("I am fine, thank you. And you?")))
    history = (asked_for, rng.choice(meanwhile)) if rng.random() < 0.15 else (asked_for,)
    result = replace(asked, intent="result", history=history)
    if rng.random() < 0.1:
        text = rng.choice(("error", "error not found", "error timeout", "failed"))
        return replace(result, user=Result(text), reply=Say("Sorry, that did not work."))
    if asked.reply.name == WEATHER.name:
        condition, degrees = rng.choice(CONDITIONS), number_in_words(rng.randint(1, 35))
        text = rng.choice((f"condition {condition} temperature {degrees}", f"temperature {degrees} condition {condition}",
                           f"{condition} {degrees}", f"{condition} {degrees} degrees"))  # fmt: skip
        return replace(result, user=Result(text), reply=Say(f"It is {condition} in {arguments['city']}, {degrees} degrees."))
    if asked.intent == "made_up" and rng.random() < 0.6:
        key, told = rng.choice(KEYS), value(rng)
        return replace(result, user=Result(f"{key} {told}"), reply=Say(f"The {key} is {told}."))
    text = rng.choice(("ok", "status ok", "done", "success", "success true", "ok true", "true"))
    return replace(result, user=Result(text), reply=Say(done_words(asked)))
