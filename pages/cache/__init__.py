"""Reads of the store that are kept between reruns and shared by all sessions."""
