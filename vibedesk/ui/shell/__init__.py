"""The frame of the window: bars, rail, pages and the arrangement of the panels."""
