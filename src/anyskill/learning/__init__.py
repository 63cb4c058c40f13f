"""How anything is learnt: PPO, storage, networks, checkpoints, run folders. Knows nothing of bodies or words."""
