"""A browser without a window, as a program of its own: `python -m vibedesk.browser`.

It visits pages and takes the steps of checks with real mouse and key events, in QtWebEngine on the *offscreen*
platform. Requests come as JSON lines on standard input, answers go out as JSON lines on standard output
(`program.py` says which), logs go to standard error. Its end is that of its standard input.

A page reaches the one origin it was opened for, in a profile that nothing is kept of.
"""
