"""Pages to look at: a view as one HTML file that needs no network, and can be read without script."""

GENERATOR = b'<meta name="generator" content="buildtel">'  # in the first 4 kB of each page
