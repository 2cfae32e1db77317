"""A family for tests: a tiny language model of `transformers`, brought in by following `docs/adding-a-model.md`."""
