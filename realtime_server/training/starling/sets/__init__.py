"""What is said to the model in its measures, and what is right then. Nothing that makes training examples reads it."""
