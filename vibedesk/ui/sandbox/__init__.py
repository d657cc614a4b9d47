"""Where an app runs, as the person sees it: what it uses, what can be done about it, what is kept for it."""
