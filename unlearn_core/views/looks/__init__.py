"""Looks of a person where no error is known yet: cards, answers, and how it stands."""
