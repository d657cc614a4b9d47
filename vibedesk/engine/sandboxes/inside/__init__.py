"""Programs that run inside a sandbox, or right around one: standard library only, no other part of VibeDesk."""
