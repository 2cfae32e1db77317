"""Text-only tuning of Starling's thinker: dialogues made from seeds, LoRA, and measures that training never reads."""
