"""The making of the models in `models/`: data, training, evaluation. Nothing that serves imports this."""
