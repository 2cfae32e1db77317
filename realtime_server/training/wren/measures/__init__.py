"""What the card quotes, one kind of measure per module: an `Asker` and what it is asked -> figures by name."""
