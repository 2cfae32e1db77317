"""What lies beyond the training is counted: nothing is right by itself."""

from realtime_server.engine.families.wren.model import WrenModel
from realtime_server.training.wren.asker import Asker
from realtime_server.training.wren.measures.beyond import FAILURES, KINDS, counts


def test_random_weights_are_right_about_nothing_but_failures(tiny_model: WrenModel) -> None:
    right = dict(counts(Asker(tiny_model), 2))
    assert right.keys() == KINDS.keys()
    assert all(number == 0 for what, number in right.items() if not what.startswith("failed"))
    # Who says nothing of the kind has told no failure as a success.
    assert sum(what.startswith("failed") for what in right) == len(FAILURES)
    assert all(number == 2 for what, number in right.items() if what.startswith("failed"))
