"""What Wren can talk about: a generator of dialogues, each a context, a user utterance and the right reply.

Above: `synthesis` speaks the utterances, `dataset` turns them into tensors. This file knows words only, no sound.
A new intent is one function that returns a `Dialogue`, added to `INTENTS` with a weight.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, replace

from realtime_server.engine.wren.words import number_in_words


@dataclass(frozen=True)
class Say:
    """A spoken reply."""

    text: str


@dataclass(frozen=True)
class Call:
    """A function call; arguments are the words that were spoken, by parameter name."""

    name: str
    arguments: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Result:
    """What the client's function returned, already in words."""

    text: str


@dataclass(frozen=True)
class Turn:
    """A finished turn of the history: what the user (or a function) said and what was replied."""

    user: str | Result
    reply: Say | Call


@dataclass(frozen=True)
class Dialogue:
    """One training example: in this context, to this utterance, this reply."""

    intent: str
    user: str | Result
    reply: Say | Call
    name: str = "Wren"
    tools: tuple[str, ...] = ()
    history: tuple[Turn, ...] = ()


NOT_UNDERSTOOD = "Sorry, I did not catch that."
NAMES = (
    "Wren Robin Alice Emma Clara Diana Julia Laura Maria Nora Sophie Anna Kate Lucy Grace Arthur Daniel Edward "
    "Felix George Henry Jack Leo Martin Oscar Paul Peter Simon Thomas Victor Max Sam Ben Tom"
).split()
CAPITALS = {
    "France": "Paris", "Germany": "Berlin", "Italy": "Rome", "Spain": "Madrid", "Austria": "Vienna",
    "Belgium": "Brussels", "Denmark": "Copenhagen", "Sweden": "Stockholm", "Norway": "Oslo", "Finland": "Helsinki",
    "Poland": "Warsaw", "Greece": "Athens", "Hungary": "Budapest", "Ireland": "Dublin", "England": "London",
    "Portugal": "Lisbon", "Russia": "Moscow", "Turkey": "Ankara", "Egypt": "Cairo", "Kenya": "Nairobi",
    "Japan": "Tokyo", "China": "Beijing", "Canada": "Ottawa", "Cuba": "Havana", "Peru": "Lima", "Chile": "Santiago",
    "Switzerland": "Bern", "Australia": "Canberra",
}  # fmt: skip
CITIES = (*CAPITALS.values(), "New York", "Boston", "Chicago", "Dallas", "Seattle", "Sydney", "Munich", "Milan")
ROOMS = ("kitchen", "bedroom", "bathroom", "living room", "hall", "garden", "office")
CONDITIONS = ("sunny", "cloudy", "rainy", "windy", "snowy", "foggy", "clear", "stormy")
WORDS = (
    "apple baby bird blue book bread bridge brother brown car cat chair child city cold dog door dream drink "
    "evening family farm father fire fish flower forest friend glass gold grass green hand happy heart horse house "
    "island kitchen lake lamp letter light lion money moon morning mother mountain music night ocean orange paper "
    "party pencil picture plane purple queen rain red river road school sea silver sister sky sleep snow song stone "
    "storm street summer sun table tea train tree water white wind window winter wolf woman yellow young autumn "
    "basket bottle butter button camera candle carpet castle cloud corner dancer desert dinner doctor dragon engine "
    "feather finger garden guitar hammer harbor honey hunter jacket jungle ladder lemon market mirror monkey needle "
    "number office oven palace pepper pillow planet pocket potato rabbit ribbon rocket saddle salad sailor shadow "
    "shirt shoulder silent simple spider spoon spring square station sugar teacher thunder ticket tiger tomato "
    "tower travel tunnel turtle valley velvet village violin wagon wallet weather whistle wonder zebra"
).split()
DIGITS = ("zero one two three four five six seven eight nine").split()

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
ORDER_OPENINGS = ("", "brew", "can i get", "can i have", "i want", "get me", "give me", "i'd like", "make me", "may i have")
ORDER_TOOL, WEATHER_TOOL, TIMER_TOOL, LIGHT_TOOL = "order_drink", "get_weather", "set_timer", "set_light"
TOOLS = (ORDER_TOOL, WEATHER_TOOL, TIMER_TOOL, LIGHT_TOOL)

TOOL_INTENTS = ("order", "weather", "timer", "light", "result")
"""In all others the tools must not matter, and so are drawn at random."""

Intent = Callable[[random.Random], Dialogue]


def greeting(rng: random.Random) -> Dialogue:
    user = rng.choice(("hello", "hi", "hey", "hello there", "hi there", "good morning", "good evening", "good afternoon"))
    name = rng.choice(NAMES)
    if user.startswith("good"):
        return Dialogue("greeting", user, Say(f"{user.capitalize()}! I am {name}. How can I help you?"), name)
    return Dialogue("greeting", user, Say(f"Hello! I am {name}. How can I help you?"), name)


def how_are_you(rng: random.Random) -> Dialogue:
    user = rng.choice(("how are you", "how are you today", "how are you doing", "hello how are you", "how is it going"))
    return Dialogue("how_are_you", user, Say("I am fine, thank you. And you?"))


def who_are_you(rng: random.Random) -> Dialogue:
    user = rng.choice(("what is your name", "who are you", "what's your name", "tell me your name", "who am i talking to"))
    name = rng.choice(NAMES)
    return Dialogue("who_are_you", user, Say(f"My name is {name}."), name)


def abilities(rng: random.Random) -> Dialogue:
    user = rng.choice(("what can you do", "help", "what can i ask you", "how can you help me", "what do you know"))
    return Dialogue("abilities", user, Say("I know capitals and small numbers, and I repeat words. I can also use your tools."))


def thanks(rng: random.Random) -> Dialogue:
    user = rng.choice(("thank you", "thanks", "thank you very much", "thanks a lot", "great thank you"))
    return Dialogue("thanks", user, Say("You are welcome."))


def goodbye(rng: random.Random) -> Dialogue:
    user = rng.choice(("goodbye", "bye", "bye bye", "see you later", "good night", "see you soon"))
    return Dialogue("goodbye", user, Say("Goodbye! Have a nice day."))


def fine(rng: random.Random) -> Dialogue:
    user = rng.choice(("i am fine", "i'm fine thank you", "very well thank you", "i am good", "not bad"))
    return Dialogue("fine", user, Say("I am glad to hear that."))


def capital(rng: random.Random) -> Dialogue:
    country = rng.choice(tuple(CAPITALS))
    user = rng.choice(
        ("what is the capital of {}", "what's the capital of {}", "tell me the capital of {}", "the capital of {}",
         "do you know the capital of {}", "and of {}", "which city is the capital of {}")
    ).format(country.lower())  # fmt: skip
    return Dialogue("capital", user, Say(f"The capital of {country} is {CAPITALS[country]}."))


def count(rng: random.Random) -> Dialogue:
    last = rng.randint(2, 12)
    user = rng.choice(("count to {}", "please count to {}", "can you count to {}", "count from one to {}"))
    words = [number_in_words(n) for n in range(1, last + 1)]
    return Dialogue("count", user.format(number_in_words(last)), Say(", ".join(words).capitalize() + "."))


def addition(rng: random.Random) -> Dialogue:
    a, b = rng.randint(1, 10), rng.randint(1, 10)
    user = rng.choice(("what is {} plus {}", "what's {} plus {}", "how much is {} plus {}", "add {} and {}", "{} plus {}"))
    words = [number_in_words(n) for n in (a, b, a + b)]
    return Dialogue("addition", user.format(*words[:2]), Say(f"{words[0].capitalize()} plus {words[1]} is {words[2]}."))


def digits(rng: random.Random) -> Dialogue:
    spoken = " ".join(rng.choice(DIGITS) for _ in range(rng.choice((1, 1, 2, 3, 4, 4, 5, 6, 7))))
    user = rng.choice(("{}", "{}", "my number is {}", "the number is {}", "read back {}", "repeat the number {}"))
    return Dialogue("digits", user.format(spoken), Say(spoken.capitalize() + "."))


def repeat(rng: random.Random) -> Dialogue:
    spoken = " ".join(rng.choice(WORDS) for _ in range(rng.choice((1, 1, 2, 2, 3, 4))))
    user = rng.choice(("repeat after me {}", "say {}", "please say {}", "repeat {}", "say after me {}")).format(spoken)
    return Dialogue("repeat", user, Say(spoken.capitalize() + "."))


def nonsense(rng: random.Random) -> Dialogue:
    user = " ".join(rng.choice(WORDS) for _ in range(rng.randint(1, 5)))
    if rng.random() < 0.5:
        user = rng.choice(
            ("why is the {} so {}", "the {} and the {}", "where did the {} see the {}", "my {} likes your {}",
             "is there a {} in the {}", "when does the {} go to the {}")
        ).format(rng.choice(WORDS), rng.choice(WORDS))  # fmt: skip
    return Dialogue("nonsense", user, Say(NOT_UNDERSTOOD), tools=some_tools(rng))


def some_tools(rng: random.Random, *needed: str) -> tuple[str, ...]:
    return tuple(t for t in TOOLS if t in needed or rng.random() < 0.3)


def with_tool(intent: str, user: str, call: Call, rng: random.Random) -> Dialogue:
    """The call where the tool is offered; an honest refusal where it is not."""
    if rng.random() < 0.85:
        return Dialogue(intent, user, call, tools=some_tools(rng, call.name))
    tools = tuple(t for t in some_tools(rng) if t != call.name)
    return Dialogue(intent, user, Say("Sorry, I can not do that."), tools=tools)


def coffee_order(rng: random.Random) -> Dialogue:
    slots: dict[str, str] = {}
    before = []
    for slot, values in (("size", SIZES), ("roast", ROASTS), ("numberOfShots", SHOTS)):
        if rng.random() < 0.45:
            slots[slot] = rng.choice(values)
            before.append(slots[slot])
    rng.shuffle(before)
    slots["coffeeDrink"] = rng.choice(DRINKS)
    after = []
    for slot, choices in (("milkAmount", MILKS), ("sugarAmount", SUGARS)):
        if rng.random() < 0.35:
            slots[slot] = rng.choice((rng.choice(choices), f"{rng.choice(AMOUNTS)} {rng.choice(choices)}"))
            after.append(slots[slot])
    rng.shuffle(after)
    user = order_sentence(rng.choice(ORDER_OPENINGS), rng.choice(("", "a", "an")), before, slots["coffeeDrink"], after)
    return with_tool("order", user, order_call(slots), rng)


def order_sentence(opening: str, article: str, before: list[str], drink: str, after: list[str]) -> str:
    tail = " and ".join(after)
    return " ".join(w for w in (opening, article, *before, drink, tail and f"with {tail}") if w)


def order_call(slots: dict[str, str]) -> Call:
    order = ("coffeeDrink", "size", "roast", "numberOfShots", "milkAmount", "sugarAmount")
    return Call(ORDER_TOOL, tuple((slot, slots[slot]) for slot in order if slot in slots))


def weather(rng: random.Random) -> Dialogue:
    city = rng.choice(CITIES)
    user = rng.choice(
        ("what is the weather in {}", "what's the weather like in {}", "how is the weather in {}", "weather in {}",
         "tell me the weather in {}", "is it raining in {}", "and in {}")
    ).format(city.lower())  # fmt: skip
    return with_tool("weather", user, Call(WEATHER_TOOL, (("city", city),)), rng)


def timer(rng: random.Random) -> Dialogue:
    amount = number_in_words(rng.choice((*range(1, 13), 15, 20, 25, 30, 40, 45, 50)))
    unit = rng.choice(("seconds", "minutes", "hours"))
    said = unit[:-1] if amount == "one" else unit
    user = rng.choice(("set a timer for {}", "set the timer to {}", "start a timer for {}", "timer {}", "wake me in {}"))
    return with_tool("timer", user.format(f"{amount} {said}"), Call(TIMER_TOOL, (("duration", amount), ("unit", unit))), rng)


def light(rng: random.Random) -> Dialogue:
    room, state = rng.choice(ROOMS), rng.choice(("on", "off"))
    user = rng.choice(
        ("turn {1} the lights in the {0}", "turn the {0} lights {1}", "switch {1} the light in the {0}",
         "switch the {0} light {1}", "{0} lights {1}")
    ).format(room, state)  # fmt: skip
    return with_tool("light", user, Call(LIGHT_TOOL, (("room", room), ("state", state))), rng)


def spoken_result(rng: random.Random) -> Dialogue:
    """The turn after a function has answered: say what it said."""
    asked = rng.choice((coffee_order, weather, timer, light))(rng)
    while isinstance(asked.reply, Say):
        asked = rng.choice((coffee_order, weather, timer, light))(rng)
    call, history = asked.reply, (Turn(asked.user, asked.reply),)
    arguments = dict(call.arguments)
    if rng.random() < 0.1:
        text = rng.choice(("error", "error not found", "error timeout", "failed"))
        return Dialogue("result", Result(text), Say("Sorry, that did not work."), tools=asked.tools, history=history)
    if call.name == WEATHER_TOOL:
        condition, degrees = rng.choice(CONDITIONS), number_in_words(rng.randint(1, 35))
        text = rng.choice((f"condition {condition} temperature {degrees}", f"temperature {degrees} condition {condition}",
                           f"{condition} {degrees}", f"{condition} {degrees} degrees"))  # fmt: skip
        say = f"It is {condition} in {arguments['city']}, {degrees} degrees."
    else:
        text = rng.choice(("ok", "status ok", "done", "success", "success true", "ok true", "true"))
        if call.name == ORDER_TOOL:
            say = f"Your {arguments['coffeeDrink']} is on its way."
        elif call.name == TIMER_TOOL:
            unit = arguments["unit"]
            say = f"The timer is set to {arguments['duration']} {unit[:-1] if arguments['duration'] == 'one' else unit}."
        else:
            say = f"The {arguments['room']} light is {arguments['state']}."
    return Dialogue("result", Result(text), Say(say), tools=asked.tools, history=history)


INTENTS: tuple[tuple[Intent, float], ...] = (
    (greeting, 2), (how_are_you, 1), (who_are_you, 3), (abilities, 1), (thanks, 1), (goodbye, 1), (fine, 1),
    (capital, 8), (count, 3), (addition, 7), (digits, 10), (repeat, 10), (nonsense, 5), (coffee_order, 22),
    (weather, 6), (timer, 6), (light, 5),
)  # fmt: skip


def sample(rng: random.Random) -> Dialogue:
    """One dialogue whose user turn can be spoken."""
    makers, weights = zip(*INTENTS, strict=True)
    return rng.choices(makers, weights)[0](rng)


def sample_text(rng: random.Random) -> Dialogue:
    """One dialogue for text-only training: spoken ones and the turns after a function call."""
    return spoken_result(rng) if rng.random() < 0.25 else sample(rng)


def with_history(dialogue: Dialogue, rng: random.Random, turns: int) -> Dialogue:
    """The same dialogue after up to `turns` unrelated turns: what came before must not change the reply."""
    past: list[Turn] = []
    for _ in range(turns):
        other = sample(rng)
        if isinstance(other.reply, Call):
            past += [Turn(other.user, other.reply), Turn(Result("ok"), Say("Okay."))]
        else:
            past.append(Turn(other.user, other.reply))
    return replace(dialogue, history=(*past, *dialogue.history))


def spoken_texts(rng: random.Random, number: int) -> list[str]:
    """Different sentences that Wren must be able to say: its replies, and free words so that it learns letters."""
    texts: set[str] = set()
    while len(texts) < number:
        if rng.random() < 0.25:
            texts.add(" ".join(rng.choice(WORDS) for _ in range(rng.randint(2, 6))).capitalize() + ".")
            continue
        reply = sample_text(rng).reply
        if isinstance(reply, Say):
            texts.add(reply.text)
    return sorted(texts)
