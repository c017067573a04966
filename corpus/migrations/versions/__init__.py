"""One file per change of the store's tables."""
