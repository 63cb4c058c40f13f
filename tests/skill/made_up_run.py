"""The folder of a run that never was: metrics as ``SkillTraining.iterate`` reports them, a summary, and pictures."""

import io
import json
import math
import random
from pathlib import Path

import yaml
from PIL import Image

from anyskill.skill.summary import Confidence, Seconds, Similarity, Summary

ITERATIONS = 140


def summary(**changes: object) -> Summary:
    fields: dict = {
        "text": "raise both arms",
        "description": "raise both arms straight up above the head",
        "scorer": "bodyclip",
        "controller": "controller-6",
        "reward": "cosine",
        "device": "cpu",
        "seed": 0,
        "command": "anyskill learn --resume runs/raise-both-arms",
        "version": "0.1.0",
        "confidence": Confidence("well", "I know these words well"),
        "similarity": Similarity(0.13, 0.47, 0.52, 0.63),
        "search": {"bank": 0.47, "refined": 0.51, "sequences": 0.52},
        "iterations": ITERATIONS,
        "converged": True,
        "seconds": Seconds(4.2, 13.7, 171.0, 9.4),
    }
    return Summary(**fields | changes)


def metrics(iterations: int = ITERATIONS) -> list[dict[str, float | None]]:
    """Rises and levels off; few episodes end at first; an audit now and then."""
    draws, lines = random.Random(0), []
    for iteration in range(1, iterations + 1):
        learnt = 1 - math.exp(-iteration / 35)
        similarity = 0.46 + 0.14 * learnt + draws.gauss(0, 0.006)
        episodes = 0 if iteration == 3 else draws.randint(60, 110)
        fallen = round(episodes * 0.25 * math.exp(-iteration / 30))
        line: dict[str, float | None] = {
            "iteration": iteration,
            "similarity": similarity,
            "style": 0.5 - 0.2 * learnt,
            "reward": similarity + 0.1 * (0.5 - 0.2 * learnt),
            "lying": 0.12 * math.exp(-iteration / 30),
            "episodes": episodes,
            "falls": fallen / max(episodes, 1),
            "early/similarity": round(episodes * 0.3 * math.exp(-iteration / 60)),
            "early/head": fallen,
            "loss/policy": -0.001,
            "ppo/kl": None,
            "samples_per_second": 1650 + draws.gauss(0, 40),
            "seconds/policy": 0.05,
            "seconds/world": 0.86,
            "seconds/update": 0.24,
        }
        if iteration % 50 == 0:
            line |= {
                "audit/cosine": 0.975 - 0.0001 * iteration,
                "audit/spearman": 0.94 + 0.0002 * iteration,
                "audit/optimism": 0.31,
                "audit/alarm": 0.0,
                "seconds/audit": 2.1,
            }
        lines.append(line)
    return lines


def picture() -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", (64, 16), (70, 110, 160)).save(stream, "PNG")
    return stream.getvalue()


def write_run(folder: Path, **changes: object) -> Path:
    """A whole run; ``changes`` are those of its summary."""
    folder.mkdir(parents=True)
    summary(**changes).write(folder)
    (folder / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in metrics()), "utf-8")
    (folder / "config.yaml").write_text(yaml.safe_dump({"enhance": True, "skill": {"worlds": 256}}), "utf-8")
    (folder / "skill.safetensors").write_bytes(b"weights")
    (folder / "sheet.png").write_bytes(picture())
    (folder / "video.mp4").write_bytes(b"\x00\x00\x00\x18ftypmp42")
    return folder
