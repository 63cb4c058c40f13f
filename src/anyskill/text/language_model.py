"""Language models that rewrite sentences: any command, any OpenAI-compatible endpoint, Anthropic's API."""

import hashlib
import http.client
import json
import os
import shlex
import subprocess
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

from anyskill.files import cache_folder, write_atomically
from anyskill.text.errors import TextError

MALFORMED = (ValueError, KeyError, IndexError, TypeError, AttributeError)  # what reading a wrong answer raises
RETRY_STATUS = frozenset({408, 409, 429, 500, 502, 503, 504, 529})


class LanguageModel(Protocol):
    """Anything that answers a prompt."""

    @property
    def name(self) -> str:
        """For messages, and the key of the cache."""

    def complete(self, prompt: str) -> str:
        """The answer to a prompt.

        Raises:
            TextError: If there is none.
        """


@dataclass(frozen=True)
class CommandModel:
    """A command that reads the prompt on its standard input and prints the answer."""

    command: str
    timeout: float = 120.0  # s

    @property
    def name(self) -> str:
        """The command itself."""
        return self.command

    def complete(self, prompt: str) -> str:
        """Run the command once; it is not given to a shell."""
        try:
            process = subprocess.run(
                shlex.split(self.command), input=prompt, capture_output=True, text=True, timeout=self.timeout
            )
        except subprocess.TimeoutExpired as error:
            raise TextError(f"{self.command!r} gave no answer within {self.timeout:.0f} s.") from error
        except (OSError, ValueError, IndexError) as error:
            raise TextError(f"{self.command!r} cannot be run: {error}.") from error
        if process.returncode != 0:
            last = (process.stderr.strip().splitlines() or ["no message"])[-1][:200]
            raise TextError(f"{self.command!r} failed with code {process.returncode}: {last}.")
        return process.stdout


@dataclass
class EndpointModel:
    """A chat endpoint over HTTP; counts the tokens it used.

    Attributes:
        model: The endpoint's name for a model.
        url: Base address, as in ``https://api.openai.com/v1`` or ``http://localhost:11434/v1``.
        style: Which of the two request formats the endpoint speaks.
        key: Sent as the endpoint wants it; from the environment by ``endpoint_model``.
        prices: Money per million tokens in and out, to show a cost; 0 where unknown.
    """

    model: str
    url: str
    style: Literal["openai", "anthropic"] = "openai"
    key: str = field(default="", repr=False)
    timeout: float = 30.0  # s, for one attempt
    attempts: int = 4
    pause: float = 1.0  # s before the second attempt; doubles each time
    prices: tuple[float, float] = (0.0, 0.0)
    tokens_in: int = 0
    tokens_out: int = 0

    @property
    def name(self) -> str:
        """Model and address."""
        return f"{self.model} at {self.url}"

    @property
    def cost(self) -> float:
        """What the tokens so far cost, in the currency of ``prices``."""
        return (self.tokens_in * self.prices[0] + self.tokens_out * self.prices[1]) / 1e6

    def complete(self, prompt: str) -> str:
        """Ask, and ask again after a slow, busy or broken answer, a little later each time."""
        reason = ""
        for attempt in range(self.attempts):
            try:
                return self._read(self._ask(prompt))
            except urllib.error.HTTPError as error:
                reason = f"status {error.code}"
                if error.code not in RETRY_STATUS:
                    hint = "; is the key in the environment right?" if error.code in (401, 403) else ""
                    raise TextError(f"{self.name} refuses the request ({reason}){hint}") from error
                wait = _retry_after(error)
            except (OSError, http.client.HTTPException, *MALFORMED) as error:
                reason, wait = _cause(error), None
            if attempt < self.attempts - 1:
                time.sleep(min(wait if wait is not None else self.pause * 2**attempt, 30.0))
        raise TextError(f"{self.name} gave no usable answer in {self.attempts} attempts (last: {reason}).")

    def _ask(self, prompt: str) -> dict[str, Any]:
        body = {"model": self.model, "max_tokens": 500, "messages": [{"role": "user", "content": prompt}]}
        headers = {"content-type": "application/json"}
        if self.style == "anthropic":
            address = f"{self.url.rstrip('/')}/messages"
            headers |= {"x-api-key": self.key, "anthropic-version": "2023-06-01"}
        else:
            address = f"{self.url.rstrip('/')}/chat/completions"
            headers |= {"authorization": f"Bearer {self.key}"} if self.key else {}
        request = urllib.request.Request(address, json.dumps(body).encode(), headers)
        with _OPENER.open(request, timeout=self.timeout) as response:
            answer: dict[str, Any] = json.loads(response.read())
        return answer

    def _read(self, answer: dict[str, Any]) -> str:
        usage = answer.get("usage") or {}
        self.tokens_in += int(usage.get("input_tokens") or usage.get("prompt_tokens") or 0)
        self.tokens_out += int(usage.get("output_tokens") or usage.get("completion_tokens") or 0)
        if self.style == "anthropic":
            text = "".join(part["text"] for part in answer["content"] if part["type"] == "text")
        else:
            text = answer["choices"][0]["message"]["content"]
        if not isinstance(text, str):
            raise TypeError("no text")
        if not text.strip():
            raise ValueError("an empty answer")
        return text


@dataclass(frozen=True)
class CachedModel:
    """A model whose answers are kept on disk; the same question costs nothing the second time."""

    model: LanguageModel

    @property
    def name(self) -> str:
        """The model's."""
        return self.model.name

    def complete(self, prompt: str) -> str:
        """The kept answer, else the model's."""
        path = self._path(prompt)
        try:
            return str(json.loads(path.read_text(encoding="utf-8"))["answer"])
        except (OSError, ValueError, KeyError, TypeError):
            pass
        answer = self.model.complete(prompt)
        try:
            with write_atomically(path) as file:
                file.write(json.dumps({"model": self.name, "prompt": prompt, "answer": answer}).encode())
        except OSError:
            pass  # a cache that cannot be written only costs time
        return answer

    def _path(self, prompt: str) -> Path:
        key = hashlib.sha256(f"{self.name}\0{prompt}".encode("utf-8", "surrogatepass")).hexdigest()[:32]
        return cache_folder() / "enhancements" / f"{key}.json"


def endpoint_model(
    model: str, url: str | None = None, *, style: Literal["openai", "anthropic"] = "openai"
) -> EndpointModel:
    """An endpoint with its address and key from the environment, under the names that the vendors' tools use.

    ``OPENAI_API_KEY`` and ``OPENAI_BASE_URL``, or ``ANTHROPIC_API_KEY`` and ``ANTHROPIC_BASE_URL``.

    Raises:
        TextError: If the vendor's own address is meant and there is no key.
    """
    vendor = style.upper()
    vendors_own = "https://api.openai.com/v1" if style == "openai" else "https://api.anthropic.com/v1"
    address = url or os.environ.get(f"{vendor}_BASE_URL") or vendors_own
    key = os.environ.get(f"{vendor}_API_KEY", "")
    if address == vendors_own and not key:
        raise TextError(f"{vendor}_API_KEY is not set; set it, or pass the address of another endpoint.")
    if not address.startswith(("http://", "https://")):
        raise TextError(f"{address!r} is no address; it begins with http:// or https://.")
    return EndpointModel(model, address, style, key)


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirected request would carry the key to somebody else."""

    def redirect_request(self, *_: object) -> None:
        """Not followed: the status becomes an error."""


_OPENER = urllib.request.build_opener(_NoRedirect)


def _retry_after(error: urllib.error.HTTPError) -> float | None:
    try:
        return max(0.0, float(error.headers.get("retry-after", "")))
    except ValueError:
        return None


def _cause(error: Exception) -> str:
    if isinstance(error, TimeoutError) or isinstance(getattr(error, "reason", None), TimeoutError):
        return "too slow"
    if isinstance(error, json.JSONDecodeError):
        return "not JSON"
    if isinstance(error, urllib.error.URLError):
        return str(error.reason)
    return (
        str(error) if isinstance(error, ValueError | OSError) else f"unexpected form of answer ({type(error).__name__})"
    )
