"""EARS: recognisers of speech that any family can use, in steps that batch over sessions.

Above are the families, below the networks and the runtime. An ear writes what was said; it knows no conversation and no answer.
"""
