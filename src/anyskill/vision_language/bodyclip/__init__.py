"""BodyCLIP: our own small image-text model of simulated bodies."""

from anyskill.vision_language.bodyclip.model import BodyClip, load_bodyclip

__all__ = ["BodyClip", "load_bodyclip"]
