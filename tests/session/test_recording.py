"""A recording's sound and words are cut alike."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from realtime_server.session.recording import Recording, whole_words


@given(st.text("ab .,", max_size=30), st.integers(0, 40))
def test_no_word_is_cut_in_half(text: str, characters: int) -> None:
    kept = whole_words(text, characters)
    assert text.startswith(kept)
    assert len(kept) <= max(characters, 0) or characters >= len(text)
    rest = text[len(kept) :]
    assert not (kept and rest and kept[-1].isalnum() and rest[0].isalnum())


@given(st.lists(st.integers(0, 50), max_size=8), st.lists(st.integers(0, 400), max_size=4))
def test_pieces_are_one_sound_however_often_it_is_read_or_cut(pieces: list[int], cuts: list[int]) -> None:
    recording, model = Recording(), np.zeros(0, np.int16)
    for n, length in enumerate(pieces):
        piece = np.arange(length, dtype=np.int16) + n
        recording.append(piece, n + 1)
        model = np.concatenate([model, piece])
        if n % 2:
            assert np.array_equal(recording.samples(), model)
    ends = np.cumsum([0, *pieces])
    least = int(ends[-1])
    for cut in cuts:
        least = min(least, cut)
        spoken = recording.cut(cut)
        model = model[:cut]
        assert np.array_equal(recording.samples(), model)
        assert recording.length == recording.kept == len(model)
        assert spoken == max((n for n, end in enumerate(ends) if n and end <= least), default=0)


def test_what_is_known_of_a_sound_outlives_it() -> None:
    recording = Recording()
    for n in range(4):
        recording.append(np.ones(10, np.int16), n + 1)
    recording.let_go()
    assert (recording.length, recording.kept, len(recording.samples())) == (40, 0, 0)
    assert recording.cut(25) == 2
    assert recording.length == 25
