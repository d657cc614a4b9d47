"""A model provider that fails in every way: a retry, or a clear error that can be gone on from. No file is lost."""

from __future__ import annotations

import pytest

from tests.e2e.studio import Project, Studio, blueprint, plan, whole_file
from tests.support import model_faults as faults
from tests.support.model_faults import Fault
from tests.support.model_server import ModelServer
from vibedesk.engine.events import ErrorReported, FileEnd, Notice, Resumed, Waiting
from vibedesk.engine.views import ProjectView

pytestmark = pytest.mark.e2e

FILES = {
    "src/App.tsx": "export default function App() {\n  return <h1>Hello</h1>\n}\n",
    "src/words.ts": "export const words = ['one', 'two', 'three']\n",
    "src/last.ts": "export const last = true\n",
}
ANSWER = "".join(whole_file(path, text) for path, text in FILES.items())
IN_SECOND_FILE = ANSWER.index("'two'")


@pytest.fixture
async def project(studio: Studio, server: ModelServer) -> Project:
    """A project whose model, apart from what a test adds, answers well."""
    server.answer(blueprint(*FILES), operation="blueprint")
    server.answer(ANSWER, operation="implement_phase")
    return await studio.project(server)


async def assert_whole(project: Project, view: ProjectView) -> None:
    assert view.state == "complete", view.reason
    for path, text in FILES.items():
        assert await project.read(path) == text
        assert await project.on_disk(path) == text.encode()
    project.assert_gapless()


class TestPassingFailures:
    """The person sees that it waits, and nothing else."""

    @pytest.mark.parametrize(
        ("fault", "reason"),
        [
            (faults.status(429, retry_after=1), "rate_limit"),
            (faults.status(500), "network"),
            (faults.status(529), "network"),
            (faults.drop(), "network"),
            (faults.error_event("overloaded_error"), "network"),
            (faults.broken_sse(), "network"),
            (faults.broken_json(), "network"),
            (faults.no_stop(), "network"),
        ],
        ids=["429", "500", "529", "drop", "error-event", "broken-sse", "broken-json", "no-stop"],
    )
    @pytest.mark.parametrize("operation", ["blueprint", "implement_phase"])
    async def test_is_asked_again(
        self, project: Project, server: ModelServer, operation: str, fault: Fault, reason: str
    ) -> None:
        server.fail(fault, operation=operation)
        await assert_whole(project, await project.build())
        assert len(server.requests_for(operation)) == 2
        assert "continue" not in project.operations()
        assert [waiting.reason for waiting in project.told(Waiting)] == [reason]
        assert [resumed.reason for resumed in project.told(Resumed)] == [reason]
        assert project.told(ErrorReported) == []

    @pytest.mark.parametrize(
        "fault",
        [
            faults.drop(after_chars=IN_SECOND_FILE),
            faults.error_event("overloaded_error", after_chars=IN_SECOND_FILE),
            faults.broken_sse(after_chars=IN_SECOND_FILE),
            faults.broken_json(after_chars=IN_SECOND_FILE),
            faults.no_stop(after_chars=IN_SECOND_FILE),
        ],
        ids=["drop", "error-event", "broken-sse", "broken-json", "no-stop"],
    )
    async def test_inside_a_file_is_gone_on_from(
        self, project: Project, server: ModelServer, fault: Fault
    ) -> None:
        rest = ANSWER[ANSWER.index("cat > src/words.ts") :]
        server.fail(fault, operation="implement_phase")
        server.answer(rest, operation="continue")
        await assert_whole(project, await project.build())
        assert project.operations() == ["blueprint", "implement_phase", "continue"]
        assert sorted(end.path for end in project.told(FileEnd)) == sorted(FILES)
        assert "stream_interrupted" in [notice.code for notice in project.told(Notice)]

    @pytest.mark.parametrize(("how", "seconds"), [("", "3"), ("pings", "1")])
    async def test_a_stall_is_noticed(
        self,
        studio: Studio,
        server: ModelServer,
        monkeypatch: pytest.MonkeyPatch,
        how: str,
        seconds: str,
    ) -> None:
        monkeypatch.setenv("VIBEDESK_STALL_SECONDS", seconds)
        server.answer(blueprint(*FILES), operation="blueprint")
        server.answer(ANSWER, operation="implement_phase")
        server.fail(faults.stall(after_chars=IN_SECOND_FILE, how=how), operation="implement_phase")
        server.answer(ANSWER, operation="continue")
        project = await studio.project(server)
        await assert_whole(project, await project.build())
        assert project.operations() == ["blueprint", "implement_phase", "continue"]
        assert [r.client_left for r in server.requests_for("implement_phase")] == [True]


class TestFailuresThatStay:
    @pytest.mark.parametrize(
        ("code", "error_code", "word"),
        [
            (401, "key_rejected", "key"),
            (402, "quota_exceeded", "credit"),
            (403, "key_rejected", "key"),
            (404, "request_refused", "model"),
            (400, "request_refused", ""),
        ],
    )
    async def test_stop_with_a_clear_error_and_go_on_once_it_is_mended(
        self, project: Project, server: ModelServer, code: int, error_code: str, word: str
    ) -> None:
        server.fail(faults.status(code), operation="implement_phase")
        view = await project.build()
        assert view.state == "error"
        [error] = project.told(ErrorReported)
        assert error.code == error_code
        assert word in f"{error.message} {error.remedy}".lower()
        assert error.remedy
        assert len(server.requests_for("implement_phase")) == 1, "asking again would not help"
        await assert_whole(project, await project.resume())

    async def test_a_server_that_stays_down_ends_in_an_error_and_loses_nothing(
        self, project: Project, server: ModelServer
    ) -> None:
        """It goes down in the middle of an answer: what came stays, and is not asked for again."""
        server.fail(faults.drop(after_chars=IN_SECOND_FILE), operation="implement_phase")
        server.fail(faults.status(401), operation="continue")
        view = await project.build()
        assert view.state == "error"
        assert await project.read("src/App.tsx") == FILES["src/App.tsx"]

        server.answer(ANSWER[ANSWER.index("cat > src/words.ts") :], operation="continue")
        await assert_whole(project, await project.resume())
        question = str(server.requests_for("continue")[-1].messages[-1]["content"])
        assert "broke off inside src/words.ts" in question
        assert "finished: src/App.tsx" in question
        ends = [end.path for end in project.told(FileEnd)]
        assert sorted(ends) == sorted(FILES), "no finished file came twice"

    async def test_a_500_that_stays_is_given_up_after_the_time_that_is_set(
        self, project: Project, server: ModelServer
    ) -> None:
        await project.studio.engine.set_setting("models.retry", {"base_s": 0.1, "outage_s": 0})
        server.fail(faults.status(500), operation="blueprint", times=4)
        view = await project.build()
        assert view.state == "error"
        assert len(server.requests_for("blueprint")) == 4
        [error] = project.told(ErrorReported)
        assert error.code == "model_unavailable"
        await project.studio.engine.set_setting("models.retry", {})
        await assert_whole(project, await project.resume())

    async def test_packages_named_before_the_failure_are_installed_after_it(
        self, studio: Studio, server: ModelServer
    ) -> None:
        """The answer that goes on does not name them again."""
        answer = "npm install nanoid@5.1.6\n\n" + ANSWER
        at = answer.index("'two'")
        server.answer(blueprint(*FILES), operation="blueprint")
        server.answer(answer, operation="implement_phase")
        server.fail(faults.drop(after_chars=at), operation="implement_phase")
        server.fail(faults.status(401), operation="continue")
        project = await studio.project(server)
        assert (await project.build()).state == "error"
        server.answer(answer[answer.index("cat > src/words.ts") :], operation="continue")
        await assert_whole(project, await project.resume())
        assert '"nanoid": "5.1.6"' in await project.read("package.json")

    async def test_all_files_had_come_before_the_failure(
        self, project: Project, server: ModelServer
    ) -> None:
        """Nothing is left to ask for, and an answer that says so is no failure."""
        server.fail(faults.drop(after_chars=len(ANSWER)), operation="implement_phase")
        server.fail(faults.status(401), operation="continue")
        assert (await project.build()).state == "error"
        server.answer("Everything was sent.", operation="continue")
        await assert_whole(project, await project.resume())

    async def test_a_broken_plan_keeps_the_phase_before(
        self, studio: Studio, server: ModelServer
    ) -> None:
        server.answer(blueprint(*FILES, last=False), operation="blueprint")
        server.answer(ANSWER, operation="implement_phase")
        for _ in range(2):
            server.answer("I would rather not.", operation="plan_phase")
        project = await studio.project(server)
        view = await project.build()
        assert view.state == "error"
        assert [phase.completed for phase in view.phases] == [True]
        assert project.told(ErrorReported)[-1].code == "bad_answer"

        server.answer(str(plan("src/more.ts")).replace("'", '"').replace("True", "true"),
                      operation="plan_phase")  # fmt: skip
        server.answer(whole_file("src/more.ts", "more\n"), operation="implement_phase")
        await assert_whole(project, await project.resume())
        assert await project.read("src/more.ts") == "more\n"

    async def test_a_conversation_that_fails_leaves_the_app_as_it_is(
        self, project: Project, server: ModelServer
    ) -> None:
        await assert_whole(project, await project.build())
        server.fail(faults.status(401), operation="converse")
        view = await project.say("make it blue")
        await assert_whole(project, view)
        assert [error.code for error in project.told(ErrorReported)] == ["key_rejected"]

        server.answer(
            "Blue now.\n\n" + whole_file("src/blue.css", "h1 { color: blue }\n"),
            operation="converse",
        )
        view = await project.say("make it blue, please")
        await assert_whole(project, view)
        assert await project.read("src/blue.css") == "h1 { color: blue }\n"

    async def test_a_conversation_whose_answer_breaks_off_is_asked_for_again(
        self, project: Project, server: ModelServer
    ) -> None:
        await assert_whole(project, await project.build())
        server.fail(break_off_an_answer(server), operation="converse")
        view = await project.say("make it blue")
        assert view.state == "complete"
        assert await project.read("src/words.ts") == "export const words = []\n"
        assert [message.text for message in view.messages] == ["make it blue", "Blue now."]
        assert project.told(ErrorReported) == []

    async def test_a_conversation_whose_answer_keeps_breaking_off_is_told_and_can_be_repeated(
        self, project: Project, server: ModelServer
    ) -> None:
        await assert_whole(project, await project.build())
        server.fail(break_off_an_answer(server), operation="converse", times=3)
        view = await project.say("make it blue")
        await assert_whole(project, view)
        assert [error.code for error in project.told(ErrorReported)] == ["model_interrupted"]
        view = await project.say("make it blue")
        assert view.state == "complete"
        assert await project.read("src/words.ts") == "export const words = []\n"


def break_off_an_answer(server: ModelServer) -> Fault:
    """Script the answer that empties a file; return what breaks it off inside that file."""
    answer = "Blue now.\n\n" + whole_file("src/words.ts", "export const words = []\n")
    server.answer(answer, operation="converse")
    return faults.drop(after_chars=answer.index("export"))
