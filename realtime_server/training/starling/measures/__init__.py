"""What the card quotes of the thinker. The questions lie in `typed.json`, which nothing that makes training examples reads."""
