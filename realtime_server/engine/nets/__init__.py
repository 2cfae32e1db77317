"""The networks: code only, shapes in every docstring. What is trained lies in `models/`."""
