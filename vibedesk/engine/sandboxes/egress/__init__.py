"""What leaves a sandbox that has no network: decided, and carried, on the host's side."""
