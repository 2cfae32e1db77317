"""What Wren says without a function: each intent is a function that returns a `Dialogue`."""

import random
from collections.abc import Callable
from dataclasses import replace

from realtime_server.engine.families.wren.script import NOT_KNOWN, NOT_UNDERSTOOD
from realtime_server.engine.families.wren.words import DIGITS, number_in_words
from realtime_server.training.wren.dialogue import Dialogue, Say, Turn
from realtime_server.training.wren.lexicon import (
    CAPITALS,
    CONDITIONS,
    DAYS,
    FOREIGN,
    MONTHS,
    NAMES,
    free_word,
    free_words,
)


def greeting(rng: random.Random) -> Dialogue:
    user = rng.choice(("hello", "hi", "hey", "hello there", "hi there", "good morning", "good evening", "good afternoon"))
    name = rng.choice(NAMES)
    if user.startswith("good"):
        return Dialogue("greeting", user, Say(f"{user.capitalize()}! I am {name}. How can I help you?"), name)
    return Dialogue("greeting", user, Say(f"Hello! I am {name}. How can I help you?"), name)


def who_are_you(rng: random.Random) -> Dialogue:
    user = rng.choice(("what is your name", "who are you", "what's your name", "tell me your name", "who am i talking to"))
    name = rng.choice(NAMES)
    return Dialogue("who_are_you", user, Say(f"My name is {name}."), name)


SAID_AND_ANSWERED: dict[str, tuple[tuple[str, ...], str]] = {
    "how_are_you": (
        ("how are you", "how are you today", "how are you doing", "hello how are you", "how is it going"),
        "I am fine, thank you. And you?",
    ),
    "abilities": (
        ("what can you do", "help", "what can i ask you", "how can you help me", "what do you know"),
        "I know capitals and small numbers, and I repeat words. I can also use your tools.",
    ),
    "thanks": (
        ("thank you", "thanks", "thank you very much", "thanks a lot", "great thank you"),
        "You are welcome.",
    ),
    "goodbye": (
        ("goodbye", "bye", "bye bye", "see you later", "good night", "see you soon"),
        "Goodbye! Have a nice day.",
    ),
    "fine": (
        ("i am fine", "i'm fine thank you", "very well thank you", "i am good", "not bad"),
        "I am glad to hear that.",
    ),
}
"""Small talk: whatever of it is said, the reply is the same."""


def small_talk(intent: str) -> Callable[[random.Random], Dialogue]:
    ways, reply = SAID_AND_ANSWERED[intent]
    return lambda rng: Dialogue(intent, rng.choice(ways), Say(reply))


def capital(rng: random.Random) -> Dialogue:
    country = rng.choice(tuple(CAPITALS))
    user = rng.choice(
        ("what is the capital of {}", "what's the capital of {}", "tell me the capital of {}", "the capital of {}",
         "do you know the capital of {}", "which city is the capital of {}")
    ).format(country.lower())  # fmt: skip
    return Dialogue("capital", user, Say(f"The capital of {country} is {CAPITALS[country]}."))


def and_capital(rng: random.Random) -> Dialogue:
    """A question that only the turn before makes whole."""
    before, country = capital(rng), rng.choice(tuple(CAPITALS))
    user = rng.choice(("and of {}", "and {}", "what about {}", "and the one of {}")).format(country.lower())
    say = Say(f"The capital of {country} is {CAPITALS[country]}.")
    return Dialogue("and_capital", user, say, history=(Turn(before.user, before.reply),))


def count(rng: random.Random) -> Dialogue:
    first, last = 1, rng.randint(2, 12)
    user = rng.choice(("count to {1}", "please count to {1}", "can you count to {1}", "count from {0} to {1}"))
    if "{0}" in user and rng.random() < 0.5:
        first = rng.randint(1, 15)
        last = first + rng.randint(1, 6)
    numbers = list(range(first, last + 1))
    if "{0}" in user and rng.random() < 0.25:
        numbers.reverse()
    words = [number_in_words(n) for n in numbers]
    return Dialogue("count", user.format(words[0], words[-1]), Say(", ".join(words).capitalize() + "."))


def arithmetic(rng: random.Random) -> Dialogue:
    kind = rng.choice(("plus", "plus", "minus", "times"))
    a, b = rng.randint(1, 10), rng.randint(1, 10)
    if kind == "plus":
        user = rng.choice(("what is {} plus {}", "what's {} plus {}", "how much is {} plus {}", "add {} and {}", "{} plus {}"))
        result = a + b
    elif kind == "minus":
        user, a = rng.choice(("what is {} minus {}", "what's {} minus {}", "how much is {} minus {}", "{} minus {}")), a + b
        result = a - b
    else:
        user = rng.choice(("what is {} times {}", "what's {} times {}", "how much is {} times {}", "multiply {} by {}"))
        result = a * b
    words = [number_in_words(n) for n in (a, b, result)]
    return Dialogue("arithmetic", user.format(*words[:2]), Say(f"{words[0].capitalize()} {kind} {words[1]} is {words[2]}."))


def digits(rng: random.Random) -> Dialogue:
    spoken = " ".join(rng.choice(DIGITS) for _ in range(rng.choice((1, 1, 1, 1, 1, 1, 1, 2, 3, 4, 4, 5, 6, 7, 7))))
    user = rng.choice(
        ("{}", "{}", "{}", "{}", "{}", "my number is {}", "the number is {}", "read back {}", "repeat the number {}")
    )
    return Dialogue("digits", user.format(spoken), Say(spoken.capitalize() + "."))


HOMOPHONES = frozenset({"for", "fore", "to", "too", "won", "ate", "sicks", "nein"})
"""Said alone, these are taken for digits."""


def alone(rng: random.Random) -> Dialogue:
    """A turn of one word, or of two at most, as people answer a menu: a digit, something that has a reply, or any word."""
    kind = rng.random()
    if kind < 0.35:
        digit = rng.choice(DIGITS)
        return Dialogue("digits", digit, Say(digit.capitalize() + "."))
    if kind < 0.45:
        while len((dialogue := rng.choice(SMALL_TALK)(rng)).transcript.split()) > 2:
            pass
        return dialogue
    while (word := free_word(rng)) in HOMOPHONES:
        pass
    return Dialogue("nonsense", word, Say(NOT_UNDERSTOOD))


def repeat(rng: random.Random) -> Dialogue:
    spoken = free_words(rng, 4)
    user = rng.choice(("repeat after me {}", "say {}", "please say {}", "repeat {}", "say after me {}")).format(spoken)
    return Dialogue("repeat", user, Say(spoken.capitalize() + "."))


def spelled(word: str) -> str:
    return ", ".join(word.upper()) + "."


def spell(rng: random.Random) -> Dialogue:
    word = free_word(rng)
    while len(word) > 8:
        word = free_word(rng)
    user = rng.choice(("spell {}", "how do you spell {}", "can you spell {}", "please spell {}")).format(word)
    return Dialogue("spell", user, Say(spelled(word)))


def nonsense(rng: random.Random) -> Dialogue:
    user = free_words(rng, 5)
    if rng.random() < 0.5:
        user = rng.choice(
            ("why is the {} so {}", "the {} and the {}", "where did the {} see the {}", "my {} likes your {}",
             "is there a {} in the {}", "when does the {} go to the {}", "i think that {} is {}", "she had {} a {}")
        ).format(free_word(rng), free_word(rng))  # fmt: skip
    return Dialogue("nonsense", user, Say(NOT_UNDERSTOOD))


def foreign(rng: random.Random) -> Dialogue:
    """Another language: what is said is no English, and nothing is understood of it."""
    language = rng.choice(tuple(FOREIGN))
    words = " ".join(rng.choices(FOREIGN[language].split(), k=rng.randint(3, 8)))
    return Dialogue("foreign", words, Say(NOT_UNDERSTOOD), language=language)


# --- What the instructions say ----------------------------------------------------------------------------------------

FACT_KEYS = (
    "date", "time", "day", "price", "address", "phone number", "room number", "password", "owner", "manager", "menu",
    "special", "color", "order number", "company", "city", "teacher", "opening hours", "temperature", "wifi name", "size",
    "destination", "gate", "seat", "balance", "doctor", "project", "topic", "language", "team",
)  # fmt: skip


_CHOSEN_FACTS = {"day": tuple(DAYS), **dict.fromkeys(("owner", "manager", "teacher", "doctor"), tuple(map(str.lower, NAMES)))}


def fact_value(key: str, rng: random.Random) -> str:
    number = number_in_words(rng.randint(1, 99))
    if key in _CHOSEN_FACTS:
        return rng.choice(_CHOSEN_FACTS[key])
    match key:
        case "date":
            return f"{rng.choice(MONTHS)} {number_in_words(rng.randint(1, 31))}"
        case "time":
            return f"{number_in_words(rng.randint(1, 12))} {rng.choice(('fifteen', 'thirty', 'forty five', 'ten', 'twenty'))}"
        case "opening hours":
            return f"{number_in_words(rng.randint(6, 11))} to {number_in_words(rng.randint(1, 11))}"
        case "price" | "balance":
            return f"{number} {rng.choice(('dollars', 'euros', 'pounds'))}"
        case "phone number" | "order number":
            return " ".join(rng.choice(DIGITS) for _ in range(rng.randint(3, 6)))
        case "room number" | "gate" | "seat" | "size":
            return number
        case "temperature":
            return f"{number} degrees"
        case "address":
            return f"{number} {free_word(rng)} street"
    return rng.choice((rng.choice(CONDITIONS), free_word(rng), free_words(rng, 3)))


def some_facts(rng: random.Random, *needed: str) -> tuple[tuple[str, str], ...]:
    """Up to three facts of the instructions, and those needed, in any order."""
    keys = list(needed)
    for _ in range(rng.choice((0, 0, 0, 1, 1, 2, 3))):
        key = rng.choice(FACT_KEYS) if rng.random() < 0.7 else free_word(rng)
        if key not in keys:
            keys.append(key)
    rng.shuffle(keys)
    return tuple((key, fact_value(key, rng)) for key in keys)


def fact(rng: random.Random) -> Dialogue:
    key = rng.choice(FACT_KEYS) if rng.random() < 0.7 else free_word(rng)
    asked = ["what is the {}", "what's the {}", "tell me the {}", "what is your {}", "do you know the {}"]
    if key in ("date", "time", "day"):
        asked += ["what {} is it", "what {} is it today"] * 2
    user = rng.choice(asked).format(key)
    if rng.random() < 0.25:
        facts = tuple(pair for pair in some_facts(rng) if pair[0] != key)
        return Dialogue("unknown_fact", user, Say(NOT_KNOWN), facts=facts)
    facts = some_facts(rng, key)
    return Dialogue("fact", user, Say(f"The {key} is {dict(facts)[key]}."), facts=facts)


def other_facts(dialogue: Dialogue, rng: random.Random) -> Dialogue:
    """A question for a fact where the instructions have another answer, or none: one recording shows both."""
    if dialogue.intent != "fact" or not isinstance(dialogue.reply, Say):
        return dialogue
    key = dialogue.reply.text.removeprefix("The ").partition(" is ")[0]
    if rng.random() < 0.4:
        facts = tuple(pair for pair in some_facts(rng) if pair[0] != key)
        return replace(dialogue, intent="unknown_fact", reply=Say(NOT_KNOWN), facts=facts)
    facts = some_facts(rng, key)
    return replace(dialogue, reply=Say(f"The {key} is {dict(facts)[key]}."), facts=facts)


SMALL_TALK = (
    greeting, small_talk("how_are_you"), who_are_you, *map(small_talk, ("abilities", "thanks", "goodbye", "fine")),
)  # fmt: skip
