"""The figures in a model's card: `eval.json` in words."""

from pathlib import Path
from typing import Any

CARD = {
    "questions.exact": "synthetic questions of recordings left out of training, answered exactly right",
    "questions.intent": "the same, what was wanted understood",
    "questions.closed_exact": "the same without those that take any word, exactly right",
    "questions.transcript_word_errors": "their transcripts, word errors",
    "questions.exchanged_exact": "control: answers that fit the audio of another question",
    "questions.arguments_valid": "function calls whose arguments fit the schema",
    "questions_spoilt.exact": "the same questions with noise, reverberation, other microphones, a third through a telephone",
    "questions_spoilt.intent": "these, what was wanted understood",
    "questions_spoilt.closed_exact": "these without those that take any word, exactly right",
    "questions_spoilt.transcript_word_errors": "their transcripts, word errors",
    "questions_spoilt.exchanged_exact": "control, spoilt: answers that fit the audio of another question",
    "questions_spoilt.arguments_valid": "spoilt: function calls whose arguments fit the schema",
    "left_out_voice.intent": "questions in a voice left out of training, what was wanted understood",
    "left_out_voice.closed_exact": "these without those that take any word, exactly right",
    "left_out_voice.transcript_word_errors": "their transcripts, word errors",
    "left_out_voice_in_a_room.intent": "the same questions in a room, 10 dB above noise: what was wanted understood",
    "left_out_voice_in_a_room.closed_exact": "these without those that take any word, exactly right",
    "left_out_voice_in_a_room.transcript_word_errors": "their transcripts, word errors",
    "left_out_voice_by_telephone.intent": "the same questions at 8 kHz through G.711: what was wanted understood",
    "left_out_voice_by_telephone.closed_exact": "these without those that take any word, exactly right",
    "left_out_voice_by_telephone.transcript_word_errors": "their transcripts, word errors",
    "unseen_words.repeated": "words never heard in training repeated right, in that voice",
    "unseen_words.repeated_by_sound": "the same, however spelled: as espeak-ng pronounces them",
    "unseen_words.repeated_as_keywords": "the same where each is one of twenty keywords of its session",
    "unseen_words.repeated_among_other_keywords": "the same where the twenty keywords of its session are others",
    "unseen_tools.right_call": "functions never seen in training: the right one called, in that voice",
    "unseen_tools.right_call_and_arguments": "the same with the right arguments",
    "coffee_people.exact": "orders by real people, recordings left out of training (not so their speakers), every slot right",
    "coffee_folds.exact": "all orders, each asked of a model that never heard its speaker (five-fold), every slot right",
    "digits_people.exact": "real people's single digits, never trained on, read back right",
    "digits_people.exact_with_keywords": "the same where the ten digits are the session's keywords",
    "no_speech.calls": "noise, hum and tones: functions called",
    "no_speech.refused": "noise, hum and tones: refused",
    "other_languages.calls": "languages never trained on: functions called",
    "other_languages.refused": "languages never trained on: refused",
    "live_transcripts.word_errors": "transcribed as it is said, without a context: word errors",
    "live_transcripts.word_errors_at_once": "the same transcribed when the turn is complete",
    "live_transcripts.told_early": "words of it told before the turn is complete",
    "end_of_turn.whole_taken_as_ended": "whole questions that the end-of-turn score takes as ended",
    "end_of_turn.broken_off_taken_as_ended": "questions broken off in the middle that it takes as ended",
    "speaking.word_errors": "spoken answers over the ten voices, word errors of an independent recogniser",
    "speaking.stuck_or_cut": "spoken answers stuck or cut, of 200",
    "speaking_unseen.word_errors": "the same for sentences that training left out",
    "speaking_unseen.stuck_or_cut": "these stuck or cut, of 200",
    "speed.real_time_factor": "processing time over audio time, heard as it is said, one core",
    "eight_sessions.real_time_factor": "eight answers in one batch: processing time over one answer's audio time",
    "eight_sessions.latest_piece_behind_playing_ms": "the same: the latest that a piece of sound came after it was due, ms",
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
