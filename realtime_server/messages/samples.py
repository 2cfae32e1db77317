"""What sound is between the parts: mono, 16-bit, at AUDIO_RATE_HZ.

Every engine and detector makes of it what its ears need, and of its voice that.
"""

import numpy as np
from numpy.typing import NDArray

AUDIO_RATE_HZ = 24_000
Samples = NDArray[np.int16]
