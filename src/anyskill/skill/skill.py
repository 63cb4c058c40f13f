"""``Skill``: what a sentence became, in one file; with the controller it was learnt on, a body can do it."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from anyskill.body.observation import policy_size
from anyskill.body.state import BodyState
from anyskill.controller.controller import Controller, load_controller
from anyskill.learning.errors import LearningError
from anyskill.learning.state import halved, read_state, write_state
from anyskill.skill.errors import SkillError
from anyskill.skill.policy import LatentSequence, PolicySkill, make_actor_critic
from anyskill.skill.repertoire import Repertoire
from anyskill.skill.request import asks_to_lie
from anyskill.vision_language.model import ImageTextModel

FILE = "skill.safetensors"
FORMAT = 1


@dataclass(frozen=True)
class Sentence:
    """One of those a policy knows."""

    text: str
    description: str
    feature: Float[Tensor, "d"]
    """Of the description."""
    guide: LatentSequence | None = None
    """What was found for it, about which the policy acts if there is one."""


@dataclass(frozen=True, eq=False)
class Skill:
    """A sentence's latents over time, and the controller that follows them.

    One of several sentences has them in ``sentences`` and follows one of them; ``under`` gives it another.
    """

    text: str
    """As the person typed it."""
    description: str
    """The form that was encoded; may be the same."""
    controller: Controller
    decide: PolicySkill | LatentSequence
    details: dict[str, Any] = field(default_factory=dict)
    """What is worth knowing: scorer, similarity, budget; plain values."""
    sentences: tuple[Sentence, ...] = ()
    """All that it was trained on, if there are several."""
    repertoire: Repertoire | None = None
    """What any other sentence is looked up in."""

    def policy(self, state: BodyState, decision: int = 0) -> Float[Tensor, "world latent"]:
        """The latents to follow for the next five control steps (1/6 s), of unit length.

        Args:
            state: Of all worlds, on the controller's device.
            decision: How many decisions of their episode they have behind them.
        """
        worlds = state.batch_shape[0]
        return self.decide(state, torch.full((worlds,), decision, device=state.positions.device))

    def under(self, text: str, model: ImageTextModel | None = None) -> "Skill":
        """The same under another sentence.

        Args:
            text: One that it was trained on; any other, if the model that encoded those is given.
            model: Encodes ``text``.

        Raises:
            SkillError: The skill takes no sentence, or does not know this one.
        """
        if not self.sentences:
            raise SkillError(f'this skill knows one sentence only, "{self.text}"; learn several with --texts.')
        known = {sentence.text: sentence for sentence in self.sentences}
        if text in known:
            chosen = known[text]
        elif model is not None:
            feature = model.encode_texts([text])[0].to(self.controller.latents.device)
            guide = None if self.repertoire is None else self.repertoire.best(feature, low=asks_to_lie(text))
            chosen = Sentence(text, text, feature, guide)
        else:
            raise SkillError(f'"{text}" is none of the sentences of this skill: {"; ".join(known)}.')
        decide: PolicySkill | LatentSequence | None = chosen.guide
        if isinstance(self.decide, PolicySkill):
            decide = PolicySkill(self.decide.model, chosen.feature, chosen.guide)
        assert decide is not None  # without a policy there are guides and a repertoire
        return replace(self, text=chosen.text, description=chosen.description, decide=decide)

    def video(self, path: Path | str, seconds: float = 5.0, seed: int = 0) -> None:
        """Write an mp4 film of new episodes, four side by side."""
        from anyskill.skill.pictures import video
        from anyskill.skill.play import play

        played = play(self, 4, seconds, seed, device=self.controller.latents.device)
        video(played, Path(path), self.text)

    def save(self, path: Path | str) -> None:
        """Write one file; the controller is not in it, but what it must be is.

        Raises:
            CheckpointError: ``details`` holds something that is not plain.
        """
        kind = "policy" if isinstance(self.decide, PolicySkill) else "latents"
        header = {
            "format": FORMAT,
            "kind": kind,
            "text": self.text,
            "description": self.description,
            "details": self.details,
            "sentences": [[sentence.text, sentence.description] for sentence in self.sentences],
            "controller": fingerprint(self.controller),
        }
        state: dict[str, Any] = {"header": header, "tensors": self.decide.state_dict()}
        if isinstance(self.decide, PolicySkill):
            trunk = self.decide.model.policy.trunk
            header["units"] = [layer.out_features for layer in trunk.modules() if isinstance(layer, torch.nn.Linear)]
            header["bf16"] = trunk.bf16
        if self.sentences:
            state["features"] = torch.stack([sentence.feature for sentence in self.sentences])
            guides = (sentence.guide for sentence in self.sentences if sentence.guide is not None)
            state["guides"] = {str(number): guide.state_dict() for number, guide in enumerate(guides)}
        if self.repertoire is not None:
            state["repertoire"] = self.repertoire.state()
        write_state(Path(path), state)

    @classmethod
    def load(
        cls, path: Path | str, controller: Controller | None = None, device: torch.device | str = "cpu"
    ) -> "Skill":
        """Read what ``save`` wrote.

        Args:
            path: The file, or the folder of the run that wrote it.
            controller: The one it was learnt on; by default the file that the skill remembers, else the one that
                comes with the package.
            device: cpu or cuda.

        Raises:
            SkillError: The file is missing, damaged or holds something else, or the controller is another one.
            ControllerError: The controller cannot be loaded.
        """
        path = Path(path) / FILE if Path(path).is_dir() else Path(path)
        try:
            content = read_state(path)
            header = content["header"]
            if header["format"] != FORMAT:
                raise SkillError(f"{path} has format {header['format']}; this version reads {FORMAT}.")
            controller = controller or _remembered(header["details"].get("controller"), device)
            controller = controller.to(device)
            if header["controller"] != fingerprint(controller):
                raise SkillError(
                    f"{path} was learnt on another controller than this one; give the file of that one with "
                    "--controller, or learn the skill again on this one."
                )
            decide = _policy(header, content["tensors"], controller)
            features, known = content.get("features", []), header["sentences"]
            found = content.get("guides", {})
            guides = [LatentSequence.from_state(found[str(n)]).to(device) if found else None for n in range(len(known))]
            sentences = tuple(
                Sentence(text, description, feature.to(device), guide)
                for (text, description), feature, guide in zip(known, features, guides, strict=True)
            )
            tried = content.get("repertoire")
            repertoire = None if tried is None else Repertoire.from_state(tried, device)
        except LearningError as error:
            raise SkillError(str(error)) from None
        except (KeyError, TypeError, ValueError, AttributeError, RuntimeError) as error:
            reason = " ".join(str(error).split())[:200]
            raise SkillError(f"{path} is no skill ({reason}); `anyskill learn` makes one.") from None
        text, description, details = header["text"], header["description"], header["details"]
        return cls(text, description, controller, decide.to(device), details, sentences, repertoire)


def fingerprint(controller: Controller) -> str:
    """A hash of what acts: the same for a controller before it was saved (in half precision) and after.

    The bank of latents is not part of it, since a skill does not need one.
    """
    digest = hashlib.sha256()
    for part in (controller.policy, controller.observations):
        for name, tensor in halved(part.state_dict()).items():
            digest.update(f"{name} {tuple(tensor.shape)}".encode())
            digest.update(tensor.cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()


def _remembered(file: str | None, device: torch.device | str) -> Controller:
    return load_controller(device) if file is None or not Path(file).exists() else Controller.load(Path(file), device)


def _policy(
    header: Mapping[str, Any], tensors: dict[str, Tensor], controller: Controller
) -> PolicySkill | LatentSequence:
    """The networks, or the latents, that a file holds."""
    if header["kind"] == "latents":
        return LatentSequence.from_state(tensors)
    text, guide = tensors.get("text"), None
    if guided := "guide.latents" in tensors:
        guide = LatentSequence.from_state(tensors, "guide.")
    model = make_actor_critic(
        policy_size(controller.skeleton),
        0 if text is None else len(text),
        controller.config.latent,
        header["units"],
        0.0,  # σ is in the file
        torch.Generator().manual_seed(0),
        guided=guided,
        bf16=header["bf16"],
    )
    policy = PolicySkill(model, text, guide)
    policy.load_state_dict(tensors)
    return policy.eval()
