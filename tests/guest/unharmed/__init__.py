"""The charter's first line, proved: a step behaves the same with buildtel and without it."""
