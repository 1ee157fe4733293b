"""What a document says at a second look: comparison, extremes, thresholds, causes, findings. Pure, without layout."""
