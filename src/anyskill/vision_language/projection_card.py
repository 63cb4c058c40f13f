"""A projection's card: what it stands for, how it was trained, and how well it agrees with pictures."""

import json
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

from anyskill.learning.run_folder import RunFolder
from anyskill.vision_language.model import VisionLanguageError
from anyskill.vision_language.projection import Projection
from anyskill.vision_language.projection_audit import AuditConfig
from anyskill.vision_language.projection_training import ProjectionTrainingConfig

_CARD = """# State projection of {model}

Predicts, from the state of the body alone, the feature that {model} gives to pictures of it: the mean of {views}
view(s) of {pixels} × {pixels} pixels, {frames} picture(s) each. {size:.1f} MB, {weights:.2f} million weights.

## Training

{states} states: of motions, of variations of them and, if the run was given a controller, of its own.
{hours:.1f} hours, seed {seed}.

## Agreement with pictures

{audits} audit(s) of {audited} states; means, ± the largest difference from them.

| what | figure | should be |
|---|---|---|
| mean cosine | {cosine} | at least {least_cosine:g} |
| cosine of the worst in a hundred | {worst_cosine} | |
| share of the features' variance explained | {explained} | |
| rank correlation of states by a sentence, mean over sentences | {spearman} | at least {least_spearman:g} |
| the same, of the worst sentence | {worst_spearman} | |
| overrates its favourites by at most, in standard deviations | {optimism} | |

## What it fails at

It knows the states it was trained on and their like; skills look for others, so that it is audited and refreshed while
they learn. Objects it was trained with: {objects}.

## Licence

Apache-2.0, as this package. NOTICE names the motion capture it has seen; none of it is inside.
"""


def write_card(run: Path, audits: Sequence[Path]) -> str:
    """The card of a run of ``projection train``, in Markdown.

    Args:
        run: Folder of the run.
        audits: What ``projection audit --json`` printed, for one seed or several.

    Raises:
        VisionLanguageError: The projection or an audit is missing or broken.
        LearningError: The run's settings are.
    """
    file = run / "projection.safetensors"
    projection, training = Projection.load(file), RunFolder.open(run)
    config, limits = training.config_as(ProjectionTrainingConfig), AuditConfig()
    seconds = sum(value for row in training.metrics() for key, value in row.items() if key.startswith("seconds/"))
    reports = [_read(path) for path in audits]
    ranks = [[0.0 if rank is None else rank for rank in report["spearman"].values()] for report in reports]
    return _CARD.format(
        model=projection.config.model,
        views=projection.config.views.count,
        pixels=projection.config.views.size,
        frames=projection.config.frames,
        objects=projection.config.objects,
        size=file.stat().st_size / 1e6,
        weights=sum(weight.numel() for weight in projection.parameters()) / 1e6,
        states=config.states,
        hours=seconds / 3600,
        seed=config.seed,
        audits=len(reports),
        audited=reports[0]["states"],
        spearman=_shown([fmean(values) for values in ranks]),
        worst_spearman=_shown([min(values) for values in ranks]),
        least_cosine=limits.cosine,
        least_spearman=limits.spearman,
        **{
            name: _shown([report[name] for report in reports])
            for name in ("cosine", "worst_cosine", "explained", "optimism")
        },
    )


def _read(path: Path) -> dict[str, Any]:
    try:
        report = json.loads(path.read_text(encoding="utf-8"))
        if not report["spearman"] or not {"states", "cosine", "worst_cosine", "explained", "optimism"} <= report.keys():
            raise KeyError("some figures are missing")
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise VisionLanguageError(
            f"{path} holds no audit ({error}); write it with `anyskill projection audit --json`."
        ) from None
    return dict(report)


def _shown(values: Sequence[float]) -> str:
    mean = fmean(values)
    return f"{mean:.3f} ± {max(abs(value - mean) for value in values):.3f}"
