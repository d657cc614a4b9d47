"""Deterministic repair: what can be mended without a model, as edits that the checker has confirmed."""
