"""The making of Starling: parts that others trained, packed, and what was trained here."""
