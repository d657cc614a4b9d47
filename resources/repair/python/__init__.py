"""Repair of a Python project inside its sandbox; `engine/repair/python_repair.py` starts it."""
