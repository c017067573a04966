"""Which technologies answer which needs, in what order, and why."""
