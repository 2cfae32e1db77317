"""The making of Starling: its parts packed, its thinker tuned, all of it measured."""
