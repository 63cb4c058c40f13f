"""Benchmark of the state projection: features a second from states alone, against rendering and encoding pictures."""

import torch

from anyskill.bench import Case
from anyskill.body.humanoid import HUMANOID
from anyskill.render.bench import random_states
from anyskill.vision_language.model import load_model
from anyskill.vision_language.picture_features import PictureFeatures, Views
from anyskill.vision_language.projection import Projection

_STATES = 8192


def cases(quick: bool = False) -> list[Case]:
    """States a second for the built-in model, by one view and by as many as a projection is trained on."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    model = load_model(device=device)
    states = random_states(_STATES).to(torch.float32).to(device)
    if model.frames > 1:
        states = states[torch.arange(_STATES)[:, None].expand(-1, model.frames)]
    few = states[:32]
    result = []
    for count in (1,) if quick else (1, 4):
        views = Views(count)
        projection = Projection.of(model, HUMANOID, torch.Generator().manual_seed(0), views=views)
        pictures = PictureFeatures(model, views, batch=len(few.positions))

        def project(projection: Projection = projection) -> float:
            with torch.no_grad():
                float(projection(states).sum())  # waits for the device
            return _STATES

        def look(pictures: PictureFeatures = pictures) -> float:
            float(pictures(few).sum())
            return len(few.positions)

        result.append(Case(f"projection against {count} view(s), {device}", "states/s", project, reference=look))
    return result
