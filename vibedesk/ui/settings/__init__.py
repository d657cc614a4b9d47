"""The settings: their frame and its pages."""
