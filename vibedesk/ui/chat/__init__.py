"""The conversation with the agent: what was said, what is being done, and what to say next."""
