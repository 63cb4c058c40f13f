"""``anyskill play``: new episodes of a learned skill, as a film."""

from pathlib import Path
from typing import Annotated

import tyro


def play(
    skill: Annotated[Path, tyro.conf.Positional],
    out: Path = Path("play.mp4"),
    seconds: float = 8.0,
    seed: int = 0,
    worlds: int = 4,
    perturb: bool = False,
    moving: float = 0.5,
    text: str | None = None,
    controller: Path | None = None,
    device: str = "cpu",
) -> None:
    """Let a learned skill act in new episodes: an mp4 film of them, and a PNG contact sheet beside it.

    Args:
        skill: Folder of the run that learned it, or its file skill.safetensors.
        out: The film; the contact sheet has the same name, ending in .png.
        seconds: How long the episodes are.
        seed: Of where they begin, and of how boxes fly.
        worlds: How many episodes are shown side by side.
        perturb: Throw boxes at the body.
        moving: Chance that an episode begins in the middle of a movement, not at rest.
        text: Of a skill that has learnt several sentences, the one to follow: one of them, or any other.
        controller: File of the controller, if the skill was learned on another than the one in this package.
        device: cpu or cuda.
    """
    from functools import partial

    from anyskill.controller.controller import Controller
    from anyskill.skill import play as skills
    from anyskill.skill.errors import SkillError
    from anyskill.skill.pictures import sheet, video
    from anyskill.skill.request import tell
    from anyskill.skill.skill import Skill
    from anyskill.skill.starts import StartConfig
    from anyskill.vision_language.model import BODYCLIP, load_model

    if out.suffix != ".mp4" or out.is_dir():
        raise SkillError(f"{out} is no name for a film; --out must be a file such as {out.with_suffix('.mp4').name}.")
    learned = Skill.load(skill, None if controller is None else Controller.load(controller, device), device)
    if text is not None:
        learned = tell(learned, text, partial(load_model, learned.details.get("scorer", BODYCLIP), device))
    start = StartConfig(moving=moving)
    played = skills.play(learned, worlds, seconds, seed, start=start, device=device, perturb=perturb)
    picture = out.with_suffix(".png")
    video(played, out, learned.text, episodes=worlds, progress=True)
    sheet(played, picture, learned.text)
    print(f"{int(played.fallen.sum())} of {worlds} fell.")
    for path in (out, picture):
        print(path)
