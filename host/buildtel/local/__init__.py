"""Folders and files on this machine's disk: documents, raw records, jobs in progress, documents not uploaded yet."""
