"""What a corruption looks like before anything is trained."""
