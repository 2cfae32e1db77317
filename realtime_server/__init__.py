"""realtime-server: the speech-to-speech server that you run yourself, behind the public Realtime API's events."""

__version__ = "0.1.0"
