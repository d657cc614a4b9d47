"""Colours, fonts, icons and the style sheet, all from one file of design tokens."""
