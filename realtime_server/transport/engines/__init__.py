"""Where an engine runs: each module is one form of `engine.contract.EngineClient`."""
