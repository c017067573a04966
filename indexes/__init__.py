"""Text to ranked ids: analysis, BM25 over several views, vectors, and their snapshot on disk."""
