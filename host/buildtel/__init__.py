"""Host side of buildtel: reads a Packer log, folds it into one job document, stores and reports it."""
