"""Image-text models and how their features are compared."""
