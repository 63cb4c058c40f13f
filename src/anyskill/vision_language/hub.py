"""From a Hugging Face name or a local folder to the files of a model, without running any code that comes with it."""

import hashlib
from pathlib import Path

from anyskill.vision_language.model import VisionLanguageError

WEIGHTS = ("model.safetensors", "model.safetensors.index.json")
FILES = (
    *("config.json", "preprocessor_config.json", "processor_config.json"),
    *("tokenizer*.json", "tokenizer.model", "spiece.model", "vocab.json", "merges.txt"),
    *("special_tokens_map.json", "added_tokens.json", *WEIGHTS, "model-*.safetensors"),
)
"""What is fetched: never code, never pickled weights, never the copies that other libraries read."""

PATIENCE = 5.0  # s, for the hub's first answer


def model_folder(name: str) -> Path:
    """The folder of a model: a local one, the hub's cache, or a fresh download, tried in this order.

    The hub's own switches hold: ``HF_HOME``, ``HF_ENDPOINT``, ``HF_TOKEN``, ``HF_HUB_OFFLINE`` and
    ``TRANSFORMERS_OFFLINE``.

    Raises:
        VisionLanguageError: If the model is not here and cannot be fetched, or has no safetensors weights.
    """
    folder = Path(name).expanduser()
    if not folder.is_dir():
        if name.startswith((".", "/", "~")) or name.count("/") != 1:
            raise VisionLanguageError(f"{name!r} is neither a folder here nor a Hugging Face name (owner/model).")
        folder = _cached(name) or _downloaded(name)
    if not _has_weights(folder):
        raise VisionLanguageError(
            f"{name} has no {WEIGHTS[0]}; other weight formats can run code when they are read, so they are refused: "
            "choose a model, or behind an @ a revision of it, with safetensors weights."
        )
    return folder


def identity(name: str, folder: Path) -> str:
    """A text that changes when the model's files do: names, sizes and times (the hub's cache never rewrites a file)."""
    files = sorted(path for pattern in FILES for path in folder.glob(pattern))
    stats = [(path.name, str(path.resolve()), path.stat().st_size, path.stat().st_mtime_ns) for path in files]
    return f"{name} {hashlib.sha256(repr(stats).encode()).hexdigest()}"


def _cached(name: str) -> Path | None:
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    try:
        folder = _snapshot(name, local_files_only=True)
    except LocalEntryNotFoundError:
        return None
    except HFValidationError as error:
        raise VisionLanguageError(
            f"{name!r} is neither a folder here nor a Hugging Face name (owner/model)."
        ) from error
    return folder if _has_weights(folder) else None


def _downloaded(name: str) -> Path:
    from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError, RevisionNotFoundError

    try:
        return _snapshot(name)
    except GatedRepoError as error:
        raise VisionLanguageError(
            f"{name} asks for its terms to be accepted: do so on its Hugging Face page, then run `hf auth login`."
        ) from error
    except (RepositoryNotFoundError, RevisionNotFoundError) as error:
        raise VisionLanguageError(
            f"Hugging Face has no public model {name}; check the spelling, or run `hf auth login` if it is private."
        ) from error
    except Exception as error:  # whatever the network does, the answer for the person is the same
        repository, _, revision = name.partition("@")
        command = f"hf download {repository}" + (f" --revision {revision}" if revision else "")
        raise VisionLanguageError(
            f"{name} is neither in the Hugging Face cache nor can it be fetched ({_reason(error)}). Do one of three "
            f"things: 1. connect to the network once, or run `{command}` where there is one and bring its cache here "
            "(HF_HOME); 2. pass a local folder that holds the model; 3. use the built-in model with `--vlm bodyclip`."
        ) from error


def _snapshot(name: str, *, local_files_only: bool = False) -> Path:
    from huggingface_hub import HfApi, snapshot_download

    repository, _, revision = name.partition("@")
    if not local_files_only:  # a download waits for ever on a hub that takes the call and says nothing
        HfApi().model_info(repository, revision=revision or None, timeout=PATIENCE)
    return Path(
        snapshot_download(
            repository, revision=revision or None, allow_patterns=list(FILES), local_files_only=local_files_only
        )
    )


def _has_weights(folder: Path) -> bool:
    return (folder / "config.json").exists() and any((folder / name).exists() for name in WEIGHTS)


def _reason(error: Exception) -> str:
    """The first cause, in one short clause."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[0].removeprefix("Got: ").rstrip(".")[:160]
