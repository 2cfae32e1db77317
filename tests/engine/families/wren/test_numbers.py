"""One trie for all numbers writes what a list of the same numbers would."""

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from realtime_server.engine.families.wren.choosing import Choice
from realtime_server.engine.families.wren.compiling import LARGEST_NUMBER, SMALLEST_NUMBER
from realtime_server.engine.families.wren.numbers import NumberChoice
from realtime_server.engine.families.wren.script import ARGUMENT, END
from realtime_server.engine.families.wren.words import signed
from tests.engine.families.wren.test_calls import SCRIPT

STOPS = (ARGUMENT, END)
RANGES = st.builds(range, st.integers(SMALLEST_NUMBER, 120), st.integers(121, 400), st.integers(1, 50))


@given(RANGES, st.integers(0, 1000), st.booleans())
@settings(max_examples=40)
def test_as_a_list_of_them(values: range, seed: int, favoured: bool) -> None:
    rng = random.Random(seed)
    favours = {number: rng.choice((0.0, -1.0, -12.0)) for number in values} if favoured else {}
    listed = Choice([(SCRIPT.encode(signed(n)), n) for n in values], STOPS, favours.values())
    choice = NumberChoice(SCRIPT.numbers, values, STOPS, favours)
    while True:
        expected = dict(zip(listed.allowed(), listed.favours(), strict=True))
        assert dict(zip(choice.allowed(), choice.favours(), strict=True)) == expected
        token = rng.choice(sorted(expected))
        reached = choice.take(token)
        assert reached == listed.take(token)
        if reached is not None:
            assert reached[0] in values
            return


@given(st.integers(SMALLEST_NUMBER, LARGEST_NUMBER))
def test_each_number_is_written_as_its_words_are(number: int) -> None:
    choice = NumberChoice(SCRIPT.numbers, range(number, number + 1), STOPS, {})
    for token in SCRIPT.encode(signed(number)):
        assert choice.allowed() == [token]
        assert choice.take(token) is None
    assert choice.allowed() == list(STOPS)
    assert choice.take(END) == (number,)
