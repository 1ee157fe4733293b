"""Pages to look at: a view as one HTML file that needs no network, and can be read without script."""
