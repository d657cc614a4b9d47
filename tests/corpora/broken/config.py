"""Settings of the project: tsconfig, package.json, Vite, Tailwind."""

import json

from tests.corpora.broken.entry import broken
from tests.corpora.broken.imports import _tsconfig
from vibedesk.base.resources import resource


def _starter(path: str, *edits: tuple[str, str]) -> dict[str, str]:
    text = resource("templates", "react-vite", *path.split("/")).read_text("utf-8")
    for old, new in edits:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return {path: text}


_PACKAGE = json.loads(resource("templates", "react-vite", "package.json").read_text("utf-8"))


def _package(**changes: object) -> dict[str, str]:
    return {"package.json": json.dumps({**_PACKAGE, **changes}, indent=2) + "\n"}


ENTRIES = (
    broken(
        "no-jsx-setting",
        "todo",
        "tsconfig.app.json lost its jsx setting.",
        17004,
        add=_tsconfig('    "jsx": "react-jsx",\n', ""),
        kind="config",
        repairable=True,
    ),
    broken(
        "old-jsx-setting",
        "todo",
        "The jsx setting is that of React 16, and no file imports React.",
        2686,
        add=_tsconfig('"jsx": "react-jsx"', '"jsx": "react"'),
        kind="config",
        repairable=True,
    ),
    broken(
        "types-of-a-package-that-is-not-there",
        "todo",
        "tsconfig.app.json names the types of vitest, which is not installed.",
        2688,
        add=_tsconfig('"types": ["vite/client"]', '"types": ["vite/client", "vitest/globals"]'),
        kind="config",
        repairable=True,
    ),
    broken(
        "comma-missing-in-tsconfig",
        "todo",
        "A comma is missing in tsconfig.app.json.",
        1005,
        add=_tsconfig('"noEmit": true,', '"noEmit": true'),
        kind="config",
        repairable=True,
    ),
    broken(
        "alias-lost",
        "quiz",
        "tsconfig.app.json lost the alias @/ that every import uses.",
        2307,
        add=_tsconfig('    "paths": { "@/*": ["./src/*"] },\n', ""),
        kind="config",
        repairable=True,
    ),
    broken(
        "old-module-resolution",
        "quiz",
        "tsconfig.app.json resolves modules as Node 10 did, which TypeScript 6 refuses.",
        5107,
        add=_tsconfig('"moduleResolution": "bundler"', '"moduleResolution": "node"'),
        kind="config",
        repairable=True,
    ),
    broken(
        "base-url-of-old",
        "quiz",
        "tsconfig.app.json sets baseUrl, which TypeScript 6 refuses.",
        5101,
        add=_tsconfig('"paths": {', '"baseUrl": ".",\n    "paths": {'),
        kind="config",
        repairable=True,
    ),
    broken(
        "includes-nothing",
        "todo",
        "tsconfig.app.json includes a folder that does not exist.",
        18003,
        add=_tsconfig('"include": ["src"]', '"include": ["source"]'),
        kind="config",
        repairable=True,
    ),
    broken(
        "library-too-old",
        "expenses",
        "tsconfig.app.json names a library in which lists have no toSorted.",
        2550,
        add=_tsconfig(
            '"lib": ["ES2023", "DOM", "DOM.Iterable"]', '"lib": ["ES2020", "DOM", "DOM.Iterable"]'
        ),
        kind="config",
        repairable=True,
    ),
    broken(
        "option-misspelled-in-tsconfig",
        "todo",
        "An option of tsconfig.app.json is misspelled.",
        5025,
        add=_tsconfig('"skipLibCheck": true', '"skipLibChek": true'),
        kind="config",
        repairable=True,
    ),
    broken(
        "reference-to-a-project-that-is-not-there",
        "todo",
        "tsconfig.json refers to a project of the server, which this app does not have.",
        6053,
        add=_starter(
            "tsconfig.json",
            (
                '{ "path": "./tsconfig.node.json" }',
                '{ "path": "./tsconfig.node.json" }, { "path": "./tsconfig.server.json" }',
            ),
        ),
        kind="config",
        repairable=True,
    ),
    broken(
        "plugin-of-another-name",
        "quiz",
        "vite.config.ts imports plugin-react-swc; plugin-react is installed.",
        2307,
        add=_starter("vite.config.ts", ("'@vitejs/plugin-react'", "'@vitejs/plugin-react-swc'")),
        kind="config",
        clean=("types", "build"),
        repairable=True,
        keep=("fileURLToPath(new URL('./src', import.meta.url))",),
    ),
    broken(
        "alias-lost-in-vite",
        "quiz",
        "vite.config.ts lost the alias @/ that tsconfig.app.json still has.",
        add=_starter(
            "vite.config.ts",
            (
                "  resolve: {\n    alias: { '@': fileURLToPath(new URL('./src', import.meta.url)) },\n  },\n",
                "",
            ),
            ("import { fileURLToPath, URL } from 'node:url'\n", ""),
        ),
        kind="config",
        clean=("types", "build"),
        repairable=True,
        visit={"path": "/", "shows": "overlay", "text": "@/components/ProgressBar"},
        after="Quiz night",
    ),
    broken(
        "comma-too-many-in-package-json",
        "todo",
        "package.json has a comma after its last member.",
        add={"package.json": json.dumps(_PACKAGE, indent=2)[:-2] + ",\n}\n"},
        kind="config",
        clean=("types", "build"),
        repairable=True,
        visit={"path": "/", "shows": "no server", "text": "package.json"},
        after="To-dos",
    ),
    broken(
        "version-that-was-never-published",
        "todo",
        "package.json names a version of a package that does not exist.",
        add=_package(dependencies={**_PACKAGE["dependencies"], "clsx": "99.0.0"}),
        kind="config",
        clean=("types", "build"),
        repairable=False,
    ),
    broken(
        "checker-of-another-framework",
        "todo",
        "The script typecheck runs vue-tsc, which is not installed.",
        add=_package(scripts={**_PACKAGE["scripts"], "typecheck": "vue-tsc -b"}),
        kind="config",
        repairable=False,
    ),
    broken(
        "tailwind-as-a-postcss-plugin",
        "todo",
        "A PostCSS config of Tailwind 3 was added, which Tailwind 4 refuses.",
        add={
            "postcss.config.js": "export default {\n  plugins: {\n    tailwindcss: {},\n  },\n}\n",
        },
        kind="config",
        clean=("types", "build"),
        repairable=True,
        visit={"path": "/", "shows": "overlay", "text": "PostCSS plugin"},
        after="To-dos",
    ),
    broken(
        "directives-of-tailwind-3",
        "todo",
        "The style sheet applies its own class before Tailwind is imported: the directives are those of version 3.",
        add={
            "src/index.css": "@tailwind base;\n@tailwind components;\n@tailwind utilities;\n\n"
            "/* The look of every button. */\n@layer components {\n  .button {\n    @apply rounded-lg bg-zinc-900 px-4 py-2 text-white;\n  }\n}\n",
        },
        kind="config",
        clean=("types", "build"),
        repairable=True,
        keep=("/* The look of every button. */", "@apply rounded-lg"),
        visit={"path": "/", "shows": "overlay", "text": "unknown utility class"},
        after="To-dos",
    ),
    broken(
        "class-that-tailwind-does-not-know",
        "todo",
        "The style sheet applies a class that no token makes.",
        add={
            "src/index.css": "@import 'tailwindcss';\n\n/* The look of every card. */\n.card {\n  @apply rounded-xl bg-surface-elevated p-4;\n}\n",
        },
        kind="config",
        clean=("types", "build"),
        repairable=False,
        visit={"path": "/", "shows": "overlay", "text": "bg-surface-elevated"},
        after="To-dos",
    ),
    broken(
        "target-of-old",
        "expenses",
        "tsconfig.app.json compiles for ES5, where only lists can be iterated.",
        2802,
        edits={
            "src/lib/totals.ts": [
                (
                    "  for (const expense of expenses) {",
                    "  for (const expense of new Set(expenses)) {",
                )
            ]
        },
        add=_tsconfig('"target": "ES2023"', '"target": "ES5",\n    "ignoreDeprecations": "6.0"'),
        kind="config",
        repairable=True,
        keep=("of new Set(expenses)",),
    ),
)
