"""How Starling is tuned, and how it is measured."""
