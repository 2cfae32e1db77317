"""Sections of long instructions that go by the days of the week: opening hours and courses."""

import random
from collections.abc import Callable

from realtime_server.training.starling import spoken
from realtime_server.training.starling.handbooks import SECTIONS, Section, first_written, lacking, listed
from realtime_server.training.starling.notices import DAYS, Row, row
from realtime_server.training.starling.tables import stored

Clock = Callable[[int], str]
"""Minutes since midnight, as they are told."""


def digital(minutes: int) -> str:
    return f"{minutes // 60}:{minutes % 60:02d}"


def short(minutes: int) -> str:
    """'9 a.m.', '5:30 p.m.'"""
    hour, minute = divmod(minutes, 60)
    part = "a.m." if hour < 12 else "p.m."
    return f"{(hour - 1) % 12 + 1}{f':{minute:02d}' if minute else ''} {part}"


def in_words(minutes: int) -> str:
    """'half past nine in the morning'."""
    hour, minute = divmod(minutes, 60)
    part = "in the morning" if hour < 12 else "in the afternoon" if hour < 18 else "in the evening"
    name = spoken.words((hour - 1) % 12 + 1)
    return "noon" if minutes == 720 else f"{'half past ' if minute else ''}{name} {part}"


def _spans(days: list[str]) -> str:
    return days[0] if len(days) == 1 else f"{days[0]} and {days[1]}" if len(days) == 2 else f"{days[0]} to {days[-1]}"


def _groups(rng: random.Random) -> list[list[int]]:
    """The days of the week in runs of one to four."""
    result, day = [], 0
    while day < 7:
        size = min(rng.choice((1, 1, 2, 3, 4)), 7 - day)
        result.append(list(range(day, day + size)))
        day += size
    return result


Hours = dict[str, tuple[int, int] | None]
"""Of each day from when until when, None where it is closed."""


def _drawn(rng: random.Random) -> tuple[Hours, list[tuple[str, tuple[int, int] | None]]]:
    """(hours of each day, the same of runs of days)."""
    hours: Hours = {}
    runs = []
    groups = _groups(rng)
    closed = rng.choice([None, len(groups) - 1, rng.randrange(len(groups))])
    for n, group in enumerate(groups):
        times = None
        if n != closed or len(group) > 2:
            times = 60 * rng.randint(6, 11) + rng.choice((0, 0, 30)), 60 * rng.randint(13, 22) + rng.choice((0, 0, 30))
        names = [DAYS[day] for day in group]
        runs.append((_spans(names), times))
        hours |= dict.fromkeys(names, times)
    return hours, runs


def week(rng: random.Random) -> list[Row]:
    """Opening hours that differ by the day."""
    clock = rng.choice((digital, short, in_words))
    hours, runs = _drawn(rng)
    rows = [one for day, times in hours.items() for one in _day(day, times, clock, rng)]
    closed = [day for day, times in hours.items() if times is None]
    answer = f"We are closed on {listed(closed)}." if closed else "We are open every day."
    rows.append(
        row(["On what days are you closed?", "Is there any day when you are shut?", "Which days are you not there?"], [answer])
    )
    join, to = rng.choice(((" from ", " to "), (": ", " to "), (" ", " until "), (", ", " until ")))
    told = [
        f"{days}{join}{clock(t[0])}{to}{clock(t[1])}" if t else f"{days}{rng.choice((' closed', ': closed'))}"
        for days, t in runs
    ]
    written = rng.choice(("Opening hours: ", "Hours: ", "We are open as follows. ", "Our hours: ")) + "; ".join(told) + "."
    return first_written(rows, written, "hours", rng)


def _day(day: str, times: tuple[int, int] | None, clock: Clock, rng: random.Random) -> list[Row]:
    if times is None:
        return [
            row([f"Are you open on {day}?", f"Can I come by on {day}?"], [f"No, on {day} we are closed."]),
            row([f"From when are you open on {day}?", f"Until when are you open on {day}?"], [f"On {day} we are closed."]),
        ]
    opens, closes = map(clock, times)
    at = 60 * rng.randint(6, 23)
    inside = times[0] <= at < times[1]
    late = f"Yes, on {day} we are open until {closes}." if inside else f"No, on {day} we are open from {opens} to {closes}."
    return [
        row([f"Until when are you open on {day}?", f"When do you shut on {day}?", f"How late can I come on {day}?"],
            [f"On {day} we are open until {closes}.", f"Until {closes}."]),
        row([f"From when are you open on {day}?", f"How early do you start on {day}?", f"How early can I come on {day}?"],
            [f"On {day} we open at {opens}.", f"From {opens}."]),
        row([f"Are you open on {day}?", f"Can I come by on {day}?", f"What are your hours on {day}?"],
            [f"On {day} we are open from {opens} to {closes}."]),
        row([f"Are you open on {day} at {in_words(at)}?", f"Is it open on {day} at {short(at)}?"], [late]),
    ]  # fmt: skip


def courses(rng: random.Random) -> list[Row]:
    """What, with whom, on which day, at what time, how long, for how much."""
    table, clock, count = stored("handbooks"), rng.choice((digital, short, in_words)), rng.randint(3, 6)
    subjects, days = rng.sample(table["subjects"], count + 1), rng.sample(DAYS, count)
    teachers, style = rng.sample(table["teachers"], count), rng.choice(table["course"])
    rows, parts, unit = [], [], rng.choice(("euros", "dollars", "pounds"))
    for subject, day, teacher in zip(subjects, days, teachers, strict=False):
        time, price = clock(60 * rng.randint(8, 20) + rng.choice((0, 30))), f"{rng.randint(5, 95)} {unit}"
        long = rng.choice(("45 minutes", "one hour", "90 minutes", "two hours", "three hours"))
        part = style.format(subject=subject, teacher=teacher, day=day, time=time, long=long, price=price)
        parts.append(spoken.upper_first(part))
        rows += [
            row(_asked("course when", subject), [f"{subject} is on {day} at {time}.", f"On {day} at {time}."]),
            row(_asked("course who", subject), [f"{teacher} teaches {subject}.", f"That is {teacher}."]),
            row(_asked("course price", subject), [f"{subject} costs {price}.", f"It costs {price}."]),
            row(_asked("course long", subject), [f"{subject} lasts {long}.", f"It takes {long}."]),
            row(_asked("course day", day), [f"On {day} there is {subject} with {teacher}."]),
            row(_asked("course of", teacher), [f"{teacher} teaches {subject}."]),
        ]
    free = rng.choice([day for day in DAYS if day not in days])
    rows.append(row(_asked("course day", free), [f"There is no course on {free}.", f"On {free} there is none."]))
    rows += [lacking(key, subjects[-1]) for key in ("course when", "course who", "course price")]
    return first_written(rows, " ".join(parts), "course", rng)


def _asked(key: str, words: str) -> list[str]:
    return [spoken.upper_first(ask.format(words)) for ask in stored("handbooks")[key]]


KINDS: tuple[Section, ...] = (week, courses, *SECTIONS)


def sampled(rng: random.Random) -> list[list[Row]]:
    """Two sections or more, up to all of them."""
    return [kind(rng) for kind in rng.sample(KINDS, rng.choice((2, 3, 4, 5, 5, 6, 7, 8, 10, 12)))]
