"""The headline tables: plans to be swept, the rows that came of them, and docs/headline.md."""
