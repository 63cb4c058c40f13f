"""What people did: motion files, retargeting, clips, and libraries of them."""
