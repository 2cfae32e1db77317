"""Everything that the card quotes, measured with the shipped model and written into its `eval.json`.

    python -m realtime_server.training.wren.evaluate models/wren --work WORK [--people FOLDER] [--digits FOLDER]

Synthetic questions are the ones that training left out (their sentences occur in training, their recordings do not), and
others spoken anew by a voice, in languages, with words and for functions that training has not.
"""

import argparse
import json
import random
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import torch
from jsonschema import Draft202012Validator

from realtime_server import messages as m
from realtime_server.audio.mel import FloatArray, LogMel
from realtime_server.audio.resample import Resampler
from realtime_server.engine import loader
from realtime_server.engine.wren.model import WrenModel
from realtime_server.engine.wren.script import NOT_UNDERSTOOD
from realtime_server.engine.wren.voices import NAMES
from realtime_server.engine.wren.words import DIGITS, plain
from realtime_server.training.wren import augment, domain, people, synthesis, tools
from realtime_server.training.wren.asker import Answer, Asker
from realtime_server.training.wren.card import write_card
from realtime_server.training.wren.channels import Channel, room, telephone
from realtime_server.training.wren.dataset import Heard, load_heard, never_spoken
from realtime_server.training.wren.dialogue import Call, Dialogue, Result, Say, Tool
from realtime_server.training.wren.judge import Judge, word_errors
from realtime_server.training.wren.lexicon import common_words, lexicon, never_heard
from realtime_server.training.wren.synthesis import HELD_OUT_EVERY

COFFEE = m.Function(
    tools.ORDER.name, "Order a drink.",
    {"type": "object", "required": ["coffeeDrink"], "properties": {
        "coffeeDrink": {"enum": list(tools.DRINKS)}, "size": {"enum": list(tools.SIZES)},
        "roast": {"enum": list(tools.ROASTS)}, "numberOfShots": {"enum": list(tools.SHOTS)},
        "milkAmount": {"enum": [f"{a} {k}".strip() for k in tools.MILKS for a in ("", *tools.AMOUNTS)]},
        "sugarAmount": {"enum": [f"{a} {k}".strip() for k in tools.SUGARS for a in ("", *tools.AMOUNTS)]},
    }},
)  # fmt: skip
LEFT_OUT_VOICE = "kal"
"""festival's kal_diphone. Training has no other voice of festival's diphones but ked; flite's kal16 is the same person."""
OPEN_INTENTS = ("repeat", "spell", "nonsense", "foreign", "made_up", "contact", "fact", "unknown_fact")
"""Those whose words can be any: all others are closed."""
OTHER_LANGUAGES = {
    "nl": "ik wil graag weten hoe laat het is vandaag gaan wij naar de markt met onze kinderen en het weer blijft mooi",
    "sv": "jag vill gärna veta hur mycket klockan är idag går vi till torget med våra barn och vädret är fint",
    "cs": "chtěl bych vědět kolik je hodin dnes jdeme na trh s dětmi a počasí je hezké",
}  # fmt: skip
"""Languages that training never had."""


def load(folder: Path) -> WrenModel:
    model = loader.load(str(folder), "cpu")
    assert isinstance(model, WrenModel)
    return model


def function(tool: Tool) -> m.Function:
    """With schemas as a client would write them; made-up functions take strings, or one of a few."""
    if tool.name == tools.ORDER.name:
        return COFFEE
    properties = {key: {"type": "string"} | ({"enum": list(values)} if values else {}) for key, values in tool.shown()}
    required = list(tool.parameters) if tool in tools.KNOWN_TOOLS else []
    return m.Function(tool.name, "", {"type": "object", "properties": properties, "required": required})


def context_of(dialogue: Dialogue) -> m.Context:
    facts = "".join(f"\n{key}: {value}" for key, value in dialogue.facts)
    items: list[m.ContextItem] = []
    for n, turn in enumerate(dialogue.history):
        if isinstance(turn.user, Result):
            items.append(m.FunctionResult(f"u{n}", "c", turn.user.text))
        else:
            items.append(m.Message(f"u{n}", "user", (m.Text(turn.user),)))
        if isinstance(turn.reply, Say):
            items.append(m.Message(f"r{n}", "assistant", (m.Text(turn.reply.text),)))
        else:
            items.append(m.FunctionCall(f"r{n}", "c", turn.reply.name, json.dumps(dict(turn.reply.arguments))))
    return m.Context(f"Your name is {dialogue.name}.{facts}", tuple(function(t) for t in dialogue.tools), tuple(items))


def right(answer: Answer, dialogue: Dialogue) -> bool:
    if isinstance(dialogue.reply, Say):
        return answer.call is None and answer.text == dialogue.reply.text
    return answer.call == dialogue.reply.name and same_arguments(answer.arguments, dict(dialogue.reply.arguments))


def same_arguments(got: dict[str, Any], wanted: dict[str, str]) -> bool:
    return {k: plain(str(v)) for k, v in got.items()} == {k: plain(v) for k, v in wanted.items()}


def kind_of(reply: Say | Call) -> str:
    """The reply without its slots: what was understood as wanted."""
    if isinstance(reply, Call):
        return f"call {reply.name}"
    words = plain(reply.text).split()
    if reply.text.startswith("The capital of"):
        return "capital"
    if any(word in words[1:-1] for word in ("plus", "minus", "times")):
        return "arithmetic"
    fixed = " ".join(words[:2])
    return fixed if fixed in _FRAMES else "fact" if words[:1] == ["the"] and "is" in words else "echo"


_FRAMES = {"hello i", "good morning", "good evening", "good afternoon", "i am", "my name", "i know", "you are", "goodbye have",
           "sorry i"}  # fmt: skip


def answered(answer: Answer) -> Say | Call:
    return Say(answer.text) if answer.call is None else Call(answer.call, ())


def fits(answer: Answer, context: m.Context) -> bool:
    """Do the arguments satisfy the schema that was shown?"""
    (schema,) = (tool.parameters for tool in context.tools if tool.name == answer.call)
    return bool(Draft202012Validator(schema).is_valid(answer.arguments))


def share(results: list[bool]) -> float:
    return round(sum(results) / max(len(results), 1), 3)


NUMBER = 400
"""Questions asked of each kind."""
SPEED_NUMBER = 100
KEYWORDS = 20
Change = Callable[[FloatArray, augment.Random], tuple[FloatArray, int]]


def questions(asker: Asker, users: list[Heard], change: Change) -> dict[str, Any]:
    """Exact answers by intent and by voice, transcript word errors; and what happens with the audio exchanged."""
    by_intent, by_speaker, intents = defaultdict(list), defaultdict(list), []
    errors = words = exchanged = valid = calls = 0
    for n, user in enumerate(users):
        mel, _ = change(user.mel.astype(np.float32), np.random.default_rng(n))
        context = context_of(user.dialogue)
        answer = asker.ask(mel, context)
        by_intent[user.dialogue.intent].append(right(answer, user.dialogue))
        by_speaker[user.speaker].append(right(answer, user.dialogue))
        intents.append(kind_of(answered(answer)) == kind_of(user.dialogue.reply))
        errors += word_errors(user.dialogue.transcript, answer.heard)
        words += len(user.dialogue.transcript.split())
        calls += answer.call is not None
        valid += answer.call is not None and fits(answer, context)
        other = users[(n + 1) % len(users)].dialogue
        if other.reply != user.dialogue.reply:
            exchanged += right(answer, other)
    closed = [r for intent, results in by_intent.items() if intent not in OPEN_INTENTS for r in results]
    return {
        "exact": share([r for rs in by_intent.values() for r in rs]), "intent": share(intents), "closed_exact": share(closed),
        "transcript_word_errors": round(errors / words, 3),
        "exchanged_exact": round(exchanged / len(users), 3), "arguments_valid": round(valid / max(calls, 1), 3),
        "exact_by_intent": {k: share(v) for k, v in sorted(by_intent.items())},
        "exact_by_voice": {k: share(v) for k, v in sorted(by_speaker.items())},
    }  # fmt: skip


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


def coffee_orders(asker: Asker, folder: Path, fold: int = 0) -> dict[str, Any]:
    """Real people, left out of training: every slot right."""
    results, wrong = [], []
    for mel, slots in people.recordings(folder, held_out=True, fold=fold):
        answer = asker.ask(augment.in_quiet(mel, 20, 30), m.Context("", (COFFEE,), ()))
        results.append(answer.call == COFFEE.name and answer.arguments == slots)
        if not results[-1]:
            wrong.append({"wanted": slots, "heard": answer.heard})
    return {"exact": share(results), "recordings": len(results), "wrong": wrong[:10]}


def coffee_folds(models: Path, folder: Path) -> dict[str, Any]:
    """Every recording, asked of the one of five models (`recipe.sh --folds`) that never heard it: cross-validation."""
    folds = [coffee_orders(Asker(load(models / str(fold))), folder, fold) for fold in range(people.FOLDS)]
    recordings = sum(fold["recordings"] for fold in folds)
    return {
        "exact": round(sum(fold["exact"] * fold["recordings"] for fold in folds) / recordings, 3), "recordings": recordings,
        "exact_by_fold": [fold["exact"] for fold in folds], "wrong": [wrong for fold in folds for wrong in fold["wrong"]],
    }  # fmt: skip


def spoken_digits(asker: Asker, folder: Path) -> dict[str, Any]:
    """Real people, never trained on: one digit each, read back right; also where the session's keywords are the ten digits."""
    results, with_keywords = list[bool](), list[bool]()
    by_speaker = defaultdict(list)
    for path in sorted(folder.glob("*_[0-4].flac")):
        audio, rate = soundfile.read(path, dtype="float32")
        audio = Resampler(rate, 16_000).push((audio * 0.3 / np.abs(audio).max()).astype(np.float32), last=True)
        mel, digit = augment.in_quiet(LogMel().push(audio), 25, 35), DIGITS[int(path.name[0])]
        for keywords, right_ in (((), results), (tuple(DIGITS), with_keywords)):
            right_.append(plain(asker.ask(mel, m.Context("", (), (), keywords=keywords)).text) == digit)
        by_speaker[path.name.split("_")[1]].append(results[-1])
    return {
        "exact": share(results), "recordings": len(results), "exact_by_speaker": {k: share(v) for k, v in by_speaker.items()},
        "exact_with_keywords": share(with_keywords),
    }  # fmt: skip


def live_transcripts(asker: Asker, users: list[Heard]) -> dict[str, Any]:
    """Transcribed as they are said, 240 ms at a time, against at once; how many of the words stood before the turn ended."""
    errors = at_once = words = early = 0
    for n, user in enumerate(u for u in users if u.dialogue.transcript):
        mel, _ = augment.clean(user.mel.astype(np.float32), np.random.default_rng(n))
        said, whole = user.dialogue.transcript, asker.ask(mel, m.Context("", (), ())).heard
        told, live = asker.transcribe(mel, 3)
        errors += word_errors(said, live)
        at_once += word_errors(said, whole)
        words += len(said.split())
        early += len(told.split())
    return {
        "word_errors": round(errors / words, 3), "word_errors_at_once": round(at_once / words, 3),
        "told_early": round(early / words, 3),
    }  # fmt: skip


@torch.inference_mode()
def end_of_turn(asker: Asker, users: list[Heard]) -> dict[str, Any]:
    """The score a third of a second after speech has ended: whole questions, and the same broken off in the middle."""
    net, script = asker.model.runner.net, asker.model.script
    whole: list[float] = []
    broken: list[float] = []
    prefix = net.text(torch.tensor([script.system("Wren")]))
    for n, user in enumerate(u for u in users if u.dialogue.transcript):
        for mel, scores in ((user.mel, whole), (user.mel[: len(user.mel) // 2], broken)):
            silent = np.pad(mel.astype(np.float32), ((20, 32), (0, 0)), constant_values=augment.FLOOR)
            padded = augment.add(silent, augment.noise_like(silent, -13.0, np.random.default_rng(n)))
            heard = net.ear(torch.from_numpy(augment.windows(padded))[None])
            trunk, _ = net.think(torch.cat([prefix, heard], dim=1))
            scores.append(float(net.ended_logits(trunk[0, -1]).sigmoid()))
    return {
        "whole_taken_as_ended": share([s > 0.5 for s in whole]), "broken_off_taken_as_ended": share([s > 0.5 for s in broken])
    }  # fmt: skip


def speaking(asker: Asker, judge: Judge, number: int, seed: str, unseen: bool = False) -> dict[str, Any]:
    """Replies whose words are all in the judge's list, over the ten voices: word errors of the judge; cut or stuck ones.

    `unseen`: sentences that training left out; most others were spoken in it.
    """

    def asked_for(text: str) -> bool:
        return set(plain(text).split()) <= judge.words and (never_spoken(text) or not unseen)

    rng, by_voice, stuck = random.Random(seed), defaultdict(list), 0
    seen: set[tuple[object, str]] = set()
    while len(seen) < number:
        dialogue = domain.sample_text(rng) if unseen else domain.sample(rng)
        # The letters of spelling are no words of the judge's, and one that sounds like them would be counted as wrong.
        if not isinstance(dialogue.reply, Say) or not asked_for(dialogue.reply.text):
            continue
        voice = NAMES[len(seen) % len(NAMES)]
        if (dialogue.user, voice) in seen or dialogue.language != "en":
            continue
        seen.add((dialogue.user, voice))
        answer = asker.write(str(dialogue.user), context_of(dialogue), voice)
        wanted = plain(answer.text)
        if not wanted or not asked_for(answer.text):
            by_voice[voice].append((0, 0))
            continue
        seconds, letters = len(answer.sound) / 24_000, len(answer.text)
        stuck += answer.characters < letters or seconds > 2.0 + 0.25 * letters
        by_voice[voice].append((word_errors(wanted, judge.hear(answer.sound, 24_000)), len(wanted.split())))
    every = [pair for pairs in by_voice.values() for pair in pairs]
    return {
        "word_errors": round(sum(e for e, _ in every) / sum(w for _, w in every), 3), "stuck_or_cut": stuck, "answers": number,
        "word_errors_by_voice": {v: round(sum(e for e, _ in p) / max(1, sum(w for _, w in p)), 3) for v, p in by_voice.items()},
    }  # fmt: skip


def speed(asker: Asker, users: list[Heard]) -> dict[str, Any]:
    """One core: processing time over audio time of whole turns, heard frame by frame as they are said; wait for the first sound
    behind the last frame, which ends the silence that server VAD waits for."""
    torch.set_num_threads(1)
    waits, spent, audio = [], 0.0, 0.0
    for user in [u for u in users if isinstance(u.dialogue.reply, Say)][:SPEED_NUMBER]:
        mel = augment.in_quiet(user.mel)
        began = time.process_time()
        wait, sound_s = asker.in_real_time(mel, context_of(user.dialogue))
        spent += time.process_time() - began
        audio += len(mel) / 100 + sound_s
        if wait is not None:
            waits.append(1000 * wait)
    p50, p95 = np.percentile(np.array(waits), (50, 95))
    return {
        "real_time_factor": round(spent / audio, 3),
        "first_audio_p50_ms": round(float(p50), 1),
        "first_audio_p95_ms": round(float(p95), 1),
    }


def eight_sessions(asker: Asker, users: list[Heard]) -> dict[str, Any]:
    """Eight spoken answers in one batch: wall-clock time over the time that one's sound takes to play."""
    model, asked = asker.model, [u for u in users if isinstance(u.dialogue.reply, Say) and len(u.dialogue.reply.text) > 25][:8]
    for n, user in enumerate(asked):
        context = context_of(user.dialogue)
        said = m.Message(f"eight{n}", "user", (m.Text(str(user.dialogue.user)),))
        full = m.Context(context.instructions, context.tools, (*context.items, said))
        model.run(f"eight{n}", m.Respond(f"eight{n}", full, True, NAMES[n], "auto", None))
    began = time.perf_counter()
    sound: dict[str, int] = defaultdict(int)
    waits: dict[str, list[float]] = defaultdict(list)
    while (step := model.step()) is not None:
        for session, output in step:
            if isinstance(output, m.AudioDelta):
                # How far the sound is ahead of a client that plays it from its first piece on.
                waits[session].append(time.perf_counter() - began - sound[session] / 24_000)
                sound[session] += len(output.samples)
    spent = time.perf_counter() - began
    for n in range(len(asked)):
        model.end(f"eight{n}")
    late = max(max(w) - w[0] for w in waits.values())
    return {
        "real_time_factor": round(spent * len(asked) / (sum(sound.values()) / 24_000), 3), "latest_piece_behind_playing_ms":
        round(max(0.0, late) * 1000, 1),
    }  # fmt: skip


@common_words()
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--people", type=Path)
    parser.add_argument("--folds", type=Path, help="five models that `recipe.sh --folds` made; needs --people")
    parser.add_argument("--digits", type=Path)
    parser.add_argument("--judge", type=Path, default=Path(__file__).with_name("judge-words.txt"))
    parser.add_argument("--number", type=int, default=NUMBER)
    parser.add_argument("--only", nargs="+", help="measure these parts anew and keep the others' figures")
    options = parser.parse_args()
    if options.folds and not options.people:
        parser.error("--folds needs --people, whom the models are asked about")
    asker, rng = Asker(load(options.model)), random.Random("evaluate")
    users = [u for n, u in enumerate(load_heard(options.work / "users")) if n % HELD_OUT_EVERY == 0][: options.number]
    users = [Heard(u.mel, domain.in_context(u.dialogue, rng), u.speaker) for u in users]
    parts: dict[str, Callable[[], dict[str, Any]]] = {
        "questions": lambda: questions(asker, users, augment.clean),
        "questions_spoilt": lambda: questions(asker, users, augment.spoilt),
        "left_out_voice": lambda: left_out_voice(asker, options.number // 2),
        "left_out_voice_in_a_room": lambda: left_out_voice(asker, options.number // 2, room),
        "left_out_voice_by_telephone": lambda: left_out_voice(asker, options.number // 2, telephone),
        "unseen_words": lambda: unseen_words(asker, options.number // 2),
        "unseen_tools": lambda: unseen_tools(asker, options.number // 2),
        "no_speech": lambda: refusals(asker, 100),
        "other_languages": lambda: other_languages(asker, 240),
        "live_transcripts": lambda: live_transcripts(asker, users[:200]),
        "end_of_turn": lambda: end_of_turn(asker, users[:200]),
        "speed": lambda: speed(asker, users),
        "eight_sessions": lambda: eight_sessions(asker, users),
        "speaking": lambda: speaking(asker, Judge(options.judge), min(200, options.number), "speaking"),
        "speaking_unseen": lambda: speaking(asker, Judge(options.judge), min(200, options.number), "unseen", unseen=True),
    }
    if options.people:
        parts["coffee_people"] = lambda: coffee_orders(asker, options.people)
        if options.folds:
            parts["coffee_folds"] = lambda: coffee_folds(options.folds, options.people)
    if options.digits:
        parts["digits_people"] = lambda: spoken_digits(asker, options.digits)
    details: dict[str, Any] = {}
    if options.only:
        details = json.loads((options.model / "eval.json").read_text())["details"]
        parts = {name: parts[name] for name in options.only}
    for name, part in parts.items():
        details[name] = part()
        print(name, {k: v for k, v in details[name].items() if isinstance(v, int | float)}, flush=True)
    measures = {
        f"{group}.{name}": {"value": value}
        for group, values in details.items() for name, value in values.items()
        if isinstance(value, int | float) and name not in ("recordings", "answers", "words", "functions")
    }  # fmt: skip
    result = {"measures": measures, "details": details}
    (options.model / "eval.json").write_text(json.dumps(result, indent=2) + "\n")
    write_card(options.model, measures)


if __name__ == "__main__":
    main()
