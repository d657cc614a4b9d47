"""What model servers say of themselves, from answers as each kind of server gives them; and what is wrong where none does."""

from __future__ import annotations

import asyncio
import socket
import ssl
import subprocess
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.support.model_http import API_KEY
from tests.support.model_server import Document, ModelServer
from vibedesk.engine.models.keys import ApiKey
from vibedesk.engine.models.server_facts import Server, ServerProblemError
from vibedesk.engine.models.servers import fetch_facts, fetch_models, identify

KEY = ApiKey(value=API_KEY, source="keychain")

OLLAMA = {
    "/api/version": Document({"version": "0.40.12"}),
    "/api/ps": Document({"models": [{"name": "loaded:8b", "context_length": 32768}]}),
    "/api/show": Document(
        {
            "parameters": "temperature 0.7\nnum_ctx 16384",
            "model_info": {"qwen3.context_length": 262144},
            "capabilities": ["completion", "vision", "thinking"],
        }
    ),
    "/v1/models": Document({"object": "list", "data": [{"id": "qwen3:8b"}, {"id": "loaded:8b"}]}),
}
LM_STUDIO = {
    "/v1/models": Document({"data": [{"id": "qwen2-vl"}, {"id": "llama"}]}),
    "/api/v0/models": Document(
        {
            "data": [
                {
                    "id": "qwen2-vl",
                    "type": "vlm",
                    "max_context_length": 32768,
                    "loaded_context_length": 8192,
                },
                {"id": "llama", "type": "llm", "max_context_length": 131072},
            ]
        }
    ),
}
LLAMA_CPP = {
    "/v1/models": Document({"data": [{"id": "gemma", "meta": {"n_ctx_train": 131072}}]}),
    "/props": Document(
        {"default_generation_settings": {"n_ctx": 24576}, "modalities": {"vision": True}}
    ),
}
VLLM = {"/v1/models": Document({"data": [{"id": "q", "owned_by": "vllm", "max_model_len": 40960}]})}
OPENROUTER = {
    "/v1/models": Document(
        {
            "data": [
                {
                    "id": "maker/new",
                    "context_length": 200000,
                    "architecture": {"input_modalities": ["text", "image"]},
                    "pricing": {
                        "prompt": "0.000002",
                        "completion": "0.00001",
                        "input_cache_read": "0.0000002",
                    },
                    "top_provider": {"max_completion_tokens": 64000},
                    "supported_parameters": ["reasoning", "temperature"],
                }
            ]
        }
    )
}
ANTHROPIC = {
    "/v1/models": Document(
        {
            "data": [
                {
                    "id": "claude-x", "max_input_tokens": 1000000, "max_tokens": 128000,
                    "capabilities": {"image_input": {"supported": True}},
                }
            ]
        },
        for_key=True,
    )
}  # fmt: skip


@pytest.fixture
async def server() -> AsyncIterator[ModelServer]:
    async with ModelServer() as running:
        yield running


def at(server: ModelServer, path: str = "/v1", **more: Any) -> Server:
    return Server(label="The server", base_url=f"{server.url}{path}", **more)


async def facts(server: ModelServer, documents: dict[str, Document], **more: Any) -> dict[str, Any]:
    server.documents = documents
    return {model.name: dict(model.facts) for model in await fetch_models(at(server, **more))}


class TestFacts:
    async def test_ollama_tells_what_it_really_gives(self, server: ModelServer) -> None:
        known = await facts(server, OLLAMA, kind="ollama")
        assert known["qwen3:8b"]["context_window"] == 16384, "what the model is set to"
        assert known["loaded:8b"]["context_window"] == 32768, "what it is loaded with"
        assert known["qwen3:8b"]["images"]
        one = await fetch_facts(at(server, kind="ollama"), "qwen3:8b")
        assert one == known["qwen3:8b"]

    async def test_ollamas_own_default_is_small(self, server: ModelServer) -> None:
        show = Document({"model_info": {"qwen3.context_length": 262144}, "capabilities": []})
        known = await facts(server, {**OLLAMA, "/api/show": show}, kind="ollama")
        assert known["qwen3:8b"] == {"images": False, "context_window": 4096}

    async def test_lm_studio(self, server: ModelServer) -> None:
        known = await facts(server, LM_STUDIO, kind="lmstudio")
        assert known["qwen2-vl"] == {"images": True, "context_window": 8192}
        assert known["llama"] == {"images": False, "context_window": 131072}

    async def test_llama_cpp(self, server: ModelServer) -> None:
        known = await facts(server, LLAMA_CPP, kind="llama-cpp")
        assert known["gemma"] == {"images": True, "context_window": 24576}

    async def test_vllm(self, server: ModelServer) -> None:
        assert (await facts(server, VLLM))["q"] == {"context_window": 40960}

    async def test_openrouter(self, server: ModelServer) -> None:
        new = (await facts(server, OPENROUTER))["maker/new"]
        assert new["price"] == pytest.approx({"input": 2, "output": 10, "cached": 0.2})
        assert (new["context_window"], new["max_output_tokens"]) == (200000, 64000)
        assert new["images"]

    async def test_anthropic_by_its_own_address_and_key(self, server: ModelServer) -> None:
        server.documents = ANTHROPIC
        where = Server(label="A", base_url=server.url, wire="anthropic", key=KEY)
        (model,) = await fetch_models(where)
        assert model.facts["context_window"] == 1_000_000
        assert model.facts["images"]
        assert server.lookups[0].headers["anthropic-version"]

    async def test_google_names_have_no_folder(self, server: ModelServer) -> None:
        documents = {"/v1/models": Document({"data": [{"id": "models/gemini-x"}]})}
        assert list(await facts(server, documents)) == ["gemini-x"]

    @pytest.mark.parametrize(
        "entry",
        [
            {"id": "m", "context_length": "big", "pricing": 5, "meta": []},
            {"id": "m", "pricing": {"prompt": "x"}},
        ],
    )
    async def test_nonsense_is_no_fact(self, server: ModelServer, entry: dict[str, Any]) -> None:
        assert (await facts(server, {"/v1/models": Document({"data": [entry, 5, {}]})}))["m"] == {}


@pytest.mark.parametrize(
    ("documents", "kind"),
    [
        (OLLAMA, "ollama"),
        (LM_STUDIO, "lmstudio"),
        (LLAMA_CPP, "llama-cpp"),
        (VLLM, "vllm"),
        (OPENROUTER, ""),
        ({}, ""),
    ],
    ids=["ollama", "lmstudio", "llama.cpp", "vllm", "other", "nothing"],
)
async def test_a_server_is_known_by_its_answers(
    server: ModelServer, documents: dict[str, Document], kind: str
) -> None:
    server.documents = documents
    assert await identify(at(server)) == kind


async def problem(where: Server, patience_s: float = 5.0) -> ServerProblemError:
    with pytest.raises(ServerProblemError) as raised:
        await fetch_models(where, patience_s=patience_s)
    assert raised.value.remedy
    assert API_KEY not in str(raised.value.to_dict())
    return raised.value


def certificate(folder: Path) -> Path:
    """Write a certificate that signs itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    path = folder / "certificate.pem"
    path.write_bytes(
        made.public_bytes(pem)
        + key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return path


class TestProblems:
    @pytest.mark.parametrize(
        ("document", "expected"),
        [
            (Document({"error": {"message": f"bad {API_KEY}"}}, status=401), "key"),
            (Document({"error": {"message": "no"}}, status=403), "key"),
            (Document([{"error": {"message": "API key not valid."}}], status=400), "key"),
            (Document({"error": {"message": "pay"}}, status=402), "quota"),
            (Document({"error": {"message": "exceeded your current quota"}}, status=429), "quota"),
            (Document({"error": {"message": "slowly"}}, status=429), "rate_limited"),
            (Document({}, status=503), "server_down"),
            (Document({"hello": 1}), "wrong_server"),
            (Document("<html>router</html>", content_type="text/html"), "wrong_server"),
            (Document("{broken"), "wrong_server"),
            (Document({}, status=404), "wrong_server"),
        ],
    )
    async def test_what_a_server_says(
        self, server: ModelServer, document: Document, expected: str
    ) -> None:
        server.documents = {"/v1/models": document}
        assert (await problem(at(server, key=KEY))).problem == expected

    async def test_a_key_that_is_missing_is_no_wrong_one(self, server: ModelServer) -> None:
        server.documents = {"/v1/models": Document({}, for_key=True)}
        assert (await problem(at(server))).problem == "key_missing"

    @pytest.mark.parametrize("path", ["", "/v2", "/openai"])
    async def test_a_wrong_path_is_told_with_the_right_one(
        self, server: ModelServer, path: str
    ) -> None:
        server.documents = {"/v1/models": Document({"data": []})}
        error = await problem(at(server, path))
        if path == "/openai":
            assert error.problem == "wrong_server"
        else:
            assert error.problem == "wrong_path"
            assert f"{server.url}/v1" in error.remedy

    async def test_nobody_there(self) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        error = await problem(Server(label="Ollama", base_url=f"http://127.0.0.1:{port}/v1"))
        assert error.problem == "no_server"
        assert "Start Ollama" in error.remedy

    def test_an_unknown_host(self) -> None:
        # In a process of its own: this one may ask for no name but this machine's.
        script = (
            "import asyncio\n"
            "from vibedesk.engine.models.servers import *\n"
            "try: asyncio.run(fetch_models(Server(label='X', base_url='http://nowhere.invalid/v1')))\n"
            "except ServerProblemError as error: print(error.problem)\n"
        )
        done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
        assert done.stdout.strip() == "unknown_host", done.stderr

    async def test_plain_http_behind_https(self) -> None:
        async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n")
            writer.close()

        async with await asyncio.start_server(refuse, "127.0.0.1", 0) as plain:
            port = plain.sockets[0].getsockname()[1]
            error = await problem(Server(label="X", base_url=f"https://127.0.0.1:{port}/v1"))
        assert error.problem == "tls"
        assert "http://" in error.remedy

    async def test_a_certificate_that_nobody_knows(self, tmp_path: Path) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate(tmp_path))

        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.close()

        async with await asyncio.start_server(answer, "127.0.0.1", 0, ssl=context) as secure:
            port = secure.sockets[0].getsockname()[1]
            error = await problem(Server(label="X", base_url=f"https://127.0.0.1:{port}/v1"))
        assert error.problem == "tls"
        assert "certificate" in error.remedy

    async def test_a_server_that_is_none(self) -> None:
        async def babble(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(b"220 mail.example ESMTP\r\n")
            await writer.drain()
            writer.close()

        other = await asyncio.start_server(babble, "127.0.0.1", 0)
        async with other:
            port = other.sockets[0].getsockname()[1]
            error = await problem(Server(label="X", base_url=f"http://127.0.0.1:{port}/v1"))
            assert error.problem == "wrong_server"

    async def test_a_server_that_says_nothing(self) -> None:
        async def hold(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read()
            writer.close()

        silent = await asyncio.start_server(hold, "127.0.0.1", 0)
        async with silent:
            port = silent.sockets[0].getsockname()[1]
            where = Server(label="X", base_url=f"http://127.0.0.1:{port}/v1")
            assert (await problem(where, patience_s=0.2)).problem == "timeout"

    async def test_an_address_that_is_none(self) -> None:
        error = await problem(Server(label="X", base_url="http://[::1/v1"))
        assert error.problem == "address"
