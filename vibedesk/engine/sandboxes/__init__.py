"""Where generated apps run."""
