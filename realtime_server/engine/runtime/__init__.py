"""What any speech model needs, once: sequences and their steps, who steps when, slots, prefixes, sampling, speculation.

Above it are nets, which lay out their rows as `cache` says, and families, which write their sequences' bodies. It knows
neither, and what runs a step it is given.
"""
