"""What the routes calculate with."""
