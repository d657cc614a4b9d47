"""The models page: routes and presets, connection tests, local servers; on the real engine against loopback servers."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator

import pytest

from tests.engine.models.test_model_providers import MemoryKeychain, keychain
from tests.engine.models.test_model_servers import LLAMA_CPP, LM_STUDIO, OLLAMA, VLLM
from tests.support import model_faults as faults
from tests.support.model_http import API_KEY
from tests.support.model_server import Document, ModelServer
from tests.support.tiny_app import TINY_TEMPLATE, script_tiny_app
from vibedesk.base.errors import InvalidInputError, NotFoundError
from vibedesk.base.paths import Home
from vibedesk.engine import model_setup
from vibedesk.engine.engine import Engine
from vibedesk.engine.models.protocol import NoModelError
from vibedesk.engine.models.provider_config import built_in_providers
from vibedesk.engine.project_options import ProjectOptions
from vibedesk.engine.views import ConnectionView, RouteStepView

__all__ = ["keychain"]

MODELS = Document({"data": [{"id": "tiny"}, {"id": "big"}]}, for_key=True)


@pytest.fixture
async def server() -> AsyncIterator[ModelServer]:
    async with ModelServer() as running:
        running.documents = {"/v1/models": MODELS}
        yield running


@pytest.fixture
async def engine(
    home: Home, keychain: MemoryKeychain, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Engine]:
    for config in built_in_providers():
        for variable in (config.base_url_env, config.model_env, *(k.name for k in config.key_envs)):
            if variable:
                monkeypatch.delenv(variable, raising=False)
    made = Engine(home)
    await asyncio.to_thread(made.start)
    yield made
    await made.shutdown()


async def steps(engine: Engine, operation: str) -> list[tuple[str, str]]:
    routes = await engine.routes()
    (route,) = [route for route in routes.routes if route.operation == operation]
    return [(step.provider, step.model) for step in route.steps]


class TestRoutes:
    async def test_nothing_set_up_is_said_for_every_operation(self, engine: Engine) -> None:
        routes = await engine.routes()
        assert routes.preset == "balanced"
        assert [route.operation for route in routes.routes] == [
            "blueprint", "plan_phase", "implement_phase", "fix", "converse",
        ]  # fmt: skip
        assert all("No model is set up" in route.problem for route in routes.routes)

    async def test_a_preset_orders_what_is_ready_the_chosen_provider_first(
        self, engine: Engine
    ) -> None:
        await engine.set_up_provider("anthropic", key="sk-a")
        await engine.set_up_provider("xai", key="sk-x")
        assert await steps(engine, "fix") == [
            ("xai", "grok-4.5"),
            ("anthropic", "claude-sonnet-5-5"),
        ]
        await engine.set_preset("best")
        assert await steps(engine, "fix") == [("xai", "grok-4.5"), ("anthropic", "claude-opus-5-5")]
        await engine.set_preset("cheap")
        assert await steps(engine, "fix") == [
            ("xai", "grok-4.3"),
            ("anthropic", "claude-haiku-5-5"),
        ]

    async def test_local_asks_nobody_outside(self, engine: Engine) -> None:
        await engine.set_up_provider("anthropic", key="sk-a")
        await engine.set_preset("local")
        (route, *_) = (await engine.routes()).routes
        assert not route.steps
        assert route.problem
        await engine.set_up_provider("ollama", model="qwen3:8b")
        assert await steps(engine, "converse") == [("ollama", "qwen3:8b")]

    async def test_who_chose_a_local_model_is_not_sent_to_another_one(self, engine: Engine) -> None:
        await engine.set_up_provider("anthropic", key="sk-a")
        await engine.set_up_provider("ollama", model="qwen3:8b")
        await engine.set_up_provider("vllm", model="glm", use=False)
        for preset in ("best", "balanced", "cheap", "custom"):
            await engine.set_preset(preset)
            assert await steps(engine, "implement_phase") == [
                ("ollama", "qwen3:8b"),
                ("vllm", "glm"),
            ]
        await engine.set_up_provider("anthropic")
        assert [name for name, _ in await steps(engine, "fix")] == ["anthropic", "ollama", "vllm"]

    async def test_what_a_chosen_local_server_lacks_is_said(self, engine: Engine) -> None:
        await engine.set_up_provider("anthropic", key="sk-a")
        await engine.set_up_provider("ollama")
        (route, *_) = (await engine.routes()).routes
        assert not route.steps
        assert "No model of Ollama is chosen" in route.problem
        with pytest.raises(NoModelError, match="Ollama"):
            await engine._ours.models.model(ProjectOptions())
        named = await engine._ours.models.model(ProjectOptions(provider="anthropic"))
        assert named.provider == "anthropic"

    async def test_a_route_of_ones_own_is_kept_and_others_stay(self, engine: Engine) -> None:
        await engine.set_up_provider("anthropic", key="sk-a")
        own = RouteStepView(
            provider="google", model="gemini-4-neon", temperature=0.3, max_output_tokens=9000,
            reasoning_effort="high",
        )  # fmt: skip
        await engine.set_route(
            "fix", [own, RouteStepView(provider="anthropic", model="claude-opus-5")]
        )
        routes = await engine.routes()
        assert routes.preset == "custom"
        (fix,) = [route for route in routes.routes if route.operation == "fix"]
        assert fix.steps[0].temperature == 0.3
        assert "no key for Google" in fix.steps[0].problem
        assert fix.steps[0].remedy
        assert not fix.problem, "the second step can be used"
        assert await steps(engine, "converse") == [("anthropic", "claude-sonnet-5-5")]
        await engine.set_preset("balanced")
        await engine.set_preset("custom")
        assert await steps(engine, "fix") == [
            ("google", "gemini-4-neon"),
            ("anthropic", "claude-opus-5"),
        ]
        await engine.set_route("fix", [])
        assert await steps(engine, "fix") == [("anthropic", "claude-sonnet-5-5")]

    async def test_what_no_route_can_be_is_refused(self, engine: Engine) -> None:
        good = RouteStepView(provider="openai", model="m")
        with pytest.raises(InvalidInputError):
            await engine.set_preset("luxury")
        with pytest.raises(InvalidInputError):
            await engine.set_route("dance", [good])
        with pytest.raises(NotFoundError):
            await engine.set_route("fix", [RouteStepView(provider="nobody", model="m")])
        for wrong in (
            RouteStepView(provider="openai", model=""),
            RouteStepView(provider="openai", model="m", temperature=9),
            RouteStepView(provider="openai", model="m", max_output_tokens=0),
        ):
            with pytest.raises(InvalidInputError):
                await engine.set_route("fix", [wrong])
        assert (await engine.routes()).preset == "balanced"

    async def models(self, engine: Engine, **options: str) -> list[str]:
        router = await engine._ours.models.router("p", ProjectOptions(**options))  # type: ignore[arg-type]
        names = [model.name for model in router.models]
        await router.aclose()
        return names

    async def test_a_projects_own_model_is_the_first_step(self, engine: Engine) -> None:
        await engine.set_up_provider("anthropic", key="sk-a")
        await engine.set_up_provider("openai", key="sk-o")
        assert await self.models(engine) == ["gpt-6.1-sol", "claude-sonnet-5-5"]
        # Who names one has not asked for the others.
        assert await self.models(engine, model="gpt-5.4") == ["gpt-5.4"]
        assert await self.models(engine, provider="anthropic") == ["claude-sonnet-5-5"]
        fallback = RouteStepView(provider="anthropic", model="claude-opus-5-5")
        for operation in ("blueprint", "plan_phase", "implement_phase", "fix", "converse"):
            await engine.set_route(operation, [fallback])
        assert await self.models(engine, model="claude-x") == ["claude-x", "claude-opus-5-5"]

    async def test_a_project_with_a_local_model_falls_back_to_nobody_outside(
        self, engine: Engine
    ) -> None:
        await engine.set_up_provider("anthropic", key="sk-a")
        fallback = RouteStepView(provider="anthropic", model="claude-opus-5-5")
        for operation in ("blueprint", "plan_phase", "implement_phase", "fix", "converse"):
            await engine.set_route(operation, [fallback])
        assert await self.models(engine, provider="llama-cpp", model="gemma") == ["gemma"]

    async def test_an_operation_without_a_usable_step_names_what_is_missing(
        self, engine: Engine
    ) -> None:
        await engine.set_route("fix", [
            RouteStepView(provider="google", model="g"), RouteStepView(provider="xai", model="x"),
        ])  # fmt: skip
        (route,) = [r for r in (await engine.routes()).routes if r.operation == "fix"]
        assert "no key for Google" in route.problem
        assert "no key for xAI" in route.problem
        with pytest.raises(NoModelError, match="no key for Google"):
            await engine.create("x", ProjectOptions(provider="google", model="g"))

    async def test_a_bad_file_of_facts_is_named_and_kept(self, engine: Engine, home: Home) -> None:
        path = home.root / "models.json"
        path.write_text('{"models": {"m": {"images": "yes"}}}')
        await_problem = (await engine.routes()).problem
        assert "models.m.images" in await_problem
        with pytest.raises(InvalidInputError, match=r"models\.m\.images"):
            await engine.create("x")
        assert "yes" in path.read_text()

    async def test_each_operation_is_asked_as_its_route_says(
        self, engine: Engine, server: ModelServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        script_tiny_app(server)
        await engine.set_up_provider("openai", key=API_KEY, base_url=f"{server.url}/v1")
        for operation, model in (("blueprint", "gpt-5.4"), ("implement_phase", "gpt-4.1")):
            step = RouteStepView(
                provider="openai", model=model, temperature=0.25, max_output_tokens=3000,
                reasoning_effort="low",
            )  # fmt: skip
            await engine.set_route(operation, [step])
        project_id = await engine.create("Count", ProjectOptions(template=str(TINY_TEMPLATE)))
        await engine.generate(project_id)
        await engine.wait(project_id)
        asked = {request.operation: request.body for request in server.requests}
        assert asked["blueprint"]["model"] == "gpt-5.4"
        assert asked["blueprint"]["reasoning_effort"] == "low"
        assert "temperature" not in asked["blueprint"], "that model takes none"
        assert asked["implement_phase"]["model"] == "gpt-4.1"
        assert asked["implement_phase"]["temperature"] == 0.25
        assert asked["implement_phase"]["max_completion_tokens"] == 3000
        assert asked["plan_phase"]["model"] == "gpt-6.1-sol"

    async def test_a_change_of_routes_holds_for_the_next_question_of_what_runs(
        self, engine: Engine, server: ModelServer
    ) -> None:
        script_tiny_app(server)
        await engine.set_up_provider("openai", key=API_KEY, base_url=f"{server.url}/v1")
        server.fail(faults.stall(after_chars=5), operation="blueprint")
        project_id = await engine.create("Count", ProjectOptions(template=str(TINY_TEMPLATE)))
        await engine.generate(project_id)
        await server.wait_until(lambda: bool(server.requests))
        await engine.set_preset("cheap")
        server.release()
        await engine.wait(project_id)
        models = [request.body["model"] for request in server.requests]
        assert models[0] == "gpt-6.1-sol"
        assert set(models[1:]) == {"gpt-6-luna"}


class TestConnection:
    async def test_a_working_provider_answers(self, engine: Engine, server: ModelServer) -> None:
        server.answer("ready")
        outcome = await engine.test_connection(
            "openai", key=API_KEY, base_url=f"{server.url}/v1", model="tiny"
        )
        assert (outcome.ok, outcome.code, outcome.models) == (True, "ok", ("tiny", "big"))
        assert outcome.latency > 0
        assert "tiny answers" in outcome.message
        (view,) = [p for p in await engine.providers() if p.name == "openai"]
        assert not view.ready, "a test keeps nothing"

    async def test_anthropics_own_form(self, engine: Engine, server: ModelServer) -> None:
        server.answer("ready")
        outcome = await engine.test_connection(
            "anthropic", key=API_KEY, base_url=server.url, model="big"
        )
        assert outcome.ok, outcome.message

    async def test_a_server_of_ones_own_that_is_not_set_up_yet(
        self, engine: Engine, server: ModelServer
    ) -> None:
        server.documents = VLLM
        server.answer("ready")
        outcome = await engine.test_connection("my-server", base_url=f"{server.url}/v1")
        assert outcome.ok, outcome.message
        assert "q answers" in outcome.message

    async def check(
        self,
        engine: Engine,
        server: ModelServer,
        *,
        key: str = API_KEY,
        path: str = "/v1",
        model: str = "tiny",
    ) -> ConnectionView:
        outcome = await engine.test_connection(
            "openai", key=key, base_url=f"{server.url}{path}", model=model
        )
        assert not outcome.ok
        assert outcome.message
        assert outcome.remedy
        assert API_KEY not in str(outcome)
        return outcome

    async def test_each_problem_is_named(self, engine: Engine, server: ModelServer) -> None:
        assert (await self.check(engine, server, key="sk-wrong")).code == "key"
        assert (await self.check(engine, server, key="two words")).code == "key"
        assert (await self.check(engine, server, path="/v2")).code == "wrong_path"
        unknown = await self.check(engine, server, model="tinny")
        assert unknown.code == "model"
        assert "tiny" in unknown.remedy
        assert unknown.models == ("tiny", "big")
        no_key = await engine.test_connection("google")
        assert no_key.code == "key_missing"
        no_address = await engine.test_connection("openai-compatible")
        assert no_address.code == "address"
        with pytest.raises(NotFoundError):
            await engine.test_connection("nobody")

    @pytest.mark.parametrize(
        ("fault", "code"),
        [
            (faults.status(402), "quota"),
            (faults.status(429, error_type="insufficient_quota"), "quota"),
            (faults.status(429), "rate_limited"),
            (faults.status(404), "model"),
            (faults.status(400, message="no such model"), "model"),
            (faults.status(503), "server_down"),
            (faults.status(401), "key"),
            (faults.html(), "server_down"),
        ],
        ids=lambda value: value if isinstance(value, str) else "",
    )
    async def test_what_only_an_answer_shows(
        self, engine: Engine, server: ModelServer, fault: faults.Fault, code: str
    ) -> None:
        server.fail(fault)
        assert (await self.check(engine, server)).code == code

    async def test_a_server_that_is_down(self, engine: Engine, server: ModelServer) -> None:
        await server.refuse_connections()
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        outcome = await engine.test_connection(
            "ollama", base_url=f"http://127.0.0.1:{port}/v1", model="x"
        )
        await server.accept_connections()
        assert outcome.code == "no_server"
        assert "Start Ollama" in outcome.remedy

    async def test_a_server_without_a_model(self, engine: Engine, server: ModelServer) -> None:
        server.documents = {"/v1/models": Document({"data": []})}
        outcome = await engine.test_connection("lmstudio", base_url=f"{server.url}/v1")
        assert outcome.code == "model"

    async def test_a_small_context_is_told(self, engine: Engine, server: ModelServer) -> None:
        show = Document({"model_info": {"x.context_length": 262144}, "capabilities": []})
        server.documents = {**OLLAMA, "/api/show": show}
        server.answer("ready")
        outcome = await engine.test_connection(
            "ollama", base_url=f"{server.url}/v1", model="qwen3:8b"
        )
        assert outcome.ok
        assert "4,096" in outcome.message


async def test_models_are_listed_with_what_is_known(engine: Engine, server: ModelServer) -> None:
    server.documents = {"/v1/models": Document({"data": [{"id": "gpt-5.4"}, {"id": "gpt-x"}]})}
    await engine.set_up_provider("openai", key=API_KEY, base_url=f"{server.url}/v1")
    known, unknown = await engine.list_models("openai")
    assert (known.name, known.known, known.input_price) == ("gpt-5.4", True, 2.5)
    assert known.price_date.startswith("20")
    assert (unknown.known, unknown.input_price) == (False, None)
    assert unknown.images, "as the provider's models do"


async def test_local_servers_are_found_and_named(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    for patience in ("_REACH_PATIENCE_S", "_DISCOVERY_PATIENCE_S"):
        monkeypatch.setattr(model_setup, patience, 30.0)  # they need not be quick
    async with ModelServer() as ollama, ModelServer() as lmstudio, ModelServer() as elsewhere:
        ollama.documents = OLLAMA
        lmstudio.documents = LM_STUDIO
        elsewhere.documents = VLLM
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            closed = free.getsockname()[1]
        ports = {
            "ollama": int(ollama.url.rpartition(":")[2]),
            "lmstudio": int(lmstudio.url.rpartition(":")[2]),
            "llama-cpp": int(elsewhere.url.rpartition(":")[2]),
            "vllm": closed,
        }
        found = await engine.discover_local(ports)
        assert [(view.provider, view.models) for view in found] == [
            ("ollama", ("qwen3:8b", "loaded:8b")),
            ("lmstudio", ("qwen2-vl", "llama")),
            ("vllm", ("q",)),
        ]
        assert found[2].base_url == f"{elsewhere.url}/v1"
        assert found[0].label == "Ollama"


async def test_another_program_at_the_port_is_no_model_server(engine: Engine) -> None:
    async with ModelServer() as other:
        other.documents = {"/v1/models": Document({"hello": "world"})}
        port = int(other.url.rpartition(":")[2])
        assert await engine.discover_local({"llama-cpp": port}) == []


async def test_what_a_local_server_tells_shapes_the_questions(
    engine: Engine, server: ModelServer
) -> None:
    server.documents = LLAMA_CPP
    await engine.set_up_provider("llama-cpp", base_url=f"{server.url}/v1", model="gemma")
    router = await engine._ours.models.router("p", ProjectOptions())
    (model,) = router.models
    assert model.capabilities.context_window == 24576
    assert model.capabilities.images
    assert model.capabilities.price is not None
    await router.aclose()


async def test_providers_say_what_kind_they_are(engine: Engine, server: ModelServer) -> None:
    await engine.set_up_provider("ollama", base_url=f"{server.url}/v1", model="x")
    await engine.set_up_provider("mine", key="k", base_url="https://gateway.example/v1", model="m")
    views = {view.name: view for view in await engine.providers()}
    assert views["ollama"].kind == "local"
    assert views["ollama"].reachable is True
    assert views["vllm"].reachable in (True, False)
    assert views["anthropic"].reachable is None
    assert views["anthropic"].key_page
    assert "claude-opus-5-5" in views["anthropic"].models
    assert views["mine"].own
    assert not views["openai"].own
    assert json.dumps([view.to_dict() for view in views.values()])


class TestForgetting:
    async def test_a_provider_of_ones_own_goes_with_its_key(
        self, engine: Engine, keychain: MemoryKeychain
    ) -> None:
        await engine.set_up_provider("mine", key="k", base_url="https://a.example/v1", model="m")
        await engine.remove_provider("mine")
        assert "mine" not in [view.name for view in await engine.providers()]
        assert keychain.kept == {}
        assert not any(route.steps for route in (await engine.routes()).routes)
        with pytest.raises(NotFoundError):
            await engine.remove_provider("mine")

    async def test_one_that_ships_with_vibedesk_is_as_new(
        self, engine: Engine, keychain: MemoryKeychain
    ) -> None:
        (before,) = [view for view in await engine.providers() if view.name == "openai"]
        await engine.set_up_provider("openai", key="k", base_url="https://a.example/v1")
        await engine.remove_provider("openai")
        (after,) = [view for view in await engine.providers() if view.name == "openai"]
        assert after == before
        assert keychain.kept == {}

    async def test_what_is_set_up_beside_leaves_the_first_one(self, engine: Engine) -> None:
        await engine.set_up_provider("anthropic", key="k")
        await engine.set_up_provider("xai", key="k", use=False)
        assert [provider for provider, _ in await steps(engine, "fix")] == ["anthropic", "xai"]


async def test_facts_of_models_are_told_without_asking_anyone(engine: Engine, home: Home) -> None:
    own = {"models": {"mine": {"price": {"input": 1, "output": 2}}}}
    (home.root / "models.json").write_text(json.dumps(own))
    [mine] = await engine.model_facts("openai", ["mine"])
    assert (mine.input_price, mine.price_from, mine.price_date) == (1, "person", "")
    known, unknown = await engine.model_facts("anthropic", ["claude-opus-5-5", "never-heard-of"])
    assert (known.name, known.known, known.input_price) == ("claude-opus-5-5", True, 4)
    assert (bool(known.price_date), known.price_from) == (True, "shipped")
    assert (known.temperature, unknown.temperature) == (False, False), "as Anthropic's models"
    assert unknown.input_price is None
    [warm] = await engine.model_facts("google", ["gemini-3.8-flash"])
    assert warm.temperature
    with pytest.raises(NotFoundError):
        await engine.model_facts("nobody", ["m"])


async def test_the_variable_that_a_key_is_from_is_named(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XAI_API_KEY", "sk-env")
    (view,) = [view for view in await engine.providers() if view.name == "xai"]
    assert (view.key_source, view.key_variable) == ("environment", "XAI_API_KEY")
