"""The figures in a model's card: `eval.json` in words."""

from pathlib import Path
from typing import Any

from realtime_server.training.card import FIGURES, Measures, between, table, value

SETS = {
    "questions": "synthetic, of recordings left out of training",
    "questions_spoilt": "the same with noise, echoes, other microphones, a third by telephone",
    "left_out_voice": "in a voice left out of training",
    "left_out_voice_in_a_room": "the same in a room, 10 dB above noise",
    "left_out_voice_by_telephone": "the same at 8 kHz through G.711",
}
COLUMNS = {
    "exact": "right",
    "intent": "understood",
    "closed_exact": "right, closed ones",
    "transcript_word_errors": "word errors",
    "exchanged_exact": "control",
    "arguments_valid": "arguments fit",
}
OTHERS = {
    "unseen_words.repeated": "words never heard in training repeated right, in that voice",
    "unseen_words.repeated_by_sound": "the same, however spelled",
    "unseen_words.repeated_as_keywords": "the same, each one of its session's twenty keywords",
    "unseen_words.repeated_among_other_keywords": "the same, the twenty keywords others",
    "unseen_tools.right_call": "functions never seen in training: the right one called",
    "unseen_tools.right_call_and_arguments": "the same with the right arguments",
    "written.exact": "written questions, answered exactly",
    "coffee_people.exact": "real people's orders, recordings left out (their speakers not), every slot right",
    "coffee_folds.exact": "all orders, each asked of a model that never heard its speaker (five-fold)",
    "digits_people.exact": "real people's single digits, never trained on, read back right",
    "digits_people.exact_with_keywords": "the same, the ten digits the session's keywords",
    "no_speech.calls": "noise, hum and tones: functions called",
    "no_speech.refused": "the same: refused",
    "other_languages.calls": "languages never trained on: functions called",
    "other_languages.refused": "the same: refused",
    "live_transcripts.word_errors": "transcribed as it is said, without a context: word errors",
    "live_transcripts.word_errors_at_once": "the same when the turn is complete",
    "live_transcripts.told_early": "words told before the turn is complete",
    "end_of_turn.whole_taken_as_ended": "whole questions that the end-of-turn score takes as ended",
    "end_of_turn.broken_off_taken_as_ended": "questions broken off that it takes as ended",
    "speaking.word_errors": "spoken answers, ten voices: word errors of an independent recogniser",
    "speaking.stuck_or_cut": "the same, of 200: stuck or cut",
    "speaking_unseen.word_errors": "sentences that training left out: word errors",
    "speaking_unseen.stuck_or_cut": "the same, of 200: stuck or cut",
    "speed.real_time_factor": "processing time over audio time, one core",
    "speed.first_audio_p50_ms": "first sound after the last user frame, one core, ms, median",
    "speed.first_audio_p95_ms": "the same, 95th percentile",
    "eight_sessions.real_time_factor": "eight answers at once: processing time over one's audio time",
    "eight_sessions.latest_piece_behind_playing_ms": "the same: the latest piece of sound, ms after it was due",
}


ABLATION = ("<!-- ablation -->", "<!-- end of ablation -->")
ABLATED = {
    "written.exact": "written",
    "coffee_people.exact": "orders",
    "digits_people.exact": "digits",
    "unseen_words.repeated": "new words",
    "unseen_words.repeated_as_keywords": "as keywords",
    "unseen_tools.right_call_and_arguments": "new functions",
    "other_languages.refused": "other languages refused",
}
"""Columns of the ablation."""


def write_card(folder: Path, evaluation: dict[str, Any]) -> None:
    """Puts the figures of `eval.json` into the model's card, between their marks."""
    path = folder / "README.md"
    text = between(path.read_text(), FIGURES, figures(evaluation["measures"]))
    path.write_text(between(text, ABLATION, ablation(evaluation.get("ablation", {}))))


def ablation(rows: dict[str, dict[str, float]]) -> str:
    """A table in Markdown: what is right with all rules, without each of them, and by the networks alone;
    of the measures, those that were taken."""
    shown = [name for name in ABLATED if any(name in row for row in rows.values())]
    order = ["none", *(row for row in rows if row not in ("none", "all")), "all"]
    named = {"none": "all rules", "all": "the networks alone"}
    cells = [
        [named.get(row, f"without {row.replace('_', ' ')}"), *(str(rows[row].get(name, "")) for name in shown)]
        for row in order
        if row in rows
    ]
    return table(["", *(ABLATED[name] for name in shown)], cells)


def figures(measures: Measures) -> str:
    """Two tables in Markdown: questions by how they were asked, and everything else, a measure without words by its name."""
    questions = [[text, *(value(measures, f"{group}.{name}") for name in COLUMNS)] for group, text in SETS.items()]
    shown = {f"{group}.{name}" for group in SETS for name in COLUMNS}
    # In the order of the words, for "the same" means the row above; what has no words comes last.
    names = [*filter(measures.__contains__, OTHERS), *(name for name in measures if name not in shown and name not in OTHERS)]
    others = [[OTHERS.get(name, name), value(measures, name)] for name in names]
    return table(["questions", *COLUMNS.values()], questions) + "\n\n" + table(["measure", "value"], others)
