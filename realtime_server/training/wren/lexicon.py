"""The words that the domain is made of, and the words that training never hears."""

import random
import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
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
    "pt": "eu nós casa árvore amanhã noite quero comer contigo carro vermelho onde fica estação por favor bom dia crianças "
    "brincam no jardim muito obrigado como você está hoje",
    "da": "jeg du vi hus træ skole i morgen aften kan hvor banegården børnene leger haven vejret er dejligt tak god dag",
    "fi": "minä sinä me talo puu koulu huomenna ilta tänään voisitko antaa kirjan missä asema on lapset leikkivät puistossa "
    "kiitos hyvää päivää punainen auto",
    "hu": "én te mi ház fa iskola holnap este ma kérem hol van az állomás gyerekek játszanak parkban szép idő jó napot piros",
    "tr": "ben sen biz ev ağaç okul yarın akşam bugün lütfen istasyon nerede çocuklar parkta oynuyor hava güzel teşekkür "
    "ederim kırmızı araba",
    "ro": "eu noi casă copac mâine seara vreau să mănânc cu tine mașina roșie unde este gara vă rog bună ziua copiii joacă",
    "hr": "ja ti mi kuća drvo sutra večer danas molim vas gdje je kolodvor djeca igraju parku lijepo vrijeme crveni auto",
    "id": "saya kamu kita rumah pohon besok malam mau makan dengan mobil merah di mana stasiun tolong pagi anak bermain",
    "sw": "mimi wewe sisi nyumba mti kesho jioni leo tafadhali kituo kiko wapi watoto wanacheza bustani habari asante sana",
    "eo": "mi vi ni domo arbo morgaŭ vespero hodiaŭ bonvolu kie estas stacidomo infanoj ludas parko bela vetero ruĝa aŭto",
    "la": "ego tu nos domus arbor cras vesper hodie quaeso ubi est statio pueri ludunt horto salve gratias ruber currus",
    "cy": "fi ti ni tŷ coeden yfory nos heddiw os gwelwch yn dda ble mae gorsaf plant chwarae parc bore da diolch coch",
    "ru": "я ты мы дом дерево завтра вечер сегодня пожалуйста где вокзал дети играют в парке хорошая погода красная машина",
    "el": "εγώ εσύ εμείς σπίτι δέντρο αύριο βράδυ σήμερα παρακαλώ πού είναι σταθμός παιδιά παίζουν πάρκο καλημέρα κόκκινο",
    "hi": "मैं तुम हम घर पेड़ कल शाम आज कृपया स्टेशन कहाँ है बच्चे बगीचे में खेलते हैं मौसम अच्छा धन्यवाद लाल गाड़ी",
    "ja": "わたし あなた いえ き あした ばん きょう えき は どこ ですか こども が こうえん で あそぶ てんき いい ありがとう",
    "cmn": "我 你 我们 房子 树 明天 晚上 今天 请 车站 在 哪里 孩子 公园 玩 天气 很 好 谢谢 红色",
    "ko": "나는 너는 우리 집 나무 내일 저녁 오늘 역이 어디 있어요 아이들이 공원에서 놀아요 날씨가 좋아요 감사합니다",
    "vi": "tôi bạn nhà cây ngày mai buổi tối hôm nay làm ơn ga ở đâu trẻ em chơi công viên thời tiết đẹp cảm ơn xe đỏ",
    "fa": "من تو ما خانه درخت فردا شب امروز لطفا ایستگاه کجاست بچه ها در پارک بازی هوا خوب است ممنون قرمز",
    "ar": "انا انت نحن بيت شجرة غدا مساء اليوم من فضلك اين المحطة الاطفال يلعبون في الحديقة الطقس جميل شكرا احمر",
}  # fmt: skip
"""Everyday words by espeak-ng language: what is not English must be refused."""


def lexicon() -> tuple[str, ...]:
    """About 9 000 common English words."""
    return _words_of("lexicon.txt")


@lru_cache
def rare_words() -> tuple[str, ...]:
    """About 34 000 others that training speaks too: the more words, the less is any of them learned by heart."""
    return tuple(word for word in _words_of("rare-words.txt") if not never_heard(word))


@lru_cache
def _words_of(name: str) -> tuple[str, ...]:
    lines = (resources.files(__package__) / name).read_text().splitlines()
    return tuple(word for line in lines if not line.startswith("#") for word in line.split())


def never_heard(word: str) -> bool:
    """One word in twenty is left out of every training utterance, so that hearing new words can be measured."""
    return word not in WORDS and zlib.crc32(word.encode()) % 20 == 0


@lru_cache
def open_words() -> tuple[str, ...]:
    """The common words that training draws free words from."""
    return tuple(word for word in lexicon() if not never_heard(word))


INVENTED, RARE, WELL_KNOWN = 0.2, 0.35, 0.15
"""Of free words; the others are common ones. Of words that come again and again, the ear learns the words instead of their
sounds."""
COMMON_WELL_KNOWN = 0.3
"""Where no rare ones are drawn."""
_common: ContextVar[bool] = ContextVar("common", default=False)
_VOWELS = re.compile("[aeiou]+")


def invented_word(rng: random.Random) -> str:
    """The beginning of one word and the end of another: it sounds like English and is in no list."""
    while True:
        first, last = rng.choice(open_words()), rng.choice(open_words())
        before, behind = ([match.start() for match in _VOWELS.finditer(word)] for word in (first, last))
        if len(before) > 1 and behind:
            word = first[: rng.choice(before[1:])] + last[rng.choice(behind) :]
            if 4 <= len(word) <= 10 and word not in _known():
                return word


@lru_cache
def _known() -> frozenset[str]:
    return frozenset((*lexicon(), *WORDS, *_words_of("rare-words.txt")))


@contextmanager
def common_words() -> Iterator[None]:
    """Within it no rare words are drawn: what is measured are the words that people use."""
    before = _common.set(True)
    try:
        yield
    finally:
        _common.reset(before)


def free_word(rng: random.Random) -> str:
    """A word that anybody may say, or one that nobody has ever said."""
    rare, well_known = (0.0, COMMON_WELL_KNOWN) if _common.get() else (RARE, WELL_KNOWN)
    kind = rng.random()
    if kind < INVENTED:
        return invented_word(rng)
    if kind < INVENTED + rare:
        return rng.choice(rare_words())
    return rng.choice(WORDS if kind < INVENTED + rare + well_known else open_words())


def free_words(rng: random.Random, most: int) -> str:
    return " ".join(free_word(rng) for _ in range(rng.randint(1, most)))
