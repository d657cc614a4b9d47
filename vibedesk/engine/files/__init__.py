"""A project's files: versioned document, work folder, history."""
