"""The editor: tabs over Scintilla, writing along while files stream in."""
