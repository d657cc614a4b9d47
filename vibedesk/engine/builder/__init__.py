"""The app builder: what it asks models for and what it makes of the answers."""
