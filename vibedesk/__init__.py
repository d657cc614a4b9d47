"""VibeDesk: describe an app, watch it being built on your own machine, keep the code."""

__version__ = "0.1.0"
