"""Wren's hand-written rules: each does one thing, can be switched off by its name, and has its thresholds in the config."""
