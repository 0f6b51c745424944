"""State, links, the store and the engine, and what belongs to one session."""
