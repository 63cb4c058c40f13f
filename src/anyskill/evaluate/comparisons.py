"""The tables that are made by name: the paper's 1 and 3, and ours."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal, get_args

from anyskill.evaluate import variants
from anyskill.evaluate.ablations import Recipe
from anyskill.evaluate.errors import EvaluationError
from anyskill.evaluate.generalisation import CONDITIONED, TextConditioned, load_split, text_table
from anyskill.evaluate.suite import Sentence
from anyskill.evaluate.tables import Row, Sentences, Table
from anyskill.evaluate.variants import RANDOM, VIDEO_MODEL, Means
from anyskill.skill.request import slug

TableName = Literal["1", "3", "ours", "text"]
TABLES: tuple[TableName, ...] = get_args(TableName)

PAPER_FULL = (6.16, 24.18)


def recipes(means: Means, folder: Path) -> dict[str, Recipe]:
    """How every variant of these tables is made."""
    trained = tuple(sentence.text for sentence in load_split().train)
    return variants.recipes(means) | {CONDITIONED: TextConditioned(trained, means, folder)}


def chosen(suite: Sequence[Sentence], texts: Sequence[str]) -> Sentences:
    """Sentences of a suite by their wording, without regard to case and punctuation; all if none is named.

    Raises:
        EvaluationError: One is not in the suite.
    """
    known = {slug(sentence.text): sentence for sentence in suite}
    for text in texts:
        if slug(text) not in known:
            raise EvaluationError(f'the suite has no test for "{text}"; write one into a file for --suite.')
    return tuple(known[slug(text)] for text in texts) if texts else tuple(suite)


def table(name: TableName, sentences: Sentences) -> Table:
    """A table by name; that of ``text`` has sentences of its own."""
    match name:
        case "1":
            return table_1(sentences)
        case "3":
            return table_3(sentences)
        case "ours":
            return ours(sentences)
        case "text":
            return text_table(load_split())


def table_1(sentences: Sentences) -> Table:
    """What early termination and text enhancement are good for, and a video model (Table 1 of the paper)."""
    rows = (
        Row("full", sentences, paper=PAPER_FULL),
        Row("no-early-termination", sentences, paper=(5.05, 21.89)),
        Row("no-enhancement", sentences, paper=(3.06, 20.76)),
        Row("video", sentences, paper=(2.37, 21.35)),
    )
    note = (
        "All rows learn as the paper does: PPO from nothing. The paper's *rating* is that of success by 24 people, "
        f"from 0 to 10, on five sentences. `video` learns from true pictures with `{VIDEO_MODEL}`, for want of the "
        "paper's VideoCLIP; `bodyclip` looks at several pictures as well: four, 0.2 s apart. `no-enhancement` differs "
        "from `full` only for sentences that the phrasebook says in other words."
    )
    return Table("Table 1: early termination, text enhancement, video model", rows, note)


def table_3(sentences: Sentences) -> Table:
    """Forms of the reward (Table 3 of the paper)."""
    rows = (
        Row("full", sentences, "cosine (full)", PAPER_FULL),
        Row("vlm-rm", sentences, paper=(3.15, 19.46)),
        Row("clip-s", sentences, paper=(3.80, 19.78)),
        Row("avgpool", sentences, paper=(5.09, 20.25)),
        Row("+velocity", sentences, paper=(2.73, 18.39)),
    )
    note = "All rows learn by PPO from nothing. The paper's *rating* is that of success by people, from 0 to 10."
    return Table("Table 3: forms of the reward", rows, note)


def ours(sentences: Sentences) -> Table:
    """Search, PPO, both; projection and true pictures; the paper's recipes; and what needs no learning."""
    rows = (
        Row("search+ppo", sentences, "search, then PPO (default)"),
        Row("full", sentences, "PPO from nothing"),
        Row("search-only", sentences, "search alone"),
        Row("best-latent", sentences, "best latent of the bank"),
        Row(RANDOM, sentences, "random latents"),
        Row("pictures", sentences, "default, true pictures"),
        Row("paper", sentences, "the paper's recipe"),
        Row("as-released", sentences, "the released code's recipe"),
    )
    note = "True pictures, and the recipes of the paper and of its code, were given no more time than the default."
    return Table("Search, PPO and both", rows, note)
