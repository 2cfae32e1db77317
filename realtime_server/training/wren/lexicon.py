"""The words that the domain is made of, and the words that training never hears."""

import random
import zlib
from functools import lru_cache
from importlib import resources

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
DIGITS = ("zero one two three four five six seven eight nine").split()
MONTHS = ("january february march april may june july august september october november december").split()
DAYS = ("monday tuesday wednesday thursday friday saturday sunday").split()
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
"""Words that the repeating intents know well."""

FOREIGN = {
    "de": "ich du wir haus baum schule morgen abend heute gestern kannst bitte mir ein buch geben wie geht es dir das wetter "
    "ist schoen wo der bahnhof und die strasse nach links gehen viel kinder spielen im garten",
    "fr": "je tu nous maison arbre demain soir voulez vous manger avec moi la voiture rouge est belle comment allez bonjour "
    "le livre sur une table il fait beau pourquoi pas aujourd hui dans rue",
    "es": "yo nosotros casa arbol manana noche quiero comer contigo el coche rojo donde esta la estacion por favor buenos dias "
    "los ninos juegan en parque mucho gusto como estas hoy",
    "it": "io noi casa albero domani sera voglio mangiare con te la macchina rossa dove si trova stazione per favore "
    "buongiorno bambini giocano nel parco molto bene come stai oggi",
    "pl": "dom drzewo jutro wieczor dzisiaj prosze mi powiedziec gdzie jest dworzec dzieci bawia sie w parku dobrze jak masz "
    "na imie chleb woda samochod czerwony",
}  # fmt: skip
"""Everyday words by espeak-ng language: what is not English must be refused."""


@lru_cache
def lexicon() -> tuple[str, ...]:
    """About 9 000 common English words."""
    lines = (resources.files(__package__) / "lexicon.txt").read_text().splitlines()
    return tuple(word for line in lines if not line.startswith("#") for word in line.split())


def never_heard(word: str) -> bool:
    """One word in twenty is left out of every training utterance, so that hearing new words can be measured."""
    return word not in WORDS and zlib.crc32(word.encode()) % 20 == 0


@lru_cache
def open_words() -> tuple[str, ...]:
    """What training draws free words from."""
    return tuple(word for word in lexicon() if not never_heard(word))


def free_word(rng: random.Random) -> str:
    """Half of the time a well-known word, half of the time any."""
    return rng.choice(WORDS) if rng.random() < 0.4 else rng.choice(open_words())


def free_words(rng: random.Random, most: int) -> str:
    return " ".join(free_word(rng) for _ in range(rng.randint(1, most)))
