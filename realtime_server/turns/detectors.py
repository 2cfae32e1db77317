"""Is this speech? Silero VAD by default, WebRTC's detector as the light alternative: frames of 32 ms at 16 kHz."""

import importlib.util
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
import torch.nn.functional as F
import webrtcvad
from numpy.typing import NDArray
from safetensors.torch import load_file
from torch import Tensor, nn

FloatArray = NDArray[np.float32]
RATE_HZ = 16_000
FRAME_SAMPLES = 512


class SpeechDetector(Protocol):
    """Many streams at once; a stream's state is whatever `new_state` makes."""

    def new_state(self) -> Any: ...

    def probabilities(self, frames: FloatArray, states: Sequence[Any]) -> tuple[list[float], list[Any]]:
        """[n, FRAME_SAMPLES] one frame of each of n streams -> n probabilities of speech and the n next states."""
        ...


class SileroNet(nn.Module):
    """The 16 kHz network of Silero VAD 6 (MIT licence), batched; its weights come from the `silero-vad` package."""

    CONTEXT = 64

    def __init__(self) -> None:
        super().__init__()
        self.stft_conv = nn.Conv1d(1, 258, 256, stride=128, bias=False)
        self.conv1 = nn.Conv1d(129, 128, 3, padding=1)
        self.conv2 = nn.Conv1d(128, 64, 3, stride=2, padding=1)
        self.conv3 = nn.Conv1d(64, 64, 3, stride=2, padding=1)
        self.conv4 = nn.Conv1d(64, 128, 3, padding=1)
        self.lstm_cell = nn.LSTMCell(128, 128)
        self.final_conv = nn.Conv1d(128, 1, 1)

    def forward(self, x: Tensor, hidden: Tensor, cell: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """[n, CONTEXT + FRAME_SAMPLES], two states [n, 128] -> probabilities [n] and the next states."""
        spectrum = self.stft_conv(F.pad(x, (0, 64), mode="reflect").unsqueeze(1))
        x = (spectrum[:, :129] ** 2 + spectrum[:, 129:] ** 2).sqrt()
        for convolution in (self.conv1, self.conv2, self.conv3, self.conv4):
            x = convolution(x).relu()
        hidden, cell = self.lstm_cell(x.squeeze(-1), (hidden, cell))
        return self.final_conv(hidden.unsqueeze(-1).relu()).sigmoid().flatten(), hidden, cell


def silero_weights() -> Path:
    """The file inside the installed package, which itself is not imported: it would want torchaudio."""
    spec = importlib.util.find_spec("silero_vad")
    if spec is None or not spec.submodule_search_locations:
        raise ImportError("The package silero-vad is not installed.")
    return Path(spec.submodule_search_locations[0]) / "data" / "silero_vad_16k.safetensors"


class Silero:
    """State of a stream: its last 64 samples and the two vectors of the LSTM, in one tensor [320]."""

    def __init__(self) -> None:
        self._net = SileroNet().eval()
        self._net.load_state_dict(load_file(silero_weights()))

    def new_state(self) -> Tensor:
        return torch.zeros(SileroNet.CONTEXT + 256)

    @torch.inference_mode()
    def probabilities(self, frames: FloatArray, states: Sequence[Tensor]) -> tuple[list[float], list[Tensor]]:
        context, hidden, cell = torch.stack(list(states)).split([SileroNet.CONTEXT, 128, 128], dim=1)
        x = torch.cat([context, torch.from_numpy(frames)], dim=1)
        probabilities, hidden, cell = self._net(x, hidden, cell)
        after = torch.cat([x[:, -SileroNet.CONTEXT :], hidden, cell], dim=1)
        return probabilities.tolist(), list(after)


class WebRtc:
    """Google's Gaussian-mixture detector: yes or no on the first 30 ms of each frame, at a hundredth of the cost."""

    def __init__(self, aggressiveness: int = 2) -> None:
        self._aggressiveness = aggressiveness

    def new_state(self) -> Any:
        return webrtcvad.Vad(self._aggressiveness)

    def probabilities(self, frames: FloatArray, states: Sequence[Any]) -> tuple[list[float], list[Any]]:
        pcm = np.clip(np.rint(frames[:, :480] * 32768), -32768, 32767).astype("<i2")
        return [float(s.is_speech(row.tobytes(), RATE_HZ)) for s, row in zip(states, pcm, strict=True)], list(states)


DETECTORS: dict[str, Callable[[], SpeechDetector]] = {"silero": Silero, "webrtc": WebRtc}
