"""The report on a skill as one page: what the sentence was, what became of it, and how to go on."""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from html import escape
from pathlib import Path

from anyskill.figures import named_bars
from anyskill.learning.run_folder import RunFolder
from anyskill.page import card, data_uri, write_page
from anyskill.skill.charts import Metrics, learning_charts, percent, time_charts
from anyskill.skill.errors import SkillError
from anyskill.skill.skill import FILE as SKILL
from anyskill.skill.summary import Similarity, Summary

KNOWLEDGE = {
    "well": "It was trained on these words, and on sentences that mean about the same.",
    "partly": "It was trained on some of these words: look at the film before you trust its figures.",
    "hardly": "Its figures mean little for them: judge by the film. Saying where each limb is may help, or a larger "
    "model (--vlm).",
    "unknown": "It cannot tell whether it knows these words: look at the film before you trust its figures.",
}
"""What each level of confidence means for who reads the page."""

WAYS = {"random": "random latents", "best_latent": "best single latent", "search": "search", "final": "this skill"}
VIDEO, SHEET, SETTINGS = "video.mp4", "sheet.png", "config.yaml"
LAST = 10  # iterations that stand for how training ended


@dataclass(frozen=True)
class _Run:
    """What there is of a run."""

    folder: Path
    summary: Summary | None
    metrics: Metrics
    files: Mapping[str, bytes]
    notices: Sequence[str]
    """What is missing, and what not to believe."""

    @classmethod
    def read(cls, folder: Path) -> "_Run":
        notices, summary, files = [], None, {}
        try:
            summary = Summary.read(folder)
        except SkillError as error:
            notices.append(str(error))
        metrics = RunFolder(folder, {}).metrics()
        missing = ["metrics.jsonl"] if not metrics and (summary is None or summary.iterations) else []
        missing += [] if (folder / SKILL).is_file() else [SKILL]
        for name in (VIDEO, SHEET, SETTINGS):
            path = folder / name
            if path.is_file() and (content := path.read_bytes()):
                files[name] = content
            else:
                missing.append(name)
        if missing:
            notices.append(f"The run has not written {', '.join(missing)}.")
        if summary and summary.alarm:
            notices.append(f"Audit: {summary.alarm}")
        return cls(folder, summary, metrics, files, notices)


def write_report(folder: Path) -> Path:
    """Write ``report.html`` from what the folder of a run holds; returns its path.

    What a run that was stopped has not written is named on the page.

    Raises:
        SkillError: There is no such folder.
    """
    if not folder.is_dir():
        raise SkillError(f"{folder} holds no run: there is no such folder.")
    run = _Run.read(folder)
    body = [
        *_head(run),
        *_top(run),
        *_sheet(run),
        *_section("Learning", learning_charts(run.metrics)),
        *_section("Search and time", time_charts(run.summary, run.metrics)),
        *_commands(run),
        *_settings(run),
    ]
    return write_page(folder / "report.html", run.summary.text if run.summary else folder.name, body)


def _section(title: str, cards: Sequence[str]) -> list[str]:
    return [f'<h2>{title}</h2><section class="grid-of charts">{"".join(cards)}</section>'] if cards else []


def _head(run: _Run) -> list[str]:
    summary = run.summary
    if summary is None:
        parts = [f"<h1>{escape(run.folder.name)}</h1>"]
    else:
        facts = (
            f"scorer {summary.scorer}",
            f"controller {summary.controller}",
            f"reward {summary.reward}",
            f"seed {summary.seed}",
            summary.device,
            f"anyskill {summary.version}",
        )
        same = summary.description == summary.text
        read = "as it was typed" if same else f"<q>{escape(summary.description)}</q>"
        parts = [
            f"<h1><q>{escape(summary.text)}</q></h1>",
            f"<p>The scorer reads {read}.</p>",
            f'<p class="facts">{" · ".join(escape(fact) for fact in facts)}</p>',
        ]
    if run.notices:
        parts.append(f'<ul class="notice">{"".join(f"<li>{escape(notice)}</li>" for notice in run.notices)}</ul>')
    return parts


def _top(run: _Run) -> list[str]:
    """What came out, in figures and as a film."""
    figures = f"{_verdict(run)}{_knowledge(run)}"
    if VIDEO not in run.files:
        return [f'<section class="top">{figures}</section>']
    film = f'<video src="{data_uri(run.files[VIDEO], "video/mp4")}" controls autoplay loop muted playsinline></video>'
    return [f'<section class="top"><div class="stack">{figures}</div>{card("New episodes", film)}</section>']


def _verdict(run: _Run) -> str:
    title, summary = "Similarity with the sentence", run.summary
    if summary is None or summary.similarity.final is None:
        return card(title, "<p><strong>No verdict: the run has not come to its end.</strong></p>")
    known = asdict(summary.similarity)
    values = {name: known[key] for key, name in WAYS.items() if known[key] is not None}
    bars = named_bars(values, "similarity by how latents are chosen", strong=WAYS["final"])
    note = f"Means over {summary.sentences} sentences, which one policy was told. " if summary.sentences > 1 else ""
    note += (
        "The scorer's opinion, not a proof: cosine of what it sees and what it reads, at most 1, in the second half "
        "of new episodes. Whether the body really does it, <code>anyskill evaluate</code> tells."
    )
    return card(
        title,
        f"<p><strong>{_compared(summary.similarity, summary.similarity.final)}</strong> {_ending(summary)} "
        f'{_falls(run.metrics)}</p>{bars}<p class="detail">{note}</p>',
    )


def _compared(similarity: Similarity, final: float) -> str:
    """The skill against the strongest that takes no learning."""
    if similarity.best_latent is None:
        return f"This skill reaches {final:.2f}."
    gain = f"{abs(final - similarity.best_latent):.2f}"
    if gain == "0.00":
        return f"This skill reaches {final:.2f}, no more than the best single latent."
    side = "above" if final > similarity.best_latent else "below"
    return f"This skill reaches {final:.2f}, {gain} {side} the best single latent."


def _ending(summary: Summary) -> str:
    count = f"{summary.iterations} iteration{'' if summary.iterations == 1 else 's'}"
    if not summary.iterations:
        return "It was found by search alone, without training."
    ending = f"Training ended with its budget after {count}, before it had converged."
    if summary.stopped:
        ending = f"Training was stopped by hand after {count}."
    elif summary.converged:
        ending = f"Training converged after {count}."
    elif summary.behind:
        ending = f"Training was given up after {count}."
    similarity = summary.similarity
    if similarity.final in (similarity.search, similarity.best_latent):
        ending += " The policy was no better than what search had found, which was kept."
    return ending


def _falls(metrics: Metrics) -> str:
    last = [line for line in metrics[-LAST:] if line.get("episodes")]
    episodes = sum(line["episodes"] for line in last)
    if not episodes:
        return ""
    share = sum(line["falls"] * line["episodes"] for line in last) / episodes
    return f"In its last iterations {percent(share)} of episodes ended in a fall."


def _knowledge(run: _Run) -> str:
    if run.summary is None:
        return ""
    confidence = run.summary.confidence
    says = f"<p><strong>{escape(confidence.sentence)}</strong></p>" if confidence else ""
    level = confidence.level if confidence else "unknown"
    content = f'<div class="knows {level}">{says}<p>{KNOWLEDGE[level]}</p></div>'
    return card("What the scorer knows of these words", content)


def _sheet(run: _Run) -> list[str]:
    if SHEET not in run.files:
        return []
    uri = data_uri(run.files[SHEET], "image/png")
    return [f'<h2>Picture by picture</h2><div class="strip"><img alt="the body over time" src="{uri}"></div>']


def _commands(run: _Run) -> list[str]:
    """What to type next; only what can be done with what there is."""
    folder = shlex.quote(str(run.folder))
    commands = {}
    if (run.folder / SKILL).is_file():
        commands = {
            "Play new episodes": f"anyskill play {folder}",
            "Throw boxes at the body": f"anyskill play {folder} --perturb",
            "Test whether the body really does it": f"anyskill evaluate {folder}",
            "Use it from Python": "from anyskill.skill.skill import Skill\n\n"
            f"skill = Skill.load({str(run.folder)!r})\n"
            'skill.video("again.mp4")\n'
            "z = skill.policy(state, decision)  # a latent for each world; decisions 0, 1, … are 1/6 s apart\n"
            "targets = skill.controller.act(state, z)  # for control steps of 1/30 s",
        }
    if run.summary:
        commands["Go on learning"] = run.summary.command
    if run.metrics:
        commands["Look at every metric"] = f"tensorboard --logdir {folder}"
    rows = (f"<dt>{what}</dt><dd><pre>{escape(how)}</pre></dd>" for what, how in commands.items())
    return [f"<h2>Go on from here</h2><dl>{''.join(rows)}</dl>"] if commands else []


def _settings(run: _Run) -> list[str]:
    if SETTINGS not in run.files:
        return []
    text = escape(run.files[SETTINGS].decode("utf-8", "replace"))
    return [f"<h2>Settings</h2><details><summary>All of config.yaml</summary><pre>{text}</pre></details>"]
