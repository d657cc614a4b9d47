"""The agent system: states, persistence, life and death of one agent per project."""
