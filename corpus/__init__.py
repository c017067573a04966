"""What there is to match: records, their Vietnamese text, the tables that explain it, the store."""
