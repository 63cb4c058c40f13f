"""BodyCLIP: our own small image-text model of simulated bodies."""
