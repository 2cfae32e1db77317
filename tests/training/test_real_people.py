"""Five folds that were asked at different times make one figure, once all are there."""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from realtime_server.training.wren.measures.real_people import coffee_folds
from realtime_server.training.wren.people import FOLDS

NO_MODELS = Path("no models here")


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)).map(sorted), min_size=FOLDS, max_size=FOLDS))
def test_each_recording_counts_once(counts: list[list[int]]) -> None:
    folds = {
        str(fold): {"exact": right / max(1, recordings), "recordings": max(1, recordings)}
        for fold, (right, recordings) in enumerate(counts)
    }
    result = coffee_folds(NO_MODELS, NO_MODELS, {"folds": folds})
    recordings = sum(max(1, recordings) for _, recordings in counts)
    assert result["recordings"] == recordings
    assert abs(result["exact"] - sum(right for right, _ in counts) / recordings) < 0.001


@given(st.sets(st.sampled_from(range(FOLDS)), max_size=FOLDS - 1))
def test_some_folds_are_no_figure_yet(asked: set[int]) -> None:
    folds = {str(fold): {"exact": 1.0, "recordings": 59} for fold in asked}
    assert coffee_folds(NO_MODELS, NO_MODELS, {"folds": folds}) == {"folds": folds}
