"""The acceptance checks of an app: how they went, and pictures of the page."""
