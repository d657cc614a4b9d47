"""The engine's side of the browser program (`vibedesk/browser`): starting it, asking it, what it answers."""
