"""What a visit reports of a page."""

from __future__ import annotations

import socket
from io import BytesIO

import pytest
from PIL import Image

from tests.engine.browser.conftest import Site
from vibedesk.engine.browser.process import BrowserProcess
from vibedesk.engine.browser.reports import DESKTOP, PHONE
from vibedesk.engine.review.page_issues import page_issues

pytestmark = pytest.mark.asyncio(loop_scope="package")


async def test_a_page_is_reported_as_it_is(browser: BrowserProcess, site: Site) -> None:
    url = site.put("<main><h1>Hello</h1></main><script>console.info('here', [1, null])</script>")
    report = await browser.visit(url)
    assert (report.status, report.reason, report.url, report.title) == (200, "", url, "Page")
    assert report.text == "Hello"
    [message] = report.console
    assert (message.level, message.text, message.line) == ("info", "here [1, null]", 1)
    assert (report.blank, report.overlay, report.errors, report.accessibility) == (
        False,
        "",
        (),
        (),
    )
    picture = Image.open(BytesIO(report.picture)).convert("L")
    assert picture.size == (DESKTOP.width, DESKTOP.height)
    dark, light = picture.getextrema()
    assert (dark < 80, light) == (True, 255)


@pytest.mark.parametrize(
    ("body", "blank"),
    [
        ("<div id=root><div style='height: 100px'></div></div><script>/* text */</script>", True),
        ("<p style='display: none'>hidden</p>", True),
        ("<div style='opacity: 0'><p>text</p><button>Go</button></div>", True),
        ("<p>text</p>", False),
        ("<svg width=9 height=9></svg>", False),
        ("<div style='height: 50px; background: linear-gradient(red, blue)'></div>", False),
        ("<div id=root></div><script>setTimeout(() => { root.textContent = 'late' }, 1000)</script>", False),
    ],
)  # fmt: skip
async def test_a_page_that_shows_nothing_is_blank(
    browser: BrowserProcess, site: Site, body: str, blank: bool
) -> None:
    assert (await browser.visit(site.put(body))).blank is blank


@pytest.mark.parametrize(
    ("changes", "restless"),
    [
        ("out.textContent = n", True),
        ("out.setAttribute('role', 'status')", True),  # rendered anew, with the same outcome
        ("out.style.marginLeft = `${n}px`", False),  # an animation
        ("if (n % 20 === 0) out.textContent = n", False),  # a clock
    ],
)
async def test_a_page_that_never_rests_is_told(
    browser: BrowserProcess, site: Site, changes: str, restless: bool
) -> None:
    url = site.put(
        f"<p id=out>0</p><script>let n = 0; setInterval(() => {{ n++; {changes} }}, 50)</script>"
    )
    assert (await browser.visit(url)).restless is restless


async def test_an_error_page_of_the_dev_server_is_seen(browser: BrowserProcess, site: Site) -> None:
    report = await browser.visit(
        site.put("""<p>app</p><script>
        customElements.define('vite-error-overlay', class extends HTMLElement {
          constructor() { super(); this.attachShadow({mode: 'open'}).innerHTML =
            '<pre class=message>Failed to resolve import "./Card"</pre><pre class=file>/src/App.tsx:3:1</pre>' } })
        document.body.append(document.createElement('vite-error-overlay'))</script>""")
    )
    assert report.overlay == 'Failed to resolve import "./Card"\n/src/App.tsx:3:1'


async def test_an_error_page_of_the_app_is_seen(browser: BrowserProcess, site: Site) -> None:
    report = await browser.visit(
        site.put("<h1>Something went wrong</h1><script>console.error('[app-error] boom')</script>")
    )
    assert report.overlay == "[app-error] boom"


@pytest.mark.parametrize("status", [404, 500])
async def test_a_page_with_an_error_status_is_still_seen(
    browser: BrowserProcess, site: Site, status: int
) -> None:
    report = await browser.visit(site.put("<h1>Broken</h1>", status=status))
    assert (report.status, report.text) == (status, "Broken")
    assert [request.status for request in report.failed_requests] == [status]


async def test_a_server_that_does_not_answer_is_said(browser: BrowserProcess) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    report = await browser.visit(f"http://127.0.0.1:{port}/")
    assert (report.status, report.blank) == (0, True)
    assert report.reason.startswith("The page could not be loaded")


_OF_ELEMENTS = """children id parentElement childNodes nodeType localName matches closest checkVisibility hasAttribute
getBoundingClientRect shadowRoot getAttribute contains className parentNode"""
_OF_DOCUMENTS = """title body documentElement querySelectorAll querySelector getElementById createElement createRange
createTreeWalker readyState elementFromPoint hasFocus"""


@pytest.mark.parametrize("names", [_OF_ELEMENTS, _OF_DOCUMENTS], ids=["fields", "forms"])
async def test_names_in_a_page_hide_nothing_from_a_look(
    browser: BrowserProcess, site: Site, names: str
) -> None:
    if names is _OF_ELEMENTS:
        fields = "".join(f"<input name={name} title=a>" for name in names.split())
        narrow = f"<div style='width: 100px'>{fields}</div>"
        clashing = f"<form id=wide style='width: 3000px'>{narrow}</form>"
    else:
        clashing = "".join(f"<form name={name}></form>" for name in names.split())
    report = await browser.visit(site.put(f"{clashing}<p>Hello</p><input id=bare>"), PHONE)
    assert (report.reason, report.title, report.text, report.blank) == ("", "Page", "Hello", False)
    assert [(f.rule, f.selector) for f in report.accessibility] == [
        ("field-label", "#bare"),
        *([("horizontal-overflow", "#wide")] if names is _OF_ELEMENTS else []),
    ]
    assert not any(issue.blocks for issue in page_issues(report))


async def test_what_our_own_look_cannot_deal_with_is_no_fault_of_the_page(
    browser: BrowserProcess, site: Site
) -> None:
    # It has no body any more, in which the audit looks for text.
    report = await browser.visit(
        site.put("<script>onload = () => document.body.remove()</script><p>Hello</p>")
    )
    assert (report.status, report.reason) == (200, "")
    assert [issue.code for issue in page_issues(report)] == ["blank_page"]


async def test_a_page_that_hangs_after_it_was_opened_says_so(
    browser: BrowserProcess, site: Site
) -> None:
    hangs = "<p>here</p><script>onload = () => setTimeout(() => { for (;;); }, 50)</script>"
    report = await browser.visit(site.put(hangs))
    assert (report.status, report.reason) == (
        200, "The page does not answer: its scripts never end.",
    )  # fmt: skip
    [issue] = page_issues(report)
    assert (issue.severity, issue.message) == ("critical", report.reason)


ACCESSIBILITY = {
    "image-alt": ("<img src=data:, width=9 height=9>", "<img alt='' src=data:, width=9 height=9>", "img"),
    "field-label": ("<input name=q>", "<label>Find <input name=q></label>", 'input[name="q"]'),
    "button-name": ("<button id=b><svg width=9 height=9></svg></button>", "<button aria-label=Add><svg width=9 height=9></svg></button>", "#b"),
    "link-name": ("<a href=/x><img alt='' src=data:, width=9 height=9></a>", "<a href=/x><img alt=Home src=data:, width=9 height=9></a>", "a"),
    "duplicate-id": ("<p id=x>a</p><p id=x>b</p>", "<p id=x>a</p><p id=y>b</p>", "p:nth-of-type(2)"),
    "heading-order": ("<h1>a</h1><h3>b</h3>", "<h1>a</h1><h2>b</h2>", "h3"),
    "contrast": ("<p style='color: oklch(80% 0 0)'>pale</p>", "<p style='color: oklch(40% 0 0)'>dark</p>", "p"),
}  # fmt: skip


@pytest.mark.parametrize("rule", ACCESSIBILITY)
async def test_what_keeps_people_out_is_found_and_what_does_not_is_passed_over(
    browser: BrowserProcess, site: Site, rule: str
) -> None:
    bad, good, selector = ACCESSIBILITY[rule]
    report = await browser.visit(site.put(f"<main>{bad}</main>"))
    assert [(found.rule, found.selector) for found in report.accessibility] == [(rule, selector)]
    assert (await browser.visit(site.put(f"<main>{good}</main>"))).accessibility == ()


async def test_each_of_several_forms_has_an_address_of_its_own(
    browser: BrowserProcess, site: Site
) -> None:
    report = await browser.visit(site.put("<form><input></form>" * 2))
    assert [found.selector for found in report.accessibility] == [
        "form:nth-of-type(1) > input",
        "form:nth-of-type(2) > input",
    ]


async def test_a_page_says_its_language_and_title(browser: BrowserProcess, site: Site) -> None:
    site.pages["/"] = (200, "text/html", b"<!doctype html><p>text</p>")
    report = await browser.visit(site.url)
    assert {found.rule for found in report.accessibility} == {"html-lang", "title"}


async def test_a_page_wider_than_a_phone_is_found_there_only(
    browser: BrowserProcess, site: Site
) -> None:
    site.put(
        "<main><div style='overflow-x: auto'><div style='width: 900px'>may scroll</div></div>"
        "<p id=wide style='width: 700px'>wide</p></main>"
    )
    narrow = await browser.visit(site.url, PHONE)
    assert [(found.rule, found.selector) for found in narrow.accessibility] == [
        ("horizontal-overflow", "#wide")
    ]
    assert (await browser.visit(site.url, DESKTOP)).accessibility == ()
