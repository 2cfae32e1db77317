"""What a user wants Wren to learn besides: sentences with their answers, words, recordings. A folder with any of

    sentences.tsv     what is said <tab> what Wren answers, or function_name(key=value, other=value)
    words.txt         one word a line, which Wren shall hear, repeat and spell
    recordings.json   {"file.flac": {"said": "what is said in it", "reply": "as in sentences.tsv"}}
    voices/NAME/transcripts.json
                      {"file.flac": "what is read in it"}: another voice for Wren's answers, to be asked for as {"id": "NAME"}

Sentences and words are spoken by the synthesisers in many voices; recordings are heard as they are. A voice takes some
hundreds of sentences that one person read in a quiet room.
"""

import json
import random
import re
from dataclasses import dataclass
from pathlib import Path

from realtime_server.engine.families.wren.words import plain
from realtime_server.engine.talker.voices import NAMES
from realtime_server.training.wren import talk
from realtime_server.training.wren.dialogue import Call, Dialogue, Say, Tool

_CALL = re.compile(r"(?P<name>[A-Za-z]\w*)\((?P<arguments>.*)\)")
PER_SENTENCE, PER_WORD = 40, 20
"""How many voices speak each."""


_VOICE = re.compile("[a-z][a-z0-9_-]{0,63}")
Readings = tuple[tuple[Path, str], ...]
"""Files, and what is read in each."""


class OwnMaterialError(ValueError):
    """Something in the user's folder cannot be taken; the message names the file and the line."""


@dataclass(frozen=True)
class Own:
    """Dialogues to be synthesised, (file, dialogue) of recordings, and the readings of voices by name."""

    dialogues: tuple[Dialogue, ...] = ()
    words: tuple[str, ...] = ()
    recordings: tuple[tuple[Path, Dialogue], ...] = ()
    voices: tuple[tuple[str, Readings], ...] = ()

    def __bool__(self) -> bool:
        return bool(self.dialogues or self.words)

    def to_speak(self, rng: random.Random) -> list[Dialogue]:
        """Each sentence and each word often enough to be learned, in random order."""
        spoken = [dialogue for dialogue in self.dialogues for _ in range(PER_SENTENCE)]
        spoken += [_about(word, rng) for word in self.words for _ in range(PER_WORD)]
        rng.shuffle(spoken)
        return spoken

    def sample(self, rng: random.Random) -> Dialogue:
        """One dialogue, to be read."""
        if not self.words or (self.dialogues and rng.random() < 0.5):
            return rng.choice(self.dialogues)
        return _about(rng.choice(self.words), rng)

    def replies(self) -> list[str]:
        """What Wren must be able to say."""
        return [d.reply.text for d in self.dialogues if isinstance(d.reply, Say)] + [f"{w.capitalize()}." for w in self.words]


def _about(word: str, rng: random.Random) -> Dialogue:
    if rng.random() < 0.75:
        way = rng.choice(("say {}", "repeat after me {}", "please say {}", "repeat {}"))
        return Dialogue("repeat", way.format(word), Say(f"{word.capitalize()}."))
    return Dialogue("spell", rng.choice(("spell {}", "how do you spell {}")).format(word), Say(talk.spelled(word)))


def load(folder: Path) -> Own:
    """OwnMaterialError says what is wrong, and where."""
    if not folder.is_dir():
        raise OwnMaterialError(f"{folder} is not a folder.")
    labelled = _labels(folder / "recordings.json")
    lines = _lines(folder / "sentences.tsv")
    pairs = []
    for place, line in lines:
        columns = line.split("\t")
        if len(columns) != 2:
            raise OwnMaterialError(f"{place}: two columns are needed, with a tab between them.")
        pairs.append((place, columns[0], columns[1]))
    words = []
    for place, line in _lines(folder / "words.txt"):
        if not re.fullmatch("[a-z']+", word := line.lower()):
            raise OwnMaterialError(f"{place}: '{line}' is not one English word.")
        words.append(word)
    dialogues = _dialogues(pairs + [(place, said, reply) for place, said, reply, _ in labelled])
    voices = tuple(_voice(path) for path in sorted(folder.glob("voices/*")) if path.is_dir())
    if not dialogues and not words and not voices:
        raise OwnMaterialError(f"{folder} has no sentences.tsv, no words.txt, no recordings.json and no voices.")
    heard = tuple((path, d) for (_, _, _, path), d in zip(labelled, dialogues[len(pairs) :], strict=True))
    return Own(tuple(dialogues[: len(pairs)]), tuple(words), heard, voices)


def _lines(path: Path) -> list[tuple[str, str]]:
    """(file:line, text) of the lines that are not empty; none where there is no such file."""
    if not path.exists():
        return []
    lines = path.read_text(encoding="utf-8").splitlines()
    return [(f"{path.name}:{n}", line.strip()) for n, line in enumerate(lines, 1) if line.strip()]


def _labels(path: Path) -> list[tuple[str, str, str, Path]]:
    if not path.exists():
        return []
    found = []
    for name, label in json.loads(path.read_text(encoding="utf-8")).items():
        place = f"{path.name}: {name}"
        if not isinstance(label, dict) or not {"said", "reply"} <= set(label):
            raise OwnMaterialError(f"{place}: 'said' and 'reply' are needed.")
        if not (path.parent / name).is_file():
            raise OwnMaterialError(f"{place}: there is no such file.")
        found.append((place, label["said"], label["reply"], path.parent / name))
    return found


def _voice(folder: Path) -> tuple[str, Readings]:
    place, labels = f"voices/{folder.name}", folder / "transcripts.json"
    if not _VOICE.fullmatch(folder.name) or folder.name in NAMES:
        raise OwnMaterialError(f"{place}: a voice needs a name in small letters that is none of {', '.join(NAMES)}.")
    if not labels.is_file():
        raise OwnMaterialError(f"{place}: there is no transcripts.json.")
    readings = []
    for name, text in json.loads(labels.read_text(encoding="utf-8")).items():
        if not isinstance(text, str) or not plain(text):
            raise OwnMaterialError(f"{place}/transcripts.json: {name}: the words that are read are needed.")
        if not (folder / name).is_file():
            raise OwnMaterialError(f"{place}/transcripts.json: {name}: there is no such file.")
        readings.append((folder / name, text))
    return folder.name, tuple(readings)


def _dialogues(rows: list[tuple[str, str, str]]) -> list[Dialogue]:
    """A function's parameters are all those that any of its calls has."""
    replies = [_reply(place, text) for place, _, text in rows]
    keys: dict[str, dict[str, None]] = {}
    for reply in replies:
        if isinstance(reply, Call):
            keys.setdefault(reply.name, {}).update(dict.fromkeys(key for key, _ in reply.arguments))
    functions = {name: Tool(name, tuple(parameters)) for name, parameters in keys.items()}
    dialogues = []
    for (place, said, _), reply in zip(rows, replies, strict=True):
        if not plain(said):
            raise OwnMaterialError(f"{place}: nothing is said.")
        if isinstance(reply, Say):
            dialogues.append(Dialogue("own", plain(said), reply))
            continue
        function, arguments = functions[reply.name], dict(reply.arguments)
        ordered = tuple((key, arguments[key]) for key in function.parameters if key in arguments)
        dialogues.append(Dialogue("own", plain(said), Call(reply.name, ordered), tools=(function,)))
    return dialogues


def _reply(place: str, text: str) -> Say | Call:
    match = _CALL.fullmatch(text.strip())
    if match is None:
        if not plain(text):
            raise OwnMaterialError(f"{place}: the reply has no words.")
        return Say(text.strip())
    arguments = []
    for part in filter(None, (part.strip() for part in match["arguments"].split(","))):
        key, equals, value = part.partition("=")
        if not equals or not key.strip() or not plain(value):
            raise OwnMaterialError(f"{place}: '{part}' is not key=value.")
        arguments.append((key.strip(), plain(value)))
    return Call(match["name"], tuple(arguments))
