"""The area under the editor: logs, problems and checks."""
