"""What a document says at a second look: comparison, extremes, thresholds, bottlenecks. Pure functions; no layout."""
