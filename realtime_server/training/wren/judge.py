"""An independent recogniser that judges how well Wren can be understood: PocketSphinx with a closed list of words.

Its language model gives every word the same probability, so it cannot guess. It never becomes training data.
"""

import tempfile
from pathlib import Path

import numpy as np

from realtime_server.audio.mel import FloatArray
from realtime_server.audio.resample import Resampler


class Judge:
    """`words_file` has one word a line; audio of any rate is judged at 16 kHz with a fixed noise floor."""

    def __init__(self, words_file: Path) -> None:
        from pocketsphinx import Config, Decoder

        self.words = {line.strip() for line in words_file.read_text().splitlines() if line.strip()}
        entries = ["<s>", "</s>", *sorted(self.words)]
        score = np.log10(1.0 / len(entries))
        lines = "".join(f"{score:.4f} {word}\n" for word in entries)
        with tempfile.NamedTemporaryFile("w", suffix=".arpa") as file:
            file.write(f"\\data\\\nngram 1={len(entries)}\n\n\\1-grams:\n{lines}\n\\end\\\n")
            file.flush()
            settings = {"beam": 1e-50, "pbeam": 1e-50, "wbeam": 1e-30, "maxhmmpf": 4000, "lw": 2.0}
            self._decoder = Decoder(Config(lm=file.name, loglevel="FATAL", **settings))

    def hear(self, sound: FloatArray, rate_hz: int) -> str:
        speech = Resampler(rate_hz, 16_000).push(sound.astype(np.float32), last=True)
        audio = np.concatenate([np.zeros(3200), speech, np.zeros(4800)])
        audio = audio / max(float(np.abs(audio).max()), 1e-6) * 0.6
        audio = audio + np.random.default_rng(0).normal(0, 2e-4, len(audio))
        self._decoder.start_utt()
        self._decoder.process_raw((np.clip(audio, -1, 1) * 32767).astype(np.int16).tobytes(), full_utt=True)
        self._decoder.end_utt()
        hypothesis = self._decoder.hyp()
        return str(hypothesis.hypstr) if hypothesis else ""
