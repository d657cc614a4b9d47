"""The steps of a check on small pages: what a page does passes, what it does not is named."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from io import BytesIO
from typing import Any

import pytest
from PIL import Image

from tests.engine.browser.conftest import Site
from vibedesk.engine.browser.process import BrowserProcess
from vibedesk.engine.browser.reports import PHONE, CheckOutcome

pytestmark = pytest.mark.asyncio(loop_scope="package")

Check = Callable[..., Awaitable[CheckOutcome]]
GOTO = {"do": "goto", "path": "/"}
# A page says itself when it has its answer: a busy machine takes long over one.
TELL = "() => { document.title = 'done' }"
TOLD = {"do": "expectTitle", "text": "done"}

SHOP = """
<style>.hidden { display: none } #a, #b { width: 120px; height: 80px; background: #ddd; margin: 8px }</style>
<h1>Shop   of
  things</h1><p class="hidden">secret</p><ul><li>One</li><li>Two</li></ul>
<input aria-label="Name"><input type="file" style="display: none">
<select aria-label="Size"><option value="s">Small</option><option value="l">Large</option></select>
<button id="add">Add</button><button id="ask">Ask</button><a download="list.csv" href="data:text/csv,name;price">Save</a>
<div id="a">A</div><div id="b">B</div><p id="out"></p>
<script>
const out = document.querySelector('#out')
document.querySelector('#add').onclick = () => setTimeout(() => {
  document.querySelector('ul').insertAdjacentHTML('beforeend', '<li>Three</li>') }, 300)
document.querySelector('#ask').onclick = () => { if (confirm('Sure?')) out.textContent = 'agreed' }
document.querySelector('input').onkeydown = (e) => { if (e.key === 'Enter') { location.hash = 'sent'; out.textContent = 'sent ' + e.target.value } }
document.querySelector('[type=file]').onchange = async (e) => {
  const file = e.target.files[0]
  out.textContent = file.name + ': ' + await file.text()
}
document.querySelector('select').onchange = (e) => { out.textContent = 'size ' + e.target.value }
let held = null
document.querySelector('#a').onmousedown = () => { held = 'A' }
document.querySelector('#b').onmouseup = () => { out.textContent = held + ' dropped on B' }
</script>"""


def _shows(text: str) -> dict[str, Any]:
    return {"do": "expectText", "selector": "#out", "text": text}


@pytest.fixture
def check(browser: BrowserProcess, site: Site) -> Check:
    async def run(
        body: str, *steps: dict[str, Any], seconds: float = 5, **options: Any
    ) -> CheckOutcome:
        site.put(body)
        return await browser.run_check(site.url, [GOTO, *steps], step_seconds=seconds, **options)

    return run


async def test_every_kind_of_step_holds_on_a_page_that_does_it(check: Check) -> None:
    outcome = await check(
        SHOP,
        {"check": "shows the shop", "do": "expectText", "selector": "h1", "text": "shop of things"},
        {"do": "expectTitle", "text": "Page"},
        {"do": "expectNoText", "selector": "p", "text": "secret"},
        {"do": "expectCount", "selector": "li", "count": 2},
        {"do": "click", "selector": "button", "text": "add"},
        {"check": "adds a thing", "do": "expectCount", "selector": "li", "count": 3},
        {"do": "fill", "selector": "input", "value": "Ada"},
        {"do": "expectValue", "selector": "input", "value": "Ada"},
        {"do": "press", "selector": "input", "key": "Enter"},
        {"do": "expectText", "selector": "#out", "text": "sent Ada"},
        {"do": "expectUrl", "text": "#sent"},
        {"do": "select", "selector": "select", "value": "l"},
        {"do": "expectText", "selector": "#out", "text": "size l"},
        {"do": "attach", "selector": "[type='file']", "filename": "a.csv", "content": "x;y"},
        {"do": "expectText", "selector": "#out", "text": "a.csv: x;y"},
        {"do": "drag", "from": {"selector": "#a"}, "to": {"selector": "#b"}},
        {"do": "expectText", "selector": "#out", "text": "A dropped on B"},
        {"do": "expectDownload", "selector": "a", "text": "Save", "filename": "list.csv", "contains": ["name", "price"]},
        {"do": "click", "selector": "#ask"},
        {"do": "expectText", "selector": "#out", "text": "agreed"},
        {"do": "wait", "ms": 50},
        {"do": "reload"},
        {"check": "forgets it", "do": "expectCount", "selector": "li", "text": "three", "count": 0},
        name="shop",
    )  # fmt: skip
    assert outcome.passed, outcome
    assert (outcome.name, outcome.step, outcome.sentence, outcome.error) == ("shop", None, "", "")
    assert outcome.started == ("shows the shop", "adds a thing", "forgets it")
    assert Image.open(BytesIO(outcome.picture)).size == (1280, 860)


FAILURES = [
    ({"do": "expectText", "selector": "li", "text": "Six"}, 'no visible li with text "Six"; texts there: ["One", "Two"]'),
    ({"do": "expectNoText", "selector": "li", "text": "one"}, 'still visible: li with text "one": ["One"]'),
    ({"do": "expectCount", "selector": "li", "count": 5}, "expected 5 of li, found 2"),
    ({"do": "expectValue", "selector": "input", "value": "x"}, 'expected value "x", found ""'),
    ({"do": "expectValue", "selector": "li", "value": "x"}, 'expected value "x", found <li> has no value'),
    ({"do": "expectUrl", "text": "/other"}, "lacks /other"),
    ({"do": "expectTitle", "text": "page"}, 'title is "Page", lacks "page"'),
    ({"do": "click", "selector": "li", "nth": 2}, "only 2 visible of li, so none at place 2"),
    ({"do": "click", "selector": ".hidden"}, "no visible .hidden"),
    ({"do": "fill", "selector": "h1", "value": "x"}, "<h1> is no field to write in"),
    ({"do": "select", "selector": "select", "value": "m"}, 'it has no option "m"; options there: ["s","l"]'),
    ({"do": "press", "key": "Nonsense"}, "there is no key 'Nonsense'"),
    ({"do": "drag", "from": {"selector": "#a"}, "to": {"selector": "#c"}}, "no visible #c"),
    ({"do": "expectDownload", "selector": "#add"}, "nothing was downloaded"),
    ({"do": "expectDownload", "selector": "a", "filename": "x.csv"}, "the download is called list.csv"),
    ({"do": "expectDownload", "selector": "a", "contains": "weight"}, 'the download lacks "weight": "name;price"'),
    ({"do": "click", "selector": "li["}, "is not a valid selector"),
    ({"do": "dance"}, "there is no step 'dance'"),
    ({"do": "expectCount", "selector": "li"}, "the step expectCount lacks 'count'"),
]  # fmt: skip


@pytest.mark.parametrize(("step", "error"), FAILURES, ids=lambda value: str(value)[:60])
async def test_a_step_that_does_not_hold_says_what_was_there(
    check: Check, step: dict[str, Any], error: str
) -> None:
    outcome = await check(
        SHOP,
        {"do": "expectCount", "selector": "h1", "count": 1},
        step,
        {"do": "reload"},
        # What was downloaded must have come.
        seconds=5 if step.get("selector") == "a" else 0.3,
    )
    assert not outcome.passed
    assert outcome.step == 2
    assert error in outcome.error
    assert outcome.sentence


ACTIONS = {
    "a disabled button": (
        "<button disabled>Go</button>",
        {"do": "click", "selector": "button"},
        "could not click button: it is disabled",
    ),
    "a button under a cover": (
        "<button>Go</button><div id=cover style='position:fixed;inset:0'></div>",
        {"do": "click", "selector": "button"},
        "could not click button: <div#cover> covers it",
    ),
    "a button that never rests": (
        "<style>@keyframes run { to { margin-left: 900px } }</style>"
        "<button style='animation: run 20s linear'>Go</button>",
        {"do": "click", "selector": "button"},
        "could not click button: it does not come to rest",
    ),
    "a read-only field": (
        "<input readonly>",
        {"do": "fill", "selector": "input", "value": "x"},
        "could not write into input: it is read-only",
    ),
    "a text for a number": (
        "<input type=number>",
        {"do": "fill", "selector": "input", "value": "abc"},
        "a number field takes no such text",
    ),
    "a text for a box": (
        "<input type=checkbox>",
        {"do": "fill", "selector": "input", "value": "x"},
        "a field of the type checkbox cannot be written in",
    ),
}


@pytest.mark.parametrize("case", ACTIONS)
async def test_what_a_person_could_not_do_is_not_done(check: Check, case: str) -> None:
    body, step, error = ACTIONS[case]
    outcome = await check(body, step, seconds=0.3)
    assert (outcome.step, outcome.error) == (1, error)


LATER = """<p id=out></p><script>
const wait = (ms, what) => setTimeout(what, ms)
document.body.insertAdjacentHTML('beforeend', '<button id=late disabled onclick="out.textContent = `clicked`">Late</button>')
wait(300, () => { late.disabled = false })
</script>"""


async def test_an_action_waits_until_it_can_be_done(check: Check) -> None:
    outcome = await check(
        LATER,
        {"do": "click", "selector": "button"},
        {"do": "expectText", "selector": "#out", "text": "clicked"},
    )
    assert outcome.passed, outcome.error


KEYS = """<p id=out></p><textarea>ab</textarea><script>
const out = document.querySelector('#out')
addEventListener('keydown', (e) => {
  out.textContent += `${e.ctrlKey ? 'Ctrl+' : ''}${e.shiftKey ? 'Shift+' : ''}${e.key}/${e.code}/${e.isTrusted} `
})</script>"""


async def test_keys_are_those_of_a_keyboard(check: Check) -> None:
    names = ["Escape", "ArrowLeft", "F2", " ", "a", "Control+K", "Shift+Tab", "7", "PageDown"]
    presses = [{"do": "press", "key": name} for name in names]
    expected = [
        "Escape/Escape/true", "ArrowLeft/ArrowLeft/true", "F2/F2/true", "/Space/true", "a/KeyA/true", "Ctrl+k/KeyK/true",
        "Shift+Tab/Tab/true", "7/Digit7/true", "PageDown/PageDown/true",
    ]  # fmt: skip
    outcome = await check(
        KEYS,
        *presses,
        *({"do": "expectText", "selector": "#out", "text": text} for text in expected),
        seconds=1,
    )
    assert outcome.passed, outcome.error


async def test_keys_edit_what_has_the_focus(check: Check) -> None:
    outcome = await check(
        KEYS,
        {"do": "press", "selector": "textarea", "key": "Control+A"},
        {"do": "press", "key": "x"},
        {"do": "press", "key": "Enter"},
        {"do": "press", "key": "y"},
        {"do": "press", "key": "Backspace"},
        {"do": "press", "key": "Z"},
        {"do": "expectValue", "selector": "textarea", "value": "x\nZ"},
        {"do": "fill", "selector": "textarea", "value": ""},
        {"do": "expectValue", "selector": "textarea", "value": ""},
    )
    assert outcome.passed, outcome.error


PICKERS = {
    "a list of choices": "<select id=field><option>a<option>b</select>",
    "suggestions": "<input id=field list=them><datalist id=them><option value=x></datalist>",
    "a colour": "<input id=field type=color>",
    "a file": "<input id=field type=file>",
}
SAVE = "<button onclick='out.textContent += ` saved`'>Save</button><p id=out></p>"
OPEN_PICKER = [{"do": "click", "selector": "#field"}, {"do": "wait", "ms": 300}]
CLICK_SAVE = [{"do": "click", "selector": "button"}, _shows("saved")]


@pytest.mark.parametrize("case", PICKERS)
async def test_what_a_field_offers_takes_no_later_click(check: Check, case: str) -> None:
    for steps in (
        [*OPEN_PICKER, *CLICK_SAVE],
        [OPEN_PICKER[0], *CLICK_SAVE],
        [*OPEN_PICKER, {"do": "reload"}, *CLICK_SAVE],
        OPEN_PICKER,
        CLICK_SAVE,
    ):
        outcome = await check(PICKERS[case] + SAVE, *steps, seconds=1)
        assert outcome.passed, (steps, outcome.error)


async def test_what_another_page_offers_takes_no_click(check: Check) -> None:
    for picker in PICKERS.values():
        outcome = await check(
            picker + SAVE,
            *OPEN_PICKER,
            {"do": "as", "user": "Bea"},
            *CLICK_SAVE,
            {"do": "as", "user": "first"},
            *CLICK_SAVE,
            seconds=1,
        )
        assert outcome.passed, (picker, outcome.error)


async def test_a_list_of_choices_is_used_with_the_keyboard(check: Check) -> None:
    told = "<script>field.onchange = () => { out.textContent = `chose ${field.value}` }</script>"
    outcome = await check(
        PICKERS["a list of choices"] + SAVE + told,
        *OPEN_PICKER,
        {"do": "press", "key": "ArrowDown"},
        {"do": "press", "key": "Enter"},
        _shows("chose b"),
        *CLICK_SAVE,
        seconds=1,
    )
    assert outcome.passed, outcome.error


async def test_words_typed_and_choices_taken_leave_later_clicks_alone(check: Check) -> None:
    suggestions, choices = PICKERS["suggestions"], PICKERS["a list of choices"]
    typed = {"do": "press", "selector": "#field", "key": "x"}
    outcome = await check(suggestions + SAVE, *OPEN_PICKER, typed, *CLICK_SAVE, seconds=1)
    assert outcome.passed, outcome.error
    chosen = {"do": "select", "selector": "#field", "value": "b"}
    outcome = await check(choices + SAVE, *OPEN_PICKER, chosen, *CLICK_SAVE, seconds=1)
    assert outcome.passed, outcome.error


async def test_nobody_gives_a_file(check: Check) -> None:
    told = "<script>field.oncancel = () => { out.textContent = 'no file' }</script>"
    outcome = await check(
        PICKERS["a file"] + SAVE + told, *OPEN_PICKER, _shows("no file"), seconds=1
    )
    assert outcome.passed, outcome.error


FIELDS = """<p id=out></p><form>
<input name=text value=old><input name=day type=date><input name=size type=range min=0 max=10><input name=tint type=color>
<div name=rich contenteditable>old</div><label>Mail <input name=mail type=email></label></form><script>
document.querySelector('form').addEventListener('input', (e) => {
  out.textContent += `${e.target.getAttribute('name')}=${e.target.value ?? e.target.textContent} `
})</script>"""


@pytest.mark.parametrize(
    ("selector", "value", "told"),
    [
        ("[name=text]", "new", "text=new"),
        ("[name=text]", "", "text="),
        ("[name=day]", "2026-11-27", "day=2026-11-27"),
        ("[name=size]", "7", "size=7"),
        ("[name=tint]", "#00FF7f", "tint=#00ff7f"),
        ("[name=rich]", "words", "rich=words"),
        ("label", "a@b.example", "mail=a@b.example"),
    ],
)
async def test_fields_of_every_kind_are_written_in(
    check: Check, selector: str, value: str, told: str
) -> None:
    outcome = await check(
        FIELDS,
        {"do": "fill", "selector": selector, "value": value},
        {"do": "expectText", "selector": "#out", "text": told},
        seconds=1,
    )
    assert outcome.passed, outcome.error


HTML5_DRAG = """
<style>div { width: 120px; height: 80px; margin: 20px; background: #ddd }</style>
<div id=card draggable=true>Card</div><div id=lane>Lane</div><div id=wall>Wall</div><p id=out></p><script>
const tell = (text) => { out.textContent += text + ' ' }
card.ondragstart = (e) => { e.dataTransfer.setData('application/x-card', 'c1'); e.dataTransfer.effectAllowed = 'move'; tell('start') }
card.ondragend = () => tell('end')
lane.ondragenter = lane.ondragover = (e) => { e.preventDefault(); e.dataTransfer.dropEffect = 'move' }
lane.ondrop = (e) => { e.preventDefault(); tell(`dropped-${e.dataTransfer.getData('application/x-card')}-${e.isTrusted}`) }
</script>"""


async def test_html5_drags_carry_their_data_to_where_they_may_be_dropped(check: Check) -> None:
    outcome = await check(
        HTML5_DRAG,
        {"do": "drag", "from": {"selector": "#card"}, "to": {"selector": "#lane"}},
        {"do": "expectText", "selector": "#out", "text": "start dropped-c1-true end"},
    )
    assert outcome.passed, outcome.error


async def test_html5_drags_end_without_a_drop_where_none_is_allowed(check: Check) -> None:
    outcome = await check(
        HTML5_DRAG,
        {"do": "drag", "from": {"selector": "#card"}, "to": {"selector": "#wall"}},
        {"do": "expectText", "selector": "#out", "text": "start end"},
    )
    assert outcome.passed, outcome.error


SLOW_DRAG = """
<style>div { width: 120px; height: 80px; margin: 20px; background: #ddd }</style>
<div id=card>Card</div><div id=lane>Lane</div><p id=out></p><script>
const work = (ms) => { const end = performance.now() + ms; while (performance.now() < end); }
let held = false, under = null, over = null
card.onpointerdown = () => { held = true }
// As libraries do on a slow machine: what lies below is known after a few passes, each drawn before the next.
const pass = (left, below) => requestAnimationFrame(() => {
  work(200)
  if (left > 0) setTimeout(() => pass(left - 1, below))
  else over = below
})
addEventListener('pointermove', (event) => {
  const below = document.elementFromPoint(event.clientX, event.clientY)
  if (held && below !== under) pass(3, under = below)
})
addEventListener('pointerup', () => { if (held) out.textContent = over === lane ? 'dropped' : `over ${over?.id}`; held = false })
</script>"""


async def test_a_page_that_is_slow_sees_a_drag_all_the_same(check: Check) -> None:
    outcome = await check(
        SLOW_DRAG,
        {"do": "drag", "from": {"selector": "#card"}, "to": {"selector": "#lane"}},
        {"do": "expectText", "selector": "#out", "text": "dropped"},
    )
    assert outcome.passed, outcome.error


TROUBLE = {
    "console": ("console.error('saving %s failed', 'x', {code: 3})", "saving x failed {code: 3}"),
    "exception": (
        "setTimeout(() => { undefinedFunction() })",
        "ReferenceError: undefinedFunction is not defined",
    ),
    "rejection": ("Promise.reject(new TypeError('refused'))", "TypeError: refused"),
    "request": (
        f"fetch('/gone', {{method: 'POST'}}).finally({TELL})",
        "POST /gone failed: 404 Not Found",
    ),
    "picture": (
        "document.body.innerHTML += '<img alt=x src=/gone.png>'",
        "GET /gone.png failed: 404",
    ),
}


@pytest.mark.parametrize("case", TROUBLE)
async def test_trouble_of_the_page_fails_a_check_whose_steps_hold(check: Check, case: str) -> None:
    script, message = TROUBLE[case]
    waits = TOLD if TELL in script else {"do": "wait", "ms": 100}
    outcome = await check(f"<h1>Fine</h1><script>{script}</script>", waits)
    assert not outcome.passed
    assert outcome.step is None
    assert [error.message for error in outcome.errors] == [message]
    assert outcome.error == message


async def test_an_error_that_the_page_handles_is_none(check: Check) -> None:
    outcome = await check(
        """<script>
        addEventListener('error', (e) => e.preventDefault()); setTimeout(() => { throw new Error('a') })
        addEventListener('unhandledrejection', (e) => e.preventDefault()); Promise.reject(new Error('b'))
        const off = new AbortController(); fetch('/', {signal: off.signal}).catch(() => {}); off.abort()
        console.warn('careful')</script>""",
        {"do": "wait", "ms": 100},
    )
    assert outcome.passed, outcome.errors
    assert [(message.level, message.text) for message in outcome.console] == [
        ("warning", "careful")
    ]


async def test_an_exception_comes_with_its_stack_and_place(check: Check, site: Site) -> None:
    outcome = await check("<script>\nfunction save() { null.x }\nsetTimeout(save)</script>")
    [error] = outcome.errors
    assert error.kind == "exception"
    assert error.message == "TypeError: Cannot read properties of null (reading 'x')"
    assert error.stack.splitlines()[1].strip() == f"at save ({site.url}/:2:24)"
    assert (error.url, error.line, error.column) == (f"{site.url}/", 2, 24)


async def test_refusals_of_the_apps_own_interface_are_for_the_app(check: Check) -> None:
    body = f"<script>Promise.all([fetch('/api/session'), fetch('/apish')]).finally({TELL})</script>"
    outcome = await check(body, TOLD, api_paths=("/api",))
    assert [error.message for error in outcome.errors] == ["GET /apish failed: 404 Not Found"]
    assert {request.url.rsplit("/", 1)[1] for request in outcome.failed_requests} == {
        "session",
        "apish",
    }


async def test_a_page_with_an_error_status_fails_a_check_whose_steps_hold(
    check: Check, site: Site
) -> None:
    site.put("<h1>Gone</h1>", "/gone", status=404)
    outcome = await check(
        "<h1>Fine</h1>",
        {"do": "goto", "path": "/gone"},
        {"do": "expectText", "selector": "h1", "text": "Gone"},
    )
    assert (outcome.step, outcome.error) == (None, "GET /gone failed: 404")


async def test_requests_that_end_with_their_page_have_not_failed(check: Check) -> None:
    body = "<script>fetch('/slow')</script><h1>Fine</h1><a href='/'>Again</a>"
    outcome = await check(
        body,
        {"do": "reload"},
        {"do": "click", "selector": "a"},
        {"do": "expectText", "selector": "h1", "text": "Fine"},
        GOTO,
        {"do": "wait", "ms": 100},
    )
    assert outcome.passed, (outcome.step, outcome.error)
    assert outcome.seconds < 10


BLOCKED = {
    "picture": (
        f"<script>const tell = {TELL}</script><img alt=x src='http://198.51.100.7/pixel.png' onerror='tell()'>",
        "http://198.51.100.7/pixel.png",
    ),
    "call": (
        f"<script>fetch('https://api.example/x').catch(() => {{}}).finally({TELL})</script>",
        "https://api.example/x",
    ),
    "neighbour": (
        f"<script>fetch('http://127.0.0.1:9/x').catch(() => {{}}).finally({TELL})</script>",
        "http://127.0.0.1:9/x",
    ),
    "socket": (
        f"<script>new WebSocket('ws://127.0.0.1:9/s').onclose = {TELL}</script>",
        "ws://127.0.0.1:9/s",
    ),
    "worker": (
        "<script>const source = `fetch('http://198.51.100.7/w').catch(() => {}).finally(() => postMessage(0))`\n"
        f"new Worker(URL.createObjectURL(new Blob([source]))).onmessage = {TELL}</script>",
        "http://198.51.100.7/w",
    ),
}


@pytest.mark.parametrize("case", BLOCKED)
async def test_what_leaves_the_app_is_stopped_and_fails_the_check(check: Check, case: str) -> None:
    body, asked = BLOCKED[case]
    outcome = await check(body, TOLD)
    assert outcome.blocked == (asked,)
    assert not outcome.passed
    assert outcome.step is None


async def test_files_of_the_computer_are_closed_to_the_page(check: Check) -> None:
    outcome = await check("<iframe src='file:///etc/passwd'></iframe>", {"do": "wait", "ms": 100})
    assert [error.message for error in outcome.errors] == [
        "Not allowed to load local resource: file:///etc/passwd"
    ]


async def test_a_redirect_and_a_link_out_of_the_app_are_stopped(check: Check, site: Site) -> None:
    site.pages["/out"] = (302, "text/plain", b"http://198.51.100.7/there")
    outcome = await check(
        "<a href='http://198.51.100.8/'>Out</a>"
        f"<script>fetch('/out').catch(() => {{}}).finally({TELL})</script>",
        TOLD,
        {"do": "click", "selector": "a"},
        {"do": "expectText", "selector": "a", "text": "Out"},
    )
    assert set(outcome.blocked) == {"http://198.51.100.7/there", "http://198.51.100.8/"}


VISITS = """<p id=out></p><button onclick="localStorage.n = 1 + Number(localStorage.n ?? 0); show()">Count</button>
<script>document.cookie = 'who=me'; const show = () => { out.textContent = `n ${localStorage.n ?? 0}` }; show()</script>"""
COUNT = {"do": "click", "selector": "button"}


async def test_each_check_begins_with_empty_storage(check: Check) -> None:
    for _ in range(2):
        outcome = await check(VISITS, _shows("n 0"), COUNT, {"do": "reload"}, _shows("n 1"))
        assert outcome.passed, outcome.error


async def test_another_person_has_storage_of_their_own(check: Check) -> None:
    outcome = await check(
        VISITS,
        COUNT,
        {"do": "as", "user": "Bea"},
        _shows("n 0"),
        COUNT,
        COUNT,
        _shows("n 2"),
        {"do": "as", "user": "first"},
        {"do": "reload"},
        _shows("n 1"),
        {"do": "as", "user": "Bea"},
        _shows("n 2"),
        {"do": "press", "selector": "button", "key": "Enter"},
        _shows("n 3"),
    )
    assert outcome.passed, outcome.error


async def test_a_page_in_a_shadow_root_and_one_on_a_phone_are_used_alike(check: Check) -> None:
    body = """<style>@media (max-width: 500px) { h1 { color: red } h1::after { content: ' narrow' } }</style><h1>Wide</h1>
    <p id=out></p><script>
    const root = document.body.appendChild(document.createElement('div')).attachShadow({mode: 'open'})
    root.innerHTML = '<button>Inside</button>'
    root.querySelector('button').onclick = () => { out.textContent = [innerWidth, innerHeight, devicePixelRatio, navigator.language].join() }
    </script>"""
    outcome = await check(
        body,
        {"do": "click", "selector": "button", "text": "inside"},
        _shows("375,812,1,en-GB"),
        viewport=PHONE,
    )
    assert outcome.passed, outcome.error
    assert Image.open(BytesIO(outcome.picture)).size == (375, 812)


async def test_addresses_with_a_fragment_are_gone_to(check: Check) -> None:
    body = """<p id=out></p><script>const show = () => { out.textContent = location.hash }; addEventListener('hashchange', show); show()</script>"""
    outcome = await check(
        body,
        {"do": "goto", "path": "/#/list"},
        _shows("#/list"),
        {"do": "goto", "path": "/#/new"},
        _shows("#/new"),
        {"do": "goto", "path": "/?q=caf%C3%A9"},
        {"do": "expectUrl", "text": "caf%C3%A9"},
        {"do": "expectUrl", "text": "café"},
        seconds=1,
    )
    assert outcome.passed, outcome.error


async def test_a_window_that_the_page_opens_is_no_trouble(check: Check) -> None:
    outcome = await check(
        "<button onclick=\"out.textContent = window.open('/') ? 'opened' : 'refused'\">Open</button><p id=out></p>",
        {"do": "click", "selector": "button"},
        _shows("opened"),
    )
    assert outcome.passed, outcome.error


async def test_a_page_that_loads_itself_again_while_it_loads_is_gone_to(
    check: Check, site: Site
) -> None:
    again = "<script>sessionStorage.n = 1 + +(sessionStorage.n ?? 0); if (sessionStorage.n < 3) location.reload()</script>"
    site.put(f"{again}<p>There</p>", "/there")
    outcome = await check(
        "",
        {"do": "goto", "path": "/there"},
        {"do": "expectText", "selector": "p", "text": "There"},
        {"do": "reload"},
        {"do": "expectText", "selector": "p", "text": "There"},
    )
    assert outcome.passed, outcome.error


async def test_what_a_click_opens_does_not_replace_what_is_gone_to_next(
    check: Check, site: Site
) -> None:
    site.put("<p>By the click</p>", "/click")
    site.put("<p>There</p>", "/there")
    outcome = await check(
        "<a href=/click>Go</a>",
        {"do": "click", "selector": "a"},
        {"do": "goto", "path": "/there"},
        {"do": "expectText", "selector": "p", "text": "There"},
    )
    assert outcome.passed, outcome.error


async def test_an_answer_that_is_no_page_is_said(check: Check, site: Site) -> None:
    site.pages["/nothing"] = (204, "text/plain", b"")
    outcome = await check("", {"do": "goto", "path": "/nothing"})
    assert outcome.step == 1
    assert "what came is no page" in str(outcome.error)
