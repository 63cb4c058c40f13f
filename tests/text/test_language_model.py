"""Commands and endpoints that misbehave."""

import json
import shlex
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from anyskill.text.enhance import enhance_with
from anyskill.text.errors import TextError
from anyskill.text.language_model import CachedModel, CommandModel, EndpointModel, endpoint_model

Reply = tuple[int, dict[str, str], bytes, float]  # status, headers, body, seconds before it
SENTENCE = "raise both arms overhead"


def openai(text: str) -> Reply:
    answer = {
        "choices": [{"message": {"content": text}}],
        "usage": {"prompt_tokens": 100, "completion_tokens": 20},
    }
    return 200, {}, json.dumps(answer).encode(), 0


def anthropic(text: str) -> Reply:
    answer = {"content": [{"type": "text", "text": text}], "usage": {"input_tokens": 50, "output_tokens": 7}}
    return 200, {}, json.dumps(answer).encode(), 0


class Server(ThreadingHTTPServer):
    """Replies in turn as told, and remembers requests."""

    replies: list[Reply]
    requests: list[tuple[str, dict[str, str], dict]]


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        headers = {key.lower(): value for key, value in self.headers.items()}
        self.server.requests.append((self.path, headers, body))
        status, headers, content, pause = self.server.replies.pop(0)
        time.sleep(pause)
        try:
            self.send_response(status)
            for key, value in {"content-length": str(len(content)), **headers}.items():
                self.send_header(key, value)
            self.end_headers()
            self.wfile.write(content)
        except OSError:
            pass  # the client gave up

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def serve() -> Iterator[Callable[..., Server]]:
    servers = []

    def start(*replies: Reply) -> Server:
        server = Server(("127.0.0.1", 0), Handler)
        server.replies, server.requests = list(replies), []
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        servers.append(server)
        return server

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def model_at(server: Server, style: str = "openai", **options: object) -> EndpointModel:
    address = f"http://127.0.0.1:{server.server_port}/v1"
    return EndpointModel("tiny", address, style, "secret", timeout=0.5, pause=0.01, **options)  # type: ignore[arg-type]


def test_openai_form(serve: Callable[..., Server]) -> None:
    server = serve(openai(SENTENCE))
    model = model_at(server, prices=(1.0, 10.0))
    assert model.complete("say") == SENTENCE
    path, headers, body = server.requests[0]
    assert path == "/v1/chat/completions"
    assert headers["authorization"] == "Bearer secret"
    assert body["model"] == "tiny"
    assert body["messages"] == [{"role": "user", "content": "say"}]
    assert (model.tokens_in, model.tokens_out) == (100, 20)
    assert model.cost == pytest.approx((100 * 1 + 20 * 10) / 1e6)
    assert "secret" not in repr(model)


def test_anthropic_form(serve: Callable[..., Server]) -> None:
    server = serve(anthropic(SENTENCE))
    model = model_at(server, "anthropic")
    assert model.complete("say") == SENTENCE
    path, headers, _ = server.requests[0]
    assert path == "/v1/messages"
    assert headers["x-api-key"] == "secret"
    assert "anthropic-version" in headers
    assert (model.tokens_in, model.tokens_out) == (50, 7)


@pytest.mark.parametrize(
    "trouble",
    [
        (429, {"retry-after": "0"}, b"{}", 0),
        (429, {"retry-after": "soon"}, b"", 0),
        (500, {}, b"oops", 0),
        (503, {}, b"", 0),
        (200, {}, b"<html>not json", 0),
        (200, {}, b"", 0),
        (200, {}, b'{"choices": []}', 0),
        (200, {}, b"[1, 2]", 0),
        (200, {}, b'{"choices": [{"message": {"content": null}}]}', 0),
        (200, {}, b"\xff\xfe", 0),
        (200, {}, b"{}", 1.0),
        (200, {"content-length": "999"}, b"{}", 0),
        openai("   "),
    ],
    ids=[
        "busy",
        "busy oddly",
        "500",
        "503",
        "html",
        "empty",
        "no choice",
        "list",
        "null",
        "bytes",
        "slow",
        "cut",
        "blank",
    ],
)
def test_trouble_is_tried_again(serve: Callable[..., Server], trouble: Reply) -> None:
    server = serve(trouble, openai(SENTENCE))
    assert model_at(server).complete("say") == SENTENCE
    assert len(server.requests) == 2


@pytest.mark.parametrize(
    ("trouble", "message"),
    [
        ((500, {}, b"", 0), "status 500"),
        ((200, {}, b"nope", 0), "not JSON"),
        ((200, {}, b"{}", 1.0), "too slow"),
        (openai(""), "an empty answer"),
        ((200, {}, b"{}", 0), "unexpected form"),
    ],
)
def test_lasting_trouble_is_an_error(serve: Callable[..., Server], trouble: Reply, message: str) -> None:
    server = serve(*[trouble] * 3)
    with pytest.raises(TextError, match=f"no usable answer in 3 attempts.*{message}"):
        model_at(server, attempts=3).complete("say")
    assert len(server.requests) == 3


@pytest.mark.parametrize("status", [400, 401, 403, 404])
def test_a_refusal_is_final(serve: Callable[..., Server], status: int) -> None:
    server = serve((status, {}, b"{}", 0))
    with pytest.raises(TextError, match=f"status {status}"):
        model_at(server).complete("say")
    assert len(server.requests) == 1


def test_a_redirect_does_not_carry_the_key_away(serve: Callable[..., Server]) -> None:
    elsewhere = serve(openai(SENTENCE))
    server = serve((302, {"location": f"http://127.0.0.1:{elsewhere.server_port}/v1"}, b"", 0))
    with pytest.raises(TextError, match="status 302"):
        model_at(server).complete("say")
    assert not elsewhere.requests


def test_nobody_there(serve: Callable[..., Server]) -> None:
    model = EndpointModel("tiny", "http://127.0.0.1:9/v1", attempts=2, pause=0.01)
    with pytest.raises(TextError, match="refused"):
        model.complete("say")


def test_answers_are_kept(serve: Callable[..., Server], own_cache: Path) -> None:
    server = serve(openai("first"), openai("second"), openai("third"))
    model = CachedModel(model_at(server))
    assert [model.complete("a"), model.complete("a"), model.complete("b")] == ["first", "first", "second"]
    (damaged, _) = sorted(own_cache.rglob("*.json"), key=lambda path: json.loads(path.read_text())["prompt"])
    damaged.write_text("{")
    assert model.complete("a") == "third"
    assert len(server.requests) == 3


def test_enhancing_through_an_endpoint(serve: Callable[..., Server]) -> None:
    server = serve((429, {}, b"", 0), openai(f"1. {SENTENCE}."), openai("nothing of use"))
    result = enhance_with("hooray", CachedModel(model_at(server)))
    assert result.text == SENTENCE
    assert "tiny at http://127.0.0.1" in result.why


def command(program: str) -> CommandModel:
    return CommandModel(f"{shlex.quote(sys.executable)} -c {shlex.quote(program)}", timeout=5)


def test_a_command_reads_the_prompt() -> None:
    model = command("import sys; print(sys.stdin.read().upper())")
    assert model.complete("wave hi").strip() == "WAVE HI"


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (command("import sys; sys.exit('out of words')"), "failed with code 1: out of words"),
        (CommandModel("no-such-program-anywhere"), "cannot be run"),
        (CommandModel("'unclosed"), "cannot be run"),
        (CommandModel(""), "cannot be run"),
        (
            CommandModel(f"{shlex.quote(sys.executable)} -c 'import time; time.sleep(9)'", timeout=0.3),
            "no answer within",
        ),
    ],
)
def test_commands_that_fail(model: CommandModel, message: str) -> None:
    with pytest.raises(TextError, match=message):
        model.complete("wave")


def test_keys_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for vendor in ("OPENAI", "ANTHROPIC"):
        monkeypatch.delenv(f"{vendor}_BASE_URL", raising=False)
        monkeypatch.delenv(f"{vendor}_API_KEY", raising=False)
    with pytest.raises(TextError, match="ANTHROPIC_API_KEY is not set"):
        endpoint_model("m", style="anthropic")
    assert endpoint_model("m", "http://localhost:11434/v1").key == ""  # a local server needs none
    with pytest.raises(TextError, match="no address"):
        endpoint_model("m", "localhost:11434")
    monkeypatch.setenv("OPENAI_API_KEY", "k")
    assert endpoint_model("m").key == "k"
    monkeypatch.setenv("OPENAI_BASE_URL", "http://localhost:1/v1")
    assert endpoint_model("m").url == "http://localhost:1/v1"
