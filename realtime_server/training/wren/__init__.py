"""Wren from nothing: `domain` -> `synthesis` -> `vocabulary`, `codec` -> `train` -> `export` -> `evaluate`."""
