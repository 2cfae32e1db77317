"""Two drafts of a live turn agree on whole words that both go on behind."""

from hypothesis import given
from hypothesis import strategies as st

from realtime_server.engine.families.wren.drafting import agreed
from realtime_server.engine.families.wren.script import MARKS, Script


@given(st.data())
def test_drafts_agree_on_whole_words(script: Script, data: st.DataObject) -> None:
    tokens = st.lists(st.integers(len(MARKS), script.size - 1), max_size=8)
    common = data.draw(tokens)
    drafts = [common + data.draw(tokens) for _ in range(2)]
    count = agreed(script, *drafts)
    same = next((n for n, (a, b) in enumerate(zip(*drafts, strict=False)) if a != b), min(map(len, drafts)))
    ends = [n for n in range(1, same) if script.pieces[drafts[0][n]].startswith(" ")]
    assert count == max(ends, default=0)
    assert agreed(script, *reversed(drafts)) == count
