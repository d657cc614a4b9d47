"""Questions to the person that are awaited and never block the event loop."""
