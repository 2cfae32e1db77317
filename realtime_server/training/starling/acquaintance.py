"""Talk about the assistant itself and the place that it speaks for, and about what the user told of himself."""

import random

from realtime_server.training.starling import knowledge, spoken
from realtime_server.training.starling.dialogue import Exchange
from realtime_server.training.starling.personas import Persona, oneself, without
from realtime_server.training.starling.tables import stored

OFFERS = ("", "", " How can I help you?")


def identity(persona: Persona, rng: random.Random) -> Exchange:
    """Name and role come from the instructions; who made the model is not known."""
    table, kind, known = stored("personas"), rng.random(), oneself(persona, rng)
    if kind < 0.5:
        ask = rng.choice(table["who"])
        answer = known + rng.choice(OFFERS)
        if "name" in ask or "call" in ask:
            answer = f"My name is {persona.name}." if persona.name else f"I have no name. {known}"
    elif kind < 0.8:
        ask = rng.choice(table["makers"])
        unknown = rng.choice(("I do not know who made me.", "That I do not know."))
        answer = f"{'No.' if ask.startswith(('Are', 'Were')) else unknown} {known}"
    else:
        ask, answer = rng.choice(table["role"]), known + rng.choice(OFFERS)
    return Exchange.of("identity", spoken.heard(ask, rng), answer)


def stated(persona: Persona, rng: random.Random) -> Exchange:
    """A fact of the instructions."""
    single = [(fact, value) for fact, value in persona.facts if value]
    fact, value = rng.choice(single if single and rng.random() < 0.3 else persona.facts)
    answer = spoken.sentence(rng.choice(fact["answered"]).format(value))
    return Exchange.of("stated", spoken.heard(rng.choice(fact["asked"]), rng), answer)


def unstated(persona: Persona, rng: random.Random) -> Exchange:
    """What the instructions could say, but do not."""
    fact = rng.choice(without([fact for fact, _ in persona.facts]))
    place = rng.choice(("", "", "", "", " Please ask at the desk.", " Please ask my colleagues.")) if persona.place else ""
    return Exchange.of("unstated", spoken.heard(rng.choice(fact["asked"]), rng), rng.choice(knowledge.UNKNOWN) + place)


def greeting(persona: Persona, rng: random.Random) -> Exchange:
    user = spoken.heard(rng.choice(stored("personas")["greetings"]), rng)
    hello = rng.choice(("Hello", "Hi", "Hello there"))
    if persona.name and rng.random() < 0.6:
        place = f" from {persona.place}" if persona.place and rng.random() < 0.5 else ""
        return Exchange.of("greeting", user, f"{hello}, this is {persona.name}{place}. How can I help you?")
    return Exchange.of("greeting", user, f"{hello}! {rng.choice(('How can I help you?', 'What can I do for you?'))}")


def told(rng: random.Random) -> tuple[Exchange, Exchange]:
    """The user tells something, and asks for it later: the two may stand apart."""
    tell, ask, answer, values = rng.choice(stored("personas")["told"])
    value, noted = rng.choice(values), rng.choice(stored("personas")["noted"])
    first = Exchange.of("told", spoken.heard(tell.format(value), rng, errors=0), noted)
    return first, Exchange.of("remembered", spoken.heard(rng.choice(ask.split("|")), rng, errors=0), answer.format(value))
