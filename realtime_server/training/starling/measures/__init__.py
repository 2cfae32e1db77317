"""What the card quotes, one kind of measure per module."""
