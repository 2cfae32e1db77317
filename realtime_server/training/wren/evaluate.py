"""Everything that the card quotes, measured with the shipped model and written into its `eval.json`.

    python -m realtime_server.training.wren.evaluate models/wren --work WORK [--people FOLDER] [--digits FOLDER]

Synthetic questions are the ones that training left out (their sentences occur in training, their recordings do not).
"""

import argparse
import json
import random
import time
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import torch

from realtime_server import messages as m
from realtime_server.audio.mel import FloatArray, LogMel
from realtime_server.audio.resample import Resampler
from realtime_server.engine import loader
from realtime_server.engine.nets.wren import MEL_HISTORY
from realtime_server.engine.wren.hearing import HeardTurn
from realtime_server.engine.wren.model import WrenModel
from realtime_server.engine.wren.voices import NAMES
from realtime_server.engine.wren.words import plain
from realtime_server.training.wren import augment, domain, people
from realtime_server.training.wren.dataset import load_users
from realtime_server.training.wren.judge import Judge, word_errors
from realtime_server.training.wren.train import HELD_OUT_EVERY

COFFEE = m.Function(
    domain.ORDER_TOOL, "Order a drink.",
    {"type": "object", "required": ["coffeeDrink"], "properties": {
        "coffeeDrink": {"enum": list(domain.DRINKS)}, "size": {"enum": list(domain.SIZES)},
        "roast": {"enum": list(domain.ROASTS)}, "numberOfShots": {"enum": list(domain.SHOTS)},
        "milkAmount": {"enum": [f"{a} {k}".strip() for k in domain.MILKS for a in ("", *domain.AMOUNTS)]},
        "sugarAmount": {"enum": [f"{a} {k}".strip() for k in domain.SUGARS for a in ("", *domain.AMOUNTS)]},
    }},
)  # fmt: skip
FREE = {
    domain.WEATHER_TOOL: ("city",), domain.TIMER_TOOL: ("duration", "unit"), domain.LIGHT_TOOL: ("room", "state"),
}  # fmt: skip


def tool(name: str) -> m.Function:
    if name == domain.ORDER_TOOL:
        return COFFEE
    properties = {key: {"type": "string"} for key in FREE[name]}
    return m.Function(name, "", {"type": "object", "properties": properties, "required": list(FREE[name])})


@dataclass(frozen=True)
class Answer:
    heard: str
    text: str
    call: str | None
    arguments: dict[str, Any]
    sound: FloatArray
    characters: int


class Asker:
    """Puts one question at a time to the model, as a session would."""

    def __init__(self, model: WrenModel) -> None:
        self.model = model
        self._number = 0

    def ask(self, mel: FloatArray, context: m.Context, voice: str = "marin", audio: bool = False) -> Answer:
        """mel [n, 80] of what was said."""
        self._number += 1
        item, response, session = f"item{self._number}", f"resp{self._number}", f"s{self._number}"
        self.model.run(session, m.Listen(item, context))
        state = self.model._sessions[session]
        turn: HeardTurn = state.turns[item]
        turn.frames = _Ready(mel)  # type: ignore[assignment]
        self.model.run(session, m.Commit(item))
        said = m.Message(item, "user", (m.Audio(np.zeros(0, np.float32), None),))
        return self._answer(
            session, response, m.Context(context.instructions, context.tools, (*context.items, said)), voice, audio
        )

    def write(self, text: str, context: m.Context, voice: str = "marin", audio: bool = True) -> Answer:
        self._number += 1
        said = m.Message(f"item{self._number}", "user", (m.Text(text),))
        full = m.Context(context.instructions, context.tools, (*context.items, said))
        return self._answer(f"s{self._number}", f"resp{self._number}", full, voice, audio)

    def _answer(self, session: str, response: str, context: m.Context, voice: str, audio: bool) -> Answer:
        self.model.run(session, m.Respond(response, context, audio, voice, "auto", None))
        outputs = []
        while (step := self.model.step()) is not None:
            outputs += [output for _, output in step]
        self.model.end(session)
        heard = next((o.text for o in outputs if isinstance(o, m.TranscriptDone)), "")
        text = "".join(o.text for o in outputs if isinstance(o, m.TextDelta))
        call = next((o.name for o in outputs if isinstance(o, m.CallStarted)), None)
        arguments = "".join(o.text for o in outputs if isinstance(o, m.CallArgumentsDelta))
        sounds = [o for o in outputs if isinstance(o, m.AudioDelta)]
        sound = np.concatenate([o.samples for o in sounds]) if sounds else np.zeros(0, np.float32)
        return Answer(heard, text, call, json.loads(arguments or "{}"), sound, sounds[-1].characters if sounds else 0)


class _Ready:
    """A frame maker whose frames are made already."""

    def __init__(self, mel: FloatArray) -> None:
        frames = len(mel) // 8
        self._mel: FloatArray | None = np.pad(
            mel[: frames * 8], ((MEL_HISTORY, 0), (0, 0)), constant_values=augment.FLOOR
        ).astype(np.float32)

    def push(self, samples: FloatArray, last: bool = False) -> FloatArray | None:
        mel, self._mel = self._mel, None
        return mel


def instructions(dialogue: domain.Dialogue) -> m.Context:
    return m.Context(f"Your name is {dialogue.name}.", tuple(tool(name) for name in dialogue.tools), ())


def right(answer: Answer, dialogue: domain.Dialogue) -> bool:
    if isinstance(dialogue.reply, domain.Say):
        return answer.call is None and answer.text == dialogue.reply.text
    return answer.call == dialogue.reply.name and answer.arguments == dict(dialogue.reply.arguments)


def questions(asker: Asker, work: Path, number: int, change: Any) -> dict[str, Any]:
    """Left-out recordings: exact answers by intent and by synthesiser, transcript word errors; and with audio exchanged."""
    users = [u for n, u in enumerate(load_users(work)) if n % HELD_OUT_EVERY == 0][:number]
    by_intent, by_speaker = defaultdict(list), defaultdict(list)
    errors = words = exchanged = valid = calls = 0
    for n, user in enumerate(users):
        mel = change(user.mel.astype(np.float32), np.random.default_rng(n))
        answer = asker.ask(mel, instructions(user.dialogue))
        by_intent[user.dialogue.intent].append(right(answer, user.dialogue))
        by_speaker[user.speaker].append(right(answer, user.dialogue))
        errors += word_errors(str(user.dialogue.user), answer.heard)
        words += len(str(user.dialogue.user).split())
        calls += answer.call is not None
        valid += answer.call is not None and fits(answer)
        other = users[(n + 1) % len(users)].dialogue
        if other.reply != user.dialogue.reply:
            exchanged += right(answer, other)
    return {
        "exact": share([r for rs in by_intent.values() for r in rs]), "transcript_word_errors": round(errors / words, 3),
        "exact_by_intent": {k: share(v) for k, v in sorted(by_intent.items())},
        "exact_by_voice": {k: share(v) for k, v in sorted(by_speaker.items())},
        "exchanged_exact": round(exchanged / len(users), 3), "arguments_valid": round(valid / max(calls, 1), 3),
    }  # fmt: skip


def fits(answer: Answer) -> bool:
    """Do the arguments satisfy the schema that was shown?"""
    assert answer.call is not None
    schema = tool(answer.call).parameters
    return set(schema["required"]) <= set(answer.arguments) <= set(schema["properties"]) and all(
        value in schema["properties"][key].get("enum", [value]) for key, value in answer.arguments.items()
    )


def share(results: list[bool]) -> float:
    return round(sum(results) / max(len(results), 1), 3)


def coffee_orders(asker: Asker, folder: Path) -> dict[str, Any]:
    """Real people, left out of training: every slot right."""
    results, wrong = [], []
    for mel, slots in people.recordings(folder, held_out=True):
        padded = augment.add(np.pad(mel, ((20, 30), (0, 0)), constant_values=augment.FLOOR), np.float32(-13.0))
        answer = asker.ask(padded, m.Context("", (COFFEE,), ()))
        results.append(answer.call == domain.ORDER_TOOL and answer.arguments == slots)
        if not results[-1]:
            wrong.append({"wanted": slots, "heard": answer.heard})
    return {"exact": share(results), "recordings": len(results), "wrong": wrong[:10]}


def spoken_digits(asker: Asker, folder: Path) -> dict[str, Any]:
    """Real people, never trained on: one digit each, read back right."""
    results = []
    for path in sorted(folder.glob("*_[0-4].flac")):
        audio, rate = soundfile.read(path, dtype="float32")
        audio = Resampler(rate, 16_000).push((audio * 0.3 / np.abs(audio).max()).astype(np.float32), last=True)
        mel = np.pad(LogMel().push(audio), ((25, 35), (0, 0)), constant_values=augment.FLOOR)
        answer = asker.ask(augment.add(mel, np.float32(-13.0)), m.Context("", (), ()))
        results.append(plain(answer.text) == domain.DIGITS[int(path.name[0])])
    return {"exact": share(results), "recordings": len(results)}


def refusals(asker: Asker, number: int) -> dict[str, Any]:
    """Noise, silence, tones: what is called, what is refused."""
    tools = tuple(tool(name) for name in domain.TOOLS)
    answers = [asker.ask(augment.no_speech(np.random.default_rng(9000 + n)), m.Context("", tools, ())) for n in range(number)]
    return {
        "calls": share([a.call is not None for a in answers]),
        "refused": share([a.text == domain.NOT_UNDERSTOOD for a in answers]),
    }


def speaking(asker: Asker, judge: Judge, number: int, seed: str) -> dict[str, Any]:
    """Replies whose words are all in the judge's list, over the ten voices: word errors of the judge; cut or stuck ones."""
    rng, by_voice, stuck = random.Random(seed), defaultdict(list), 0
    seen: set[tuple[object, str]] = set()
    while len(seen) < number:
        dialogue = domain.sample(rng)
        if not isinstance(dialogue.reply, domain.Say) or not set(plain(dialogue.reply.text).split()) <= judge.words:
            continue
        voice = NAMES[len(seen) % len(NAMES)]
        if (dialogue.user, voice) in seen:
            continue
        seen.add((dialogue.user, voice))
        answer = asker.write(str(dialogue.user), instructions(dialogue), voice)
        wanted = plain(answer.text)
        if not set(wanted.split()) <= judge.words or not wanted:
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


def speed(asker: Asker, work: Path) -> dict[str, Any]:
    """One core: processing time over audio time of whole turns; wait for the first sound behind the last frame."""
    torch.set_num_threads(1)
    users = [u for n, u in enumerate(load_users(work)) if n % HELD_OUT_EVERY == 0 and isinstance(u.dialogue.reply, domain.Say)][
        :40
    ]
    waits, spent, audio = [], 0.0, 0.0
    model = asker.model
    for n, user in enumerate(users):
        context = instructions(user.dialogue)
        began = time.process_time()
        session, item = f"speed{n}", f"speed{n}"
        model.run(session, m.Listen(item, context))
        turn: Any = model._sessions[session].turns[item]
        turn.frames = _Ready(user.mel.astype(np.float32))
        turn.waiting.append(np.zeros(1, np.float32))
        while model.step() is not None:
            pass
        model.run(session, m.Commit(item))
        said = m.Message(item, "user", (m.Audio(np.zeros(0, np.float32), None),))
        model.run(
            session, m.Respond(session, m.Context(context.instructions, context.tools, (said,)), True, "marin", "auto", None)
        )
        committed, first, sound = time.perf_counter(), None, 0
        while (step := model.step()) is not None:
            for _, output in step:
                if isinstance(output, m.AudioDelta):
                    first = first or time.perf_counter() - committed
                    sound += len(output.samples)
        model.end(session)
        spent += time.process_time() - began
        audio += len(user.mel) / 100 + sound / 24_000
        if first is not None:
            waits.append(first)
    p50, p95 = np.percentile(np.array(waits) * 1000, (50, 95))
    return {
        "real_time_factor": round(spent / audio, 3),
        "first_audio_p50_ms": round(float(p50), 1),
        "first_audio_p95_ms": round(float(p95), 1),
    }


CARD = {
    "questions.exact": "synthetic questions of recordings left out of training, answered exactly right",
    "questions.transcript_word_errors": "their transcripts, word errors",
    "questions.exchanged_exact": "control: answers that fit the audio of another question",
    "questions.arguments_valid": "function calls whose arguments fit the schema",
    "questions_spoilt.exact": "the same questions with noise, reverberation, other microphones, a fifth through a telephone",
    "questions_spoilt.transcript_word_errors": "their transcripts, word errors",
    "coffee_people.exact": "real people's coffee orders left out of training, every slot right",
    "digits_people.exact": "real people's single digits, never trained on, read back right",
    "no_speech.calls": "noise, hum and tones: functions called",
    "no_speech.refused": "noise, hum and tones: refused",
    "speaking.word_errors": "spoken answers over the ten voices, word errors of an independent recogniser",
    "speaking.stuck_or_cut": "spoken answers stuck or cut, of 200",
    "speed.real_time_factor": "processing time over audio time, one core",
    "speed.first_audio_p50_ms": "first sound after the last user frame, one core, ms, median",
    "speed.first_audio_p95_ms": "the same, 95th percentile",
}
FIGURES = ("<!-- figures -->", "<!-- end of figures -->")


def write_card(folder: Path, measures: dict[str, dict[str, Any]]) -> None:
    """Puts the figures into the model's card, between its marks."""
    rows = [f"| {CARD.get(name, name)} | {entry['value']} |" for name, entry in measures.items()]
    before, _, rest = (folder / "README.md").read_text().partition(FIGURES[0])
    after = rest.partition(FIGURES[1])[2]
    table = "\n".join(["| measure | value |", "|---|---|", *rows])
    (folder / "README.md").write_text(f"{before}{FIGURES[0]}\n{table}\n{FIGURES[1]}{after}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--people", type=Path)
    parser.add_argument("--digits", type=Path)
    parser.add_argument("--judge", type=Path, default=Path(__file__).with_name("judge-words.txt"))
    parser.add_argument("--number", type=int, default=400)
    options = parser.parse_args()
    model = loader.load(str(options.model), "cpu")
    assert isinstance(model, WrenModel)
    asker = Asker(model)
    details: dict[str, Any] = {}
    details["questions"] = questions(asker, options.work, options.number, augment.clean)
    details["questions_spoilt"] = questions(asker, options.work, options.number, augment.spoilt)
    details["no_speech"] = refusals(asker, 100)
    details["speed"] = speed(asker, options.work)
    if options.people:
        details["coffee_people"] = coffee_orders(asker, options.people)
    if options.digits:
        details["digits_people"] = spoken_digits(asker, options.digits)
    details["speaking"] = speaking(asker, Judge(options.judge), 200, "speaking")
    measures = {
        f"{group}.{name}": {"value": value}
        for group, values in details.items() for name, value in values.items()
        if isinstance(value, int | float) and name not in ("recordings", "answers")
    }  # fmt: skip
    result = {"measures": measures, "details": details}
    (options.model / "eval.json").write_text(json.dumps(result, indent=2) + "\n")
    write_card(options.model, measures)
    print(json.dumps(measures, indent=2))


if __name__ == "__main__":
    main()
