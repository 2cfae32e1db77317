"""What a model that writes JSON may write: masks of allowed tokens, from JSON schemas and a family's template of calls.

Below: `messages`, llguidance. Above: the families, and `runtime`, which samples under a mask. Not known here: networks,
sequences, how a model is told its tools. llguidance is imported where it is used: a server whose model needs none loads none.
"""
