"""Corruptions that put marks on images: triggers whose labels are right, several triggers, attributes tied to a class."""
