"""Sentences: what people say, and saying it so that a picture can show it."""
