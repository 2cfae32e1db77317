"""What training never had: a voice, words, functions, languages; and what is no speech."""

import random
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from realtime_server import messages as m
from realtime_server.audio.mel import LogMel
from realtime_server.engine.families.wren.script import NOT_UNDERSTOOD
from realtime_server.training.wren import augment, domain, synthesis, tools
from realtime_server.training.wren.asker import Answer, Asker
from realtime_server.training.wren.channels import Channel
from realtime_server.training.wren.dataset import Heard
from realtime_server.training.wren.dialogue import Call, Dialogue, Say
from realtime_server.training.wren.lexicon import lexicon, never_heard
from realtime_server.training.wren.measures.answers import answered, context_of, function, kind_of, right, share
from realtime_server.training.wren.measures.questions import questions

LEFT_OUT_VOICE = "kal"
"""festival's kal_diphone. Training has no other voice of festival's diphones but ked; flite's kal16 is the same person."""
OTHER_LANGUAGES = {
    "nl": "ik wil graag weten hoe laat het is vandaag gaan wij naar de markt met onze kinderen en het weer blijft mooi",
    "sv": "jag vill gärna veta hur mycket klockan är idag går vi till torget med våra barn och vädret är fint",
    "cs": "chtěl bych vědět kolik je hodin dnes jdeme na trh s dětmi a počasí je hezké",
}  # fmt: skip
"""Languages that training never had."""
KEYWORDS = 20
"""In a session that has some."""


def spoken(dialogues: list[Dialogue], engine: str, seed: str, channel: Channel | None = None) -> list[Heard]:
    """Said by this voice, at changing tempo; through this channel, which brings its own silence around what is said."""
    rng, random_ = random.Random(seed), np.random.default_rng(0)
    speakers = []
    for dialogue in dialogues:
        if dialogue.language != "en":
            speakers.append(synthesis.draw_speaker(dialogue, rng))
        else:
            speakers.append(synthesis.Speaker(engine, (f"{rng.uniform(0.85, 1.2):.2f}",)))
    jobs = [(str(d.user), s) for d, s in zip(dialogues, speakers, strict=True)]
    heard = []
    with tempfile.TemporaryDirectory() as name:
        for path, dialogue in zip(synthesis.speak_files(jobs, Path(name)), dialogues, strict=True):
            audio = synthesis.load(path, synthesis.USER_RATE_HZ)
            audio = audio if channel is None else channel(audio, random_)
            mel = LogMel().push((audio * (0.3 / (np.abs(audio).max() or 1.0))).astype(np.float32))
            heard.append(Heard(mel, dialogue, engine))
    return heard


def left_out_voice(asker: Asker, number: int, channel: Channel | None = None) -> dict[str, Any]:
    """The same questions through each channel."""
    rng = random.Random("left-out voice")
    dialogues: list[Dialogue] = []
    while len(dialogues) < number:
        dialogue = domain.sample(rng)
        if dialogue.language == "en":
            dialogues.append(domain.in_context(dialogue, rng))
    heard = spoken(dialogues, LEFT_OUT_VOICE, "left-out voice", channel)
    result = questions(asker, heard, augment.clean if channel is None else lambda mel, _: (mel, len(mel)))
    return {key: result[key] for key in ("intent", "closed_exact", "exact_by_intent", "transcript_word_errors")}


def unseen_words(asker: Asker, number: int) -> dict[str, Any]:
    """One word each that training never heard, repeated exactly; or so that it sounds the same, however it is spelled; or where
    it, or only others, are among the session's keywords."""
    rng = random.Random("unseen words")
    new = [word for word in lexicon() if never_heard(word)]
    words = rng.sample(new, number)
    dialogues = [Dialogue("repeat", f"repeat after me {word}", Say(f"{word.capitalize()}.")) for word in words]
    heard = [augment.clean(user.mel, np.random.default_rng(n))[0]
             for n, user in enumerate(spoken(dialogues, LEFT_OUT_VOICE, "unseen words"))]  # fmt: skip
    others = [[word for word in rng.sample(new, KEYWORDS) if word not in words][: KEYWORDS - 1] for _ in words]

    def asked(keywords: list[list[str]]) -> list[Answer]:
        contexts = [replace(context_of(d), keywords=tuple(k)) for d, k in zip(dialogues, keywords, strict=True)]
        return [asker.ask(mel, context) for mel, context in zip(heard, contexts, strict=True)]

    def repeated(answers: list[Answer]) -> float:
        return share([right(*pair) for pair in zip(answers, dialogues, strict=True)])

    answers = asked([[]] * number)
    by_sound = [
        a.call is None and synthesis.phonemes(a.text) == synthesis.phonemes(word)
        for a, word in zip(answers, words, strict=True)
    ]
    return {
        "repeated": repeated(answers), "words": number, "repeated_by_sound": share(by_sound),
        "repeated_as_keywords": repeated(asked([[*k, word] for k, word in zip(others, words, strict=True)])),
        "repeated_among_other_keywords": repeated(asked(others)),
    }  # fmt: skip


def unseen_tools(asker: Asker, number: int) -> dict[str, Any]:
    """Functions with new names and new values, among others: the right call with the right arguments."""
    rng = random.Random("unseen tools")
    new = [word for word in lexicon() if never_heard(word)]
    dialogues, contexts = [], []
    for _ in range(number):
        noun, options = rng.choice(new), rng.sample(new, 4)
        key, chosen = rng.choice(tools.KEYS), rng.choice(options)
        name = f"{rng.choice(tools.VERBS)}_{noun}"
        user = f"{name.replace('_', ' the ')} with {key} {chosen}"
        schema = {"type": "object", "properties": {key: {"enum": options}}, "required": [key]}
        others = [function(tool) for tool in tools.some_tools(rng)]
        shown = [m.Function(name, "", schema), *(tool for tool in others if tool.name != name)]
        rng.shuffle(shown)
        dialogues.append(Dialogue("made_up", user, Call(name, ((key, chosen),))))
        contexts.append(m.Context("", tuple(shown), ()))
    results, names = [], []
    for n, (user_turn, context) in enumerate(zip(spoken(dialogues, LEFT_OUT_VOICE, "tools"), contexts, strict=True)):
        answer = asker.ask(augment.clean(user_turn.mel, np.random.default_rng(n))[0], context)
        results.append(right(answer, user_turn.dialogue))
        names.append(kind_of(answered(answer)) == kind_of(user_turn.dialogue.reply))
    return {"right_call": share(names), "right_call_and_arguments": share(results), "functions": number}


def other_languages(asker: Asker, number: int) -> dict[str, Any]:
    rng = random.Random("other languages")
    dialogues = []
    for n in range(number):
        language = tuple(OTHER_LANGUAGES)[n % len(OTHER_LANGUAGES)]
        words = " ".join(rng.choices(OTHER_LANGUAGES[language].split(), k=rng.randint(4, 9)))
        dialogues.append(Dialogue("foreign", words, Say(NOT_UNDERSTOOD), language=language))
    known = tuple(function(tool) for tool in tools.KNOWN_TOOLS)
    answers = [asker.ask(augment.clean(u.mel, np.random.default_rng(n))[0], m.Context("", known, ()))
               for n, u in enumerate(spoken(dialogues, "espeak", "other languages"))]  # fmt: skip
    return refusal_shares(answers)


def refusals(asker: Asker, number: int) -> dict[str, Any]:
    """Noise, silence, tones: what is called, what is refused."""
    known = tuple(function(tool) for tool in tools.KNOWN_TOOLS)
    return refusal_shares(
        [asker.ask(augment.no_speech(np.random.default_rng(9000 + n)), m.Context("", known, ())) for n in range(number)]
    )


def refusal_shares(answers: list[Answer]) -> dict[str, Any]:
    return {
        "calls": share([a.call is not None for a in answers]),
        "refused": share([a.text == NOT_UNDERSTOOD for a in answers]),
    }
