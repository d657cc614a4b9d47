"""Readers of what tools print: pure functions of text, for any line end, colours and noise in between."""
