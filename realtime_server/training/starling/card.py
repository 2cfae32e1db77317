"""The figures in Starling's card: `eval.json` in words, beside what was aimed at."""

from pathlib import Path

from realtime_server.training.card import Measures, table, value, write_figures

ROWS = {
    "spoken_questions.word_errors": ("everyday spoken questions and requests, voices kept for judging: word errors", "≤ 0.05"),
    "spoken_questions.answered_rightly": ("the same, answered rightly", "≥ 0.75"),
    "spoken_tools.right_calls_and_arguments": ("spoken requests, tools never seen: right calls, right arguments", "≥ 0.80"),
    "spoken_tools.right_calls": ("the same: right calls", ""),
    "spoken_tools.none_where_none_fits": ("the same, where no tool fits: none called", ""),
    "spoken_tools.arguments_valid": ("the same: arguments that fit their schema", ""),
    "spoken_tools.word_errors": ("the same: word errors", ""),
    "coffee.exact": ("real people's coffee orders, recordings left out, every slot right", "≥ 0.80"),
    "digits.exact": ("real people's single digits, never trained on, read back right", "≥ 0.90"),
    "long_conversation.right": ("forty turns in one session, instructions and tools of 2,000 tokens: right", ""),
    "long_conversation.first_ten_right": ("the same, the first ten", ""),
    "long_conversation.later_thirty_right": ("the same, the thirty after them", "as the first ten"),
    "long_conversation.last_ten_right": ("the same, the last ten", "as the first ten"),
    "long_conversation.word_errors": ("the same: word errors", ""),
    "no_speech.answered": ("silence, noises, hum, tones, knocks, babble: answered", "≤ 0.02"),
    "no_speech.calls": ("the same: functions called", ""),
    "latency.first_audio_p50_ms": ("first audio after `speech_stopped`, one session, ms, median", "≤ 400"),
    "latency.first_audio_p95_ms": ("the same, 95th percentile", "≤ 800"),
    "latency.latest_piece_behind_playing_ms": ("the same: the latest piece of sound, ms after it was due", ""),
    "latency.in_real_time": ("the same: answers of which no piece came late", ""),
    "latency.unanswered": ("the same: unanswered", ""),
    "sessions.first_audio_p50_ms": ("four sessions at once: first audio after `speech_stopped`, ms, median", ""),
    "sessions.first_audio_p95_ms": ("the same, 95th percentile", ""),
    "sessions.latest_piece_behind_playing_ms": ("the same: the latest piece of sound, ms after it was due", ""),
    "sessions.in_real_time": ("the same: answers of which no piece came late", "1.0"),
    "sessions.unanswered": ("the same: unanswered", ""),
}
"""Measure -> (in words, aim)."""
COUNTS = frozenset({"number", "recordings", "sounds", "questions", "sessions"})


def measures_of(details: dict[str, dict[str, object]]) -> Measures:
    """All numbers but the counts of what was asked."""
    return {
        f"{group}.{name}": {"value": number}
        for group, values in details.items() for name, number in values.items()
        if isinstance(number, int | float) and name not in COUNTS
    }  # fmt: skip


def write_card(folder: Path, measures: Measures) -> None:
    write_figures(folder, figures(measures))


def figures(measures: Measures) -> str:
    """A table in Markdown, a measure without words by its name."""
    names = [*filter(measures.__contains__, ROWS), *(name for name in measures if name not in ROWS)]
    rows = [[ROWS.get(name, (name, ""))[0], value(measures, name), ROWS.get(name, ("", ""))[1]] for name in names]
    return table(["measure", "value", "aim"], rows)
