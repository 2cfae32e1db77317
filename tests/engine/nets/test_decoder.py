"""What a frame sounds like depends on its tokens, those before it and the timbre, and on nothing else."""

import torch
from hypothesis import given
from hypothesis import strategies as st

from realtime_server.engine.nets.codec import STACK
from realtime_server.engine.nets.decoder import FRAMES_BEFORE, Decoder, with_those_before
from realtime_server.engine.nets.vocoder import BANDS, BINS
from tests.conftest import tiny_decoder


@given(st.integers(1, 9))
def test_each_frame_sees_those_before_it_and_none_behind(count: int) -> None:
    points = torch.arange(1.0, count + 1)[:, None].expand(-1, 2)
    seen = with_those_before(points)
    assert seen.shape == (count, FRAMES_BEFORE + 1, 2)
    for frame, row in enumerate(seen[..., 0].tolist()):
        assert row == [max(0.0, frame + 1.0 - n) for n in range(FRAMES_BEFORE, -1, -1)]


def test_frames_together_are_as_they_are_alone() -> None:
    decoder, points, timbre = tiny_decoder(), torch.randn(6, FRAMES_BEFORE + 1, 8), torch.tensor([0, 1, 0, 1, 1, 0])
    with torch.no_grad():
        power, noise = decoder(points, timbre)
        assert power.shape == (6, STACK, BINS)
        assert noise.shape == (6, STACK, BANDS)
        assert bool(((noise > 0) & (noise < 1)).all())
        for n in range(6):
            assert torch.allclose(decoder(points[n : n + 1], timbre[n : n + 1])[0][0], power[n], atol=1e-5)
        assert not torch.allclose(decoder(points, 1 - timbre)[0], power)


def test_a_decoder_can_be_made_again_from_what_describes_it() -> None:
    decoder = tiny_decoder()
    again = Decoder(**decoder.to_dict())  # type: ignore[arg-type]
    again.load_state_dict(decoder.state_dict())
    assert again.timbres == ("low", "high")
