"""Gives a view the form that people or programs read. Nothing here prints: `render` writes to what it is given."""
