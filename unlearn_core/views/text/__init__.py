"""Words: sentences computed from numbers, and what to know about a method."""
