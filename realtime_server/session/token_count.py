"""What a response has cost, in tokens (protocol section 5)."""

from dataclasses import dataclass

from realtime_server.messages import AUDIO_RATE_HZ, Prompted
from realtime_server.protocol import server_events as ev
from realtime_server.session.transcripts import INPUT_AUDIO_TOKENS_PER_S

OUTPUT_AUDIO_TOKENS_PER_S = 20


@dataclass
class TokenCount:
    """Of one response so far; what was made before a cancellation counts."""

    input_audio_s: float
    prompt: Prompted
    output_text: int = 0
    output_samples: int = 0
    """Of its sound, at AUDIO_RATE_HZ."""

    def usage(self) -> ev.Usage:
        text_in, text_out = self.prompt.text_tokens, self.output_text
        audio_in = round(self.input_audio_s * INPUT_AUDIO_TOKENS_PER_S)
        audio_out = self.output_samples * OUTPUT_AUDIO_TOKENS_PER_S // AUDIO_RATE_HZ
        cached = min(self.prompt.cached_tokens, text_in)
        return ev.Usage(
            total_tokens=text_in + audio_in + text_out + audio_out,
            input_tokens=text_in + audio_in,
            output_tokens=text_out + audio_out,
            input_token_details=ev.InputTokenDetails(
                text_tokens=text_in,
                audio_tokens=audio_in,
                cached_tokens=cached,
                cached_tokens_details=ev.CachedTokensDetails(text_tokens=cached),
            ),
            output_token_details=ev.OutputTokenDetails(text_tokens=text_out, audio_tokens=audio_out),
        )
