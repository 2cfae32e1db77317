"""Who speaks: audio in, speech probabilities out (`detectors`, `worker`); probabilities in, turns out (`machine`).

Below: `audio`. Above: `session` runs a machine, `transport` runs the worker. Not known here: conversations, answers.
"""
