"""An answer that cannot be used is asked for again, but not for ever; then the person is told why it stopped."""

from __future__ import annotations

from itertools import count

from tests.engine.agent.conftest import Bench
from tests.support.mendable_app import GOOD, script_app
from tests.support.model_http import ReceivedRequest
from tests.support.tiny_app import misfit
from vibedesk.engine.events import ErrorReported


async def answered(bench: Bench, *paths: str) -> tuple[list[str], str]:
    """Have every answer to a wish be a patch that fits nowhere; return what was said meanwhile, and why it ended."""
    script_app(bench.server, GOOD)
    project_id = await bench.build()
    numbers = count()

    def answer(request: ReceivedRequest) -> str:
        path = paths[next(numbers) % len(paths)]
        return f"{'Done.' if request.operation == 'converse' else ''}\n\n{misfit(path)}"

    bench.server.answer_with(answer)
    await bench.engine.say(project_id, "Change it")
    await bench.engine.wait(project_id)
    assert await bench.state(project_id) == "error"
    [error] = bench.told(ErrorReported)
    return bench.notices("bad_answer"), error.message


async def test_the_same_useless_answer_ends_the_run_the_third_time(bench: Bench) -> None:
    said, why = await answered(bench, "index.html")
    refused = "The model did not send index.html, also when asked again."
    assert said == [f"{refused} Trying once more."] * 2
    assert why == f"{refused} That happened 3 times, so the run stopped."


async def test_useless_answers_that_differ_end_the_run_the_sixth_time(bench: Bench) -> None:
    said, why = await answered(bench, *[f"file-{number}.js" for number in range(99)])
    assert len(said) == 5
    assert len(set(said)) == 5
    assert why.endswith("also when asked again. No answer of 6 could be used, so the run stopped.")
