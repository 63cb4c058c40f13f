"""The world: physics engines behind one protocol, and scenes with objects."""
