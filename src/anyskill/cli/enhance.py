"""``anyskill enhance``: what a sentence looks like, limb by limb; and ``anyskill corpus``: many sentences at once."""

import json as json_format
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro

if TYPE_CHECKING:
    from collections.abc import Callable

    from anyskill.text.enhance import Enhanced
    from anyskill.text.language_model import CommandModel, EndpointModel

Provider = Literal["phrasebook", "openai", "anthropic", "command"]


def enhance(
    sentence: Annotated[str, tyro.conf.Positional],
    provider: Provider = "phrasebook",
    model: str | None = None,
    url: str | None = None,
    prices: tuple[float, float] = (0.0, 0.0),
    vlm: str = "bodyclip",
    rounds: int = 2,
    candidates: int = 4,
    device: str = "cpu",
    json: bool = False,
) -> None:
    """Say a sentence limb by limb, so that pictures can show what it means.

    The phrasebook needs no network. A language model writes several candidates; the one that an image-text model tells
    best from other poses wins. Its key comes from OPENAI_API_KEY or ANTHROPIC_API_KEY; answers are kept.

    Args:
        sentence: What the body is to do.
        provider: The phrasebook; an endpoint that speaks like OpenAI's or Anthropic's; or a command that reads a
            question and prints the answer.
        model: The endpoint's name for a model; or the command, such as "ollama run llama3".
        url: Address of the endpoint; the vendor's own, or that of OPENAI_BASE_URL or ANTHROPIC_BASE_URL, by default.
        prices: Money for a million tokens in and out, to show what it cost.
        vlm: The image-text model that judges candidates: bodyclip, a Hugging Face name, or a folder.
        rounds: How often the language model is asked; from the second time on it is to improve the best so far.
        candidates: Descriptions it is to write each time.
        device: Where candidates are judged: cpu or cuda.
        json: Print one JSON object.
    """
    from anyskill.text.enhance import enhance as look_up
    from anyskill.text.enhance import enhance_with
    from anyskill.text.language_model import CachedModel, EndpointModel

    if provider == "phrasebook":
        from anyskill.vision_language.bodyclip.model import load_bodyclip

        _print(look_up(sentence, encode=load_bodyclip(device).encode_texts), json, {})
        return
    writer = _language_model(provider, model, url, prices)
    judge = _judge(vlm, device)
    result = enhance_with(sentence, CachedModel(writer), judge, rounds=rounds, candidates=candidates)
    spent = {}
    if isinstance(writer, EndpointModel):
        spent = {"tokens_in": writer.tokens_in, "tokens_out": writer.tokens_out, "cost": writer.cost}
    _print(result, json, spent)


def corpus(folder: Annotated[Path, tyro.conf.Positional], out: Path) -> None:
    """Turn a collection of sentences into a list in limb language, each description once.

    Args:
        folder: HumanML3D or BABEL as they are downloaded, or a folder of .jsonl files.
        out: The list (YAML): descriptions with their weights, and the sentences they come from.
    """
    from anyskill.text.corpus import enhanced_list, read_corpus, write_list
    from anyskill.text.enhance import enhance as look_up

    sentences = read_corpus(folder)
    entries = enhanced_list(sentences, look_up)
    write_list(entries, out)
    used = sum(entry.weight for entry in entries)
    print(f"{out}  {len(entries)} descriptions of {used} sentences; {len(sentences) - used} are not known and left out")


def _language_model(
    provider: Provider, model: str | None, url: str | None, prices: tuple[float, float]
) -> "CommandModel | EndpointModel":
    from anyskill.text.errors import TextError
    from anyskill.text.language_model import CommandModel, endpoint_model

    if not model:
        raise TextError(f"{provider} needs the name of a model; give --model.")
    if provider == "command":
        return CommandModel(model)
    assert provider != "phrasebook"
    endpoint = endpoint_model(model, url, style=provider)
    endpoint.prices = prices
    return endpoint


def _judge(vlm: str, device: str) -> "Callable[[list[str]], list[float]]":
    from rich.console import Console

    from anyskill.vision_language.model import load_model
    from anyskill.vision_language.pose_bank import separable

    with Console(stderr=True).status("looking at known poses"):
        return separable(load_model(vlm, device))


def _print(result: "Enhanced", json: bool, spent: dict[str, float]) -> None:
    if json:
        print(json_format.dumps(asdict(result) | spent))
        return
    print(result.text)
    print(result.why, file=sys.stderr)
    for other in result.alternatives:
        print(f"or: {other.text}" + (f"  ({other.why})" if other.why else ""), file=sys.stderr)
    if spent:
        print("{tokens_in} tokens in, {tokens_out} out, cost {cost:.4f}".format(**spent), file=sys.stderr)
