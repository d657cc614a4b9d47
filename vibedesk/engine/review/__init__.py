"""Finds what is wrong with an app: the tools' reports, the browser, the checks; all as one kind of issue."""
