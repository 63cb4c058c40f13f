"""The benchmark as one self-contained page: means, and a table and a picture of every sentence."""

from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path

from PIL import Image

from anyskill.controller.pictures import jpeg
from anyskill.evaluate.benchmark import PICTURE, Result, Settings
from anyskill.evaluate.statistics import Share
from anyskill.page import card, data_uri, write_page
from anyskill.skill.request import slug

METHODS = {
    "learnt": "Learnt",
    "best_latent": "Best single latent of the bank",
    "random": "Random latents",
}
"""What is compared, by name."""

_HEADS = (
    "success (95 %)",
    "best latent",
    "random",
    "CLIP-S",
    "held-out",
    "falls",
    "jerk",
    "slide",
    "sink",
    "energy",
    "s",
)


def overall(results: Sequence[Result]) -> dict[str, Share]:
    """The mean success over sentences of each of ``METHODS`` that was tried on all of them."""
    of: dict[str, list[Share | None]] = {
        "learnt": [result.share for result in results],
        "best_latent": [result.best_latent for result in results],
        "random": [result.random for result in results],
    }
    means = {}
    for name, shares in of.items():
        known = [share for share in shares if share is not None]
        if known and len(known) == len(results):
            means[name] = Share.pooled(known, results[0].episodes)
    return means


def write_benchmark(folder: Path, results: Sequence[Result], settings: Settings) -> Path:
    """Write ``benchmark.html``; returns its path."""
    facts = (
        f"{len(results)} sentences",
        f"{settings.episodes} new episodes of each",
        f"learnt with {settings.vlm}",
        f"held-out model: {settings.heldout or 'none'}",
        f"seed {settings.seed}",
    )
    body = [
        "<h1>Benchmark</h1>",
        f'<p class="facts">{" · ".join(escape(fact) for fact in facts)}</p>',
        "<p>Success is told by geometry, without any image-text model. CLIP-S is 100 times the cosine of pictures and "
        "sentence. Falls are episodes with the neck near the ground, which sentences of the group floor may ask for. "
        "Jerk is in m/s³, sliding of feet in m/s, the depth to which bodies sink in cm; energy is the mean squared "
        "joint velocity in (rad/s)²; s is the time that learning took.</p>",
        f'<section class="grid-of">{"".join(_cards(results))}</section>',
        "<h2>Sentences</h2>",
        _table(folder, results),
        *_pictures(folder, results),
    ]
    return write_page(folder / "benchmark.html", "Benchmark", body)


def _cards(results: Sequence[Result]) -> Iterable[str]:
    for name, share in overall(results).items():
        value = f'<div><span class="value">{100 * share.success:.0f} %</span></div>'
        range_ = f"{100 * share.low:.0f} to {100 * share.high:.0f} %"
        yield card(METHODS[name], f'{value}<div class="detail">mean success; {range_} for these sentences</div>')


def _groups(results: Sequence[Result]) -> dict[str, list[Result]]:
    groups: dict[str, list[Result]] = {}
    for result in results:
        groups.setdefault(result.group, []).append(result)
    return groups


def _table(folder: Path, results: Sequence[Result]) -> str:
    rows = []
    for group, members in _groups(results).items():
        heads = "".join(f"<th>{name}</th>" for name in _HEADS)
        rows.append(f"<tr><th>{escape(group)}</th>{heads}</tr>")
        rows += [_row(folder, result) for result in members]
    return f'<div class="scroll"><table><tbody>{"".join(rows)}</tbody></table></div>'


def _row(folder: Path, result: Result) -> str:
    cells = (
        f"<strong>{result.share}</strong>",
        _percent(result.best_latent),
        _percent(result.random),
        _number(result.clip_s, 1),
        _number(result.clip_s_heldout, 1),
        f"{100 * result.fall:.0f} %",
        _number(result.jerk, 0),
        _number(result.sliding, 2),
        _number(100 * result.penetration, 1),
        _number(result.energy, 1),
        _number(result.seconds, 0),
    )
    name, report = escape(result.text), f"{slug(result.text)}/report.html"
    if (folder / report).exists():
        name = f'<a href="{report}">{name}</a>'
    values = "".join(f"<td>{cell}</td>" for cell in cells)
    return f'<tr><td style="white-space: normal" title="{escape(result.test)}">{name}</td>{values}</tr>'


def _pictures(folder: Path, results: Sequence[Result]) -> Iterable[str]:
    for group, members in _groups(results).items():
        figures = []
        for result in members:
            path = folder / slug(result.text) / PICTURE
            if path.exists():
                with Image.open(path) as picture:
                    content = data_uri(jpeg(picture.convert("RGB")), "image/jpeg")
                caption = f"{escape(result.text)} · {100 * result.success:.0f} %"
                image = f'<img alt="{escape(result.text)}" src="{content}">'
                figures.append(f'<figure><figcaption>{caption}</figcaption><div class="strip">{image}</div></figure>')
        yield f'<h2>{escape(group)}</h2><section class="strips">{"".join(figures)}</section>'


def _percent(share: Share | None) -> str:
    return "–" if share is None else f"{100 * share.success:.0f} %"


def _number(value: float | None, digits: int) -> str:
    return "–" if value is None else f"{value:.{digits}f}"
