"""What the character is: its bodies and joints, its look, its state, and what a controller sees of it."""
