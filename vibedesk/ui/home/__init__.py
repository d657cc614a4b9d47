"""Where a person starts: the welcome page and the library of projects."""
