"""What one unit of work does: train the original, unlearn, measure. No scheduler in here."""
