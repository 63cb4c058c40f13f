"""``anyskill learn``: a sentence → a skill."""

from pathlib import Path
from typing import Annotated, Literal

import tyro


def learn(
    text: Annotated[str, tyro.conf.Positional] = "",
    out: Path | None = None,
    texts: Path | None = None,
    resume: Path | None = None,
    vlm: str = "bodyclip",
    controller: Path | None = None,
    projection: Path | None = None,
    features: Literal["projection", "pictures"] | None = None,
    reward: str = "cosine",
    preset: Literal["fast", "paper", "as-released"] = "fast",
    no_search: bool = False,
    no_train: bool = False,
    no_enhance: bool = False,
    no_early_termination: bool = False,
    iterations: int | None = None,
    minutes: float | None = None,
    device: str = "cpu",
    seed: int = 0,
) -> None:
    """Learn to do what a sentence says: a policy, a film, a contact sheet and a report in one folder.

    Ctrl-C and SIGTERM keep the best so far and write the report; the same command then goes on from there.

    Args:
        text: What to do, such as "raise both arms".
        out: Folder of the run; by default runs/ and the sentence.
        texts: YAML list of sentences, for one policy that knows them all.
        resume: Folder of a run to go on with, by its own settings; --iterations and --minutes give it a new budget.
        vlm: The scorer: bodyclip, a Hugging Face name such as laion/CLIP-ViT-B-32-laion2B-s34B-b79K, or a folder.
        controller: File of the low-level controller; by default the one in this package.
        projection: File of the scorer's state projection; by default the one in this package, which is bodyclip's.
        features: Whether states are scored by projection or by true pictures, which is very much slower; by default by
            projection where there is one.
        reward: cosine, vlm-rm, clip-s, avgpool or video, and +velocity behind any of them.
        preset: For two CPU cores, or as the paper has it, or as the authors' code has it.
        no_search: Do not search for latents to begin with.
        no_train: Do not train a policy: keep what the search finds.
        no_enhance: Take the sentence as it is: the phrasebook does not say it limb by limb.
        no_early_termination: Never end episodes that lead nowhere (Algorithm 1).
        iterations: Of PPO at most.
        minutes: Of search and PPO together, after which PPO ends.
        device: cpu or cuda.
        seed: Of everything random.
    """
    from dataclasses import replace

    from anyskill.skill import learn as learning
    from anyskill.skill.errors import SkillError
    from anyskill.skill.parts import usual_features
    from anyskill.skill.request import read_texts
    from anyskill.skill.task import preset as settings

    if sum(map(bool, (text, texts, resume))) > 1:
        raise SkillError("give one of three: a sentence, --texts with a file of them, or --resume with a run.")
    if resume is not None:
        learning.resume(resume, iterations=iterations, minutes=minutes)
        return
    config = settings(preset, features or usual_features(vlm, projection)).rewarded(reward)
    if no_early_termination:
        config = config.without_early_termination()
    if no_search:
        config = config.without_search()
    config = replace(config, enhance=not no_enhance, train=not no_train, minutes=minutes)
    if iterations is not None:
        config = replace(config, iterations=iterations)
    learning.learn(
        text if texts is None else read_texts(texts),
        out=out,
        controller=controller,
        vlm=vlm,
        projection=projection,
        device=device,
        config=config,
        seed=seed,
    )
