"""Reference data: sports, books, teams. A new one is an entry in a file here."""
