"""Pages on which nothing is to be seen, and the linter and the compiler are content."""

from tests.corpora.broken.entry import broken
from vibedesk.base.resources import resource


def _starter(template: str, path: str, old: str, new: str) -> dict[str, str]:
    text = resource("templates", template, *path.split("/")).read_text("utf-8")
    assert text.count(old) == 1, old
    return {path: text.replace(old, new)}


ENTRIES = (
    broken(
        "nothing-is-rendered",
        "todo",
        "App returns null until a flag is set that nobody sets.",
        edits={
            "src/App.tsx": [
                (
                    "  return (\n    <main",
                    "  const [ready] = useState(false)\n  if (!ready) return null\n\n  return (\n    <main",
                )
            ]
        },
        kind="page",
        repairable=False,
        visit={"path": "/", "shows": "blank"},
        after="To-dos",
    ),
    broken(
        "root-of-another-id",
        "todo",
        "The page's element has the id app; main.tsx looks for root.",
        add=_starter("react-vite", "index.html", '<div id="root">', '<div id="app">'),
        kind="page",
        repairable=True,
        visit={"path": "/", "shows": "blank", "text": "Target container is not a DOM element"},
        after="To-dos",
    ),
    broken(
        "root-of-another-id-in-plain-typescript",
        "snake",
        "The page's element has the id root; main.ts looks for app.",
        add=_starter("vanilla-ts", "index.html", '<div id="app">', '<div id="root">'),
        kind="page",
        repairable=True,
        visit={"path": "/", "shows": "error page", "text": "null"},
        after="Press an arrow key to begin.",
    ),
    broken(
        "style-hides-everything",
        "todo",
        "A style for a fade-in hides the page, and the class that ends it is never set.",
        add=_starter(
            "react-vite",
            "src/index.css",
            "@layer base {",
            "/* Fades in once the app is ready. */\n#root {\n  opacity: 0;\n  transition: opacity 0.3s;\n}\n\n"
            "#root.ready {\n  opacity: 1;\n}\n\n@layer base {",
        ),
        kind="page",
        repairable=False,
        visit={"path": "/", "shows": "blank"},
        after="To-dos",
    ),
    broken(
        "script-of-another-name",
        "todo",
        "index.html loads /src/index.tsx; the entry is main.tsx.",
        add=_starter("react-vite", "index.html", "/src/main.tsx", "/src/index.tsx"),
        kind="page",
        clean=("types", "build"),
        repairable=True,
        visit={"path": "/", "shows": "blank", "text": "/src/index.tsx"},
        after="To-dos",
    ),
    broken(
        "script-forgotten",
        "quiz",
        "index.html has no script.",
        add=_starter(
            "react-vite",
            "index.html",
            '    <script type="module" src="/src/main.tsx"></script>\n',
            "",
        ),
        kind="page",
        repairable=True,
        visit={"path": "/", "shows": "blank"},
        after="Quiz night",
    ),
    broken(
        "white-on-white",
        "quiz",
        "The page is there and cannot be read: white text on a white page.",
        edits={
            "src/App.tsx": [
                (
                    '<main className="grid min-h-dvh place-items-center">',
                    '<main className="grid min-h-dvh place-items-center bg-white text-white">',
                )
            ]
        },
        kind="page",
        repairable=False,
        visit={"path": "/", "shows": "wrong page", "text": "contrast"},
        after="Quiz night",
    ),
    broken(
        "no-route-for-the-start",
        "helpdesk",
        "The routes stand under /app, so that the start page matches none and stays empty.",
        edits={
            "src/App.tsx": [
                ("<Route element={<Layout />}>", '<Route path="app" element={<Layout />}>'),
            ]
        },
        kind="page",
        repairable=False,
        visit={"path": "/", "shows": "blank", "text": 'No routes matched location "/"'},
        after="Ready when you are",
    ),
    broken(
        "router-forgotten",
        "helpdesk",
        "Routes are used outside of a router.",
        edits={
            "src/App.tsx": [
                ("import { BrowserRouter, Route, Routes }", "import { Route, Routes }"),
                ("    <BrowserRouter>\n", "    <>\n"),
                ("    </BrowserRouter>\n", "    </>\n"),
            ]
        },
        kind="page",
        repairable=True,
        visit={"path": "/", "shows": "error page", "text": "<Router> component"},
        after="Ready when you are",
    ),
    broken(
        "start-function-draws-nothing",
        "converter",
        "startApp makes an element for its page and never puts it into the root.",
        edits={
            "src/app.ts": [
                (
                    "  render(\n    root,\n    html`\n      <main",
                    "  const page = document.createElement('div')\n  render(\n    page,\n    html`\n      <main",
                ),
                ("find<HTMLFormElement>('form', root)", "find<HTMLFormElement>('form', page)"),
            ]
        },
        kind="page",
        repairable=False,
        visit={"path": "/", "shows": "blank"},
        after="Converter",
    ),
)
