"""The live preview of the app, fenced off from everything but the app."""
