"""Which hand-written rules stand beside the networks, with their thresholds: a model's config has them under `policy`."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from realtime_server.engine.contract import ModelError
from realtime_server.engine.families.wren.policy.beam_search import BeamSearch
from realtime_server.engine.families.wren.policy.lexicon_correction import LexiconCorrection
from realtime_server.engine.families.wren.policy.thresholds import (
    AcousticEvidence,
    ContextualBiasing,
    Copying,
    FactGrounding,
    InternalLanguageModel,
    NBest,
    Rejection,
    Rescoring,
)


@dataclass(frozen=True)
class Transcribing:
    """What is made of a transcript that is not sure. None: that rule is off."""

    rescoring: Rescoring | None = Rescoring()
    beam_search: BeamSearch | None = BeamSearch()
    lexicon_correction: LexiconCorrection | None = LexiconCorrection()
    internal_language_model: InternalLanguageModel | None = InternalLanguageModel()
    n_best: NBest | None = NBest()
    contextual_biasing: ContextualBiasing | None = ContextualBiasing()


@dataclass(frozen=True)
class Answering:
    """What a reply goes by, besides its network. None: that rule is off."""

    rejection: Rejection | None = Rejection()
    acoustic_evidence: AcousticEvidence | None = AcousticEvidence()
    fact_grounding: FactGrounding | None = FactGrounding()
    copying: Copying | None = Copying()


Rule = Any
"""One of the dataclasses above's fields."""


@dataclass(frozen=True)
class Policy:
    transcribing: Transcribing = Transcribing()
    answering: Answering = Answering()

    def without(self, names: Collection[str]) -> "Policy":
        """These rules off. ModelError for a name that is none."""
        return self.changed(dict.fromkeys(names))

    def changed(self, rules: Mapping[str, Rule]) -> "Policy":
        """With these in place of its own."""
        for name in rules:
            if name not in RULES:
                raise ModelError(f"policy.{name} is no rule of Wren's; these are: {', '.join(RULES)}.")
        parts = {part.name: getattr(self, part.name) for part in fields(self)}
        own = {name: {f.name for f in fields(part)} & rules.keys() for name, part in parts.items()}
        return Policy(**{name: replace(part, **{n: rules[n] for n in own[name]}) for name, part in parts.items()})


RULES: dict[str, type[Rule]] = {
    field.name: type(field.default) for part in (Transcribing, Answering) for field in fields(part)
}  # fmt: skip
"""By their names, which switch them off."""


def read(described: object) -> Policy:
    """`policy` of a config: {rule: {threshold: number}}, or null for a rule that is off; what it lacks is as by default.

    ModelError names what is unknown, or no number.
    """
    if not isinstance(described, dict):
        raise ModelError("policy is no JSON object.")
    return Policy().changed({name: _rule(name, thresholds) for name, thresholds in described.items()})


def _rule(name: str, thresholds: object) -> Rule | None:
    if thresholds is None or name not in RULES:
        return None
    if not isinstance(thresholds, dict):
        raise ModelError(f"policy.{name} is neither a JSON object nor null.")
    known = {field.name: field.default for field in fields(RULES[name])}
    for key, value in thresholds.items():
        if key not in known:
            raise ModelError(f"policy.{name}.{key} is no threshold of that rule; it has: {', '.join(known) or 'none'}.")
        whole = isinstance(known[key], int)
        if isinstance(value, bool) or not isinstance(value, int if whole else int | float):
            raise ModelError(f"policy.{name}.{key} is no {'whole number' if whole else 'number'}: {value!r}.")
    return RULES[name](**thresholds)
