"""What learning a skill needs beside the sentence: a controller, a scorer, and features of bodies."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from anyskill.body.humanoid import HUMANOID
from anyskill.controller.controller import Controller, load_controller
from anyskill.skill.features import FeatureSource, ProjectionAudit
from anyskill.skill.task import Features, Task
from anyskill.vision_language.model import BODYCLIP, ImageTextModel, load_model
from anyskill.vision_language.picture_features import PictureFeatures
from anyskill.vision_language.pose_bank import known_poses
from anyskill.vision_language.projection import Projection, StateProjection, load_projection
from anyskill.vision_language.projection_audit import Audit, AuditConfig


@dataclass(frozen=True)
class Parts:
    """Loaded, on one device, and fitting each other."""

    controller: Controller
    model: ImageTextModel
    source: FeatureSource
    projection: StateProjection | None = None
    """What ``source`` is, unless it takes true pictures."""

    def audit(self, sentences: Sequence[str], config: AuditConfig) -> ProjectionAudit | None:
        """Hold the projection against true pictures now and then; None where there is no projection."""
        if self.projection is None:
            return None
        views, character = self.projection.views, self.controller.skeleton.character
        known = partial(known_poses, self.projection.frames, views.interval, config.states // 2)
        its_own = known if character.name == HUMANOID.name else None  # of other bodies there are none
        audit = Audit(PictureFeatures(self.model, views, character), sentences, config, its_own)
        return ProjectionAudit(audit, self.projection)


def load_parts(task: Task) -> Parts:
    """Load what a task names; where it names nothing, what comes with the package.

    Raises:
        ControllerError: The controller cannot be loaded.
        VisionLanguageError: The model or the projection cannot be loaded, or they do not fit each other.
    """
    device = task.device
    controller = load_controller(device) if task.controller is None else Controller.load(Path(task.controller), device)
    model = load_model(task.vlm, device)
    if task.config.features == "pictures":
        pictures = PictureFeatures(model, task.config.views, controller.skeleton.character)
        return Parts(controller, model, FeatureSource.pictures(pictures))
    projection = (
        load_projection(model) if task.projection is None else Projection.load(Path(task.projection), model, device)
    )
    return Parts(controller, model, FeatureSource.projection(projection), projection)


def usual_features(vlm: str, projection: Path | str | None) -> Features:
    """Where features come from unless told otherwise: true pictures only where there is no projection."""
    return "pictures" if vlm != BODYCLIP and projection is None else "projection"
