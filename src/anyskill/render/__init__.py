"""Pictures of bodies: cameras, a ray tracer, films."""
