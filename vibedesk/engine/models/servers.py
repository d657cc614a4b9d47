"""What a model server says of itself: its models, what they can do, and exactly what is wrong when it says nothing.

models = await fetch_models(Server(base_url=…, wire="openai", kind="ollama", key=None))     # ServerProblemError
"""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

import httpx

from vibedesk.engine.models.keys import ApiKey
from vibedesk.engine.models.provider_config import ServerKind
from vibedesk.engine.models.server_facts import (
    ListedModel,
    Server,
    ServerProblemError,
    entry_facts,
    entry_name,
    llama_cpp_facts,
    lmstudio_facts,
    ollama_facts,
    ollama_loaded,
)
from vibedesk.engine.models.wire import is_loopback

PATIENCE_S: Final = 10.0
_MOST_DETAILS = 40
"""So many models of a local server are asked about one by one."""
_MOST_BYTES = 20_000_000


async def fetch_models(server: Server, *, patience_s: float = PATIENCE_S) -> list[ListedModel]:
    """Return the models that a server offers.

    Raises:
        ServerProblemError: it cannot be reached, or does not answer as such a server does.
    """
    _check_address(server)
    async with _client(server, patience_s) as client:
        data = await _get_models(client, server)
        entries = [entry for entry in data if isinstance(entry, dict) and entry_name(entry)]
        listed = [ListedModel(name=entry_name(e), facts=entry_facts(e)) for e in entries]
        more: Mapping[str, Mapping[str, Any]] = {}
        match server.kind:
            case "ollama":
                return await _ollama_models(client, server, listed)
            case "lmstudio":
                url = f"{server.root}/api/v0/models"
                more = lmstudio_facts(await _get_object(client, url) or {})
            case "llama-cpp":
                told = llama_cpp_facts(await _get_object(client, f"{server.root}/props") or {})
                more = {model.name: told for model in listed}
        return [
            ListedModel(name=model.name, facts={**model.facts, **more.get(model.name, {})})
            for model in listed
        ]


async def fetch_facts(
    server: Server, model: str, *, patience_s: float = PATIENCE_S
) -> Mapping[str, Any]:
    """Return what the server tells of one model; nothing where it does not know it.

    Raises:
        ServerProblemError: as `fetch_models`.
    """
    if server.kind == "ollama":
        async with _client(server, patience_s) as client:
            loaded = ollama_loaded(await _get_object(client, f"{server.root}/api/ps") or {})
            return await _ollama_show(client, server, model, loaded)
    listed = await fetch_models(server, patience_s=patience_s)
    return next((found.facts for found in listed if found.name == model), {})


async def identify(server: Server, *, patience_s: float = PATIENCE_S) -> ServerKind:
    """Return which kind of local server answers; empty where it does not say."""
    probes: list[tuple[ServerKind, str, str]] = [
        ("ollama", "/api/version", "version"),
        ("lmstudio", "/api/v0/models", "data"),
        ("llama-cpp", "/props", "default_generation_settings"),
    ]
    async with _client(server, patience_s) as client:
        for kind, path, mark in probes:
            if mark in (await _get_object(client, f"{server.root}{path}") or {}):
                return kind
        try:
            entries = await _get_models(client, server)
        except ServerProblemError:
            return ""
    vllm = any(isinstance(e, dict) and e.get("owned_by") == "vllm" for e in entries)
    return "vllm" if vllm else ""


def _check_address(server: Server) -> None:
    try:
        parts = urlsplit(server.base_url)
        valid = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        valid = False
    if not valid:
        raise ServerProblemError(
            "address",
            f"The address of {server.label} is not one.",
            "Correct it: it starts with http:// or https://.",
        )


def _client(server: Server, patience_s: float) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        headers={"accept": "application/json", **server.headers()},
        timeout=httpx.Timeout(patience_s),
        # A proxy is for the outside world.
        trust_env=not is_loopback(server.base_url),
    )


async def _get_models(client: httpx.AsyncClient, server: Server) -> list[Any]:
    response = await _get(client, server, server.models_url)
    if response.status_code != 200:
        raise await _refusal(client, server, response)
    data = _json(response)
    entries = data.get("data") if isinstance(data, dict) else None
    if not isinstance(entries, list):
        raise await _other_server(client, server)
    return entries


async def _get(client: httpx.AsyncClient, server: Server, url: str) -> httpx.Response:
    """Return the response, whatever its status.

    Raises:
        ServerProblemError: nobody answers.
    """
    host = urlsplit(server.base_url).netloc.rpartition("@")[2]
    try:
        return await client.get(url)
    except httpx.ConnectTimeout as error:
        raise ServerProblemError(
            "timeout",
            f"{host} does not answer.",
            "Check the address, the network and a firewall in between.",
        ) from error
    except httpx.TimeoutException as error:
        raise ServerProblemError(
            "timeout",
            f"{host} takes the question but does not answer in time.",
            "Try again; restart the server if it is yours.",
        ) from error
    except httpx.ConnectError as error:
        raise _no_connection(server, host, error) from error
    except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:
        raise ServerProblemError(
            "wrong_server",
            f"What answers at {host} does not speak HTTP as it should.",
            "Check the port, and whether the address starts with http:// or https://.",
        ) from error


def _no_connection(server: Server, host: str, error: httpx.ConnectError) -> ServerProblemError:
    text = str(error)
    if (
        isinstance(_root_cause(error), ssl.SSLError)
        or "SSL" in text
        or "CERTIFICATE" in text.upper()
    ):
        wrong_version = "WRONG_VERSION_NUMBER" in text or "RECORD_LAYER" in text
        remedy = (
            "The server speaks plain HTTP there: begin the address with http://."
            if wrong_version
            else "Check the address; for a server of your own, use a certificate that this machine trusts."
        )
        return ServerProblemError("tls", f"There is no secure connection to {host}.", remedy)
    if any(
        mark in text
        for mark in ("Name or service", "nodename", "getaddrinfo", "name resolution", "No address")
    ):
        return ServerProblemError(
            "unknown_host",
            f"There is no server named {host}.",
            "Check the address for typing mistakes, and the network.",
        )
    remedy = (
        f"Start {server.label}, or correct the port."
        if is_loopback(server.base_url)
        else "Check the address and port, and whether the server runs."
    )
    return ServerProblemError("no_server", f"Nothing answers at {host}.", remedy)


def _root_cause(error: BaseException) -> BaseException:
    while (cause := error.__cause__ or error.__context__) is not None:
        error = cause
    return error


async def _refusal(
    client: httpx.AsyncClient, server: Server, response: httpx.Response
) -> ServerProblemError:
    """Return what a status other than 200 means."""
    status, said = response.status_code, _said(response, server)
    details = {"status": str(status), **({"said": said} if said else {})}
    text = said.casefold()
    # Google says 400 to a key that is none.
    if status in (401, 403) or (status == 400 and "api key" in text):
        if server.key is None:
            return ServerProblemError(
                "key_missing", f"{server.label} wants a key.", "Enter it.", details=details
            )
        return ServerProblemError(
            "key",
            f"{server.label} does not accept the key.",
            _key_remedy(server.key),
            details=details,
        )
    if status == 402 or (status == 429 and ("quota" in text or "credit" in text)):
        return ServerProblemError(
            "quota",
            f"The account at {server.label} has no credit left.",
            "Add credit there, or use another provider.",
            details=details,
        )
    if status == 429:
        return ServerProblemError(
            "rate_limited",
            f"{server.label} asks to slow down.",
            "Wait a minute and test again.",
            details=details,
        )
    if status >= 500:
        return ServerProblemError(
            "server_down",
            f"{server.label} cannot answer right now (status {status}).",
            "Try again later.",
            details=details,
        )
    return await _other_server(client, server, details)


async def _other_server(
    client: httpx.AsyncClient, server: Server, details: Mapping[str, str] | None = None
) -> ServerProblemError:
    """Return what is wrong where somebody answers, but not a model server at that path."""
    for path in ("/v1", "/api/v1", "/v1beta/openai"):
        base = f"{server.root}{path}"
        if server.wire == "openai" and base != server.base_url.rstrip("/"):
            found = await _get_object(client, f"{base}/models")
            if isinstance((found or {}).get("data"), list):
                return ServerProblemError(
                    "wrong_path",
                    f"The address of {server.label} has the wrong path.",
                    f"Use {base}.",
                    details={**(details or {}), "address": base},
                )
    host = urlsplit(server.base_url).netloc.rpartition("@")[2]
    return ServerProblemError(
        "wrong_server",
        f"What answers at {host} is no server with models for {server.label}.",
        "Check the address and port: another program answers there.",
        details=details,
    )


async def _get_object(client: httpx.AsyncClient, url: str) -> dict[str, Any] | None:
    """Return the object at an address that may not be there."""
    try:
        response = await client.get(url)
    except (httpx.HTTPError, httpx.InvalidURL):
        return None
    data = _json(response) if response.status_code == 200 else None
    return data if isinstance(data, dict) else None


def _json(response: httpx.Response) -> Any:
    if len(response.content) > _MOST_BYTES:
        return None
    try:
        return json.loads(response.content)
    except (ValueError, RecursionError):
        return None


def _said(response: httpx.Response, server: Server) -> str:
    """Return what the server says went wrong, without the key."""
    data = _json(response)
    data = data[0] if isinstance(data, list) and data else data
    told = data.get("error", data.get("detail", "")) if isinstance(data, dict) else ""
    text = told.get("message", "") if isinstance(told, dict) else told
    said = " ".join(str(text).split())[:300]
    return said if server.key is None else said.replace(server.key.value, "…")


def _key_remedy(key: ApiKey) -> str:
    if key.source == "environment":
        return f"Check the environment variable {key.variable}, which overrides what is entered."
    return "Copy the key again from the provider's page."


async def _ollama_models(
    client: httpx.AsyncClient, server: Server, listed: list[ListedModel]
) -> list[ListedModel]:
    """Return the models with what Ollama shows of each; of very many, of the first."""
    loaded = ollama_loaded(await _get_object(client, f"{server.root}/api/ps") or {})
    asked = listed[:_MOST_DETAILS]
    facts = await asyncio.gather(*(_ollama_show(client, server, m.name, loaded) for m in asked))
    detailed = [
        ListedModel(name=model.name, facts=told) for model, told in zip(asked, facts, strict=True)
    ]
    return detailed + listed[_MOST_DETAILS:]


async def _ollama_show(
    client: httpx.AsyncClient, server: Server, model: str, loaded: Mapping[str, int]
) -> dict[str, Any]:
    try:
        response = await client.post(f"{server.root}/api/show", json={"model": model})
    except (httpx.HTTPError, httpx.InvalidURL):
        return {}
    told = _json(response) if response.status_code == 200 else None
    return ollama_facts(told, loaded.get(model)) if isinstance(told, dict) else {}
