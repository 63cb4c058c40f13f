"""Skills: what a sentence asks for, learnt on top of a frozen controller, six decisions a second."""
