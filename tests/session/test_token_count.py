"""What is in the parts is in the sums."""

from hypothesis import given
from hypothesis import strategies as st

from realtime_server.messages import AUDIO_RATE_HZ, Prompted
from realtime_server.session.token_count import TokenCount

numbers = st.integers(0, 10_000)


@given(st.floats(0, 600), numbers, numbers, numbers, numbers)
def test_the_parts_make_the_whole(heard_s: float, text: int, cached: int, written: int, samples: int) -> None:
    usage = TokenCount(heard_s, Prompted("resp", text, cached), written, samples).usage()
    given_in, given_out = usage.input_token_details, usage.output_token_details
    assert usage.input_tokens == given_in.text_tokens + given_in.audio_tokens
    assert usage.output_tokens == given_out.text_tokens + given_out.audio_tokens
    assert usage.total_tokens == usage.input_tokens + usage.output_tokens
    assert given_in.cached_tokens <= given_in.text_tokens


def test_sound_counts_by_its_length() -> None:
    usage = TokenCount(3.0, Prompted("resp", 0, 0), output_samples=2 * AUDIO_RATE_HZ).usage()
    assert (usage.input_token_details.audio_tokens, usage.output_token_details.audio_tokens) == (30, 40)
