"""Sandboxes in Docker."""
