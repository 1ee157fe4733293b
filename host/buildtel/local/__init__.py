"""What lies on this machine's disk: folders, documents, raw records, jobs under way, documents not delivered yet."""
