"""The file tree of a project."""
