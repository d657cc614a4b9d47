"""Imports and exports: paths, cases, extensions, default or named, types, barrels, packages."""

from tests.corpora.broken.entry import broken

_VERBATIM = (
    '"isolatedModules": true,',
    '"isolatedModules": true,\n    "verbatimModuleSyntax": true,',
)


def _tsconfig(old: str, new: str) -> dict[str, str]:
    from vibedesk.base.resources import resource

    text = resource("templates", "react-vite", "tsconfig.app.json").read_text("utf-8")
    assert text.count(old) == 1, old
    return {"tsconfig.app.json": text.replace(old, new)}


ENTRIES = (
    broken(
        "one-folder-too-high",
        "todo",
        "The form imports the types from one folder too high.",
        2307,
        edits={"src/components/TodoForm.tsx": [("from '../types'", "from '../../types'")]},
        repairable=True,
    ),
    broken(
        "folder-forgotten",
        "todo",
        "The hook imports './storage', which lies in lib.",
        2307,
        edits={"src/hooks/useTodos.ts": [("from '../lib/storage'", "from './storage'")]},
        repairable=True,
        keep=("loadTodos, saveTodos",),
    ),
    broken(
        "file-name-in-another-case",
        "todo",
        "The file is TodoForm.tsx and imported as todoForm.",
        2307,
        edits={"src/App.tsx": [("'./components/TodoForm'", "'./components/todoForm'")]},
        repairable=True,
    ),
    broken(
        "file-name-with-dashes",
        "recipes",
        "The files are named RecipeCard and RecipeDetails, and imported as recipe-card and recipe-details.",
        2307,
        edits={
            "src/App.tsx": [
                ("'./components/RecipeCard'", "'./components/recipe-card'"),
                ("'./components/RecipeDetails'", "'./components/recipe-details'"),
            ]
        },
        repairable=True,
    ),
    broken(
        "folder-for-each-component",
        "todo",
        "A component is imported from a folder of its own, which it does not have.",
        2307,
        edits={"src/App.tsx": [("'./components/TodoItem'", "'./components/TodoItem/TodoItem'")]},
        repairable=True,
    ),
    broken(
        "typescript-extension-not-allowed",
        "todo",
        "Imports end in .ts and .tsx, which this project's tsconfig does not allow.",
        5097,
        edits={
            "src/App.tsx": [
                ("'./components/TodoItem'", "'./components/TodoItem.tsx'"),
                ("'./hooks/useTodos'", "'./hooks/useTodos.ts'"),
            ]
        },
        add=_tsconfig('    "allowImportingTsExtensions": true,\n', ""),
        repairable=True,
    ),
    broken(
        "named-export-imported-as-default",
        "todo",
        "TodoForm and TodoItem are named exports, imported as defaults.",
        2613,
        edits={
            "src/App.tsx": [
                ("import { TodoForm } from", "import TodoForm from"),
                ("import { TodoItem } from", "import TodoItem from"),
            ]
        },
        repairable=True,
    ),
    broken(
        "default-export-imported-by-name",
        "todo",
        "FilterTabs is a default export, imported by name.",
        2614,
        edits={"src/App.tsx": [("import FilterTabs from", "import { FilterTabs } from")]},
        repairable=True,
    ),
    broken(
        "default-and-named-mixed-up",
        "quiz",
        "ProgressBar is imported by name and QuestionCard as a default; it is the other way round.",
        2613,
        2614,
        edits={
            "src/App.tsx": [
                ("import ProgressBar from", "import { ProgressBar } from"),
                ("import { QuestionCard } from", "import QuestionCard from"),
            ]
        },
        repairable=True,
    ),
    broken(
        "module-as-a-default",
        "todo",
        "The storage module is used as an object, and imported as a default that it does not have.",
        1192,
        edits={
            "src/hooks/useTodos.ts": [
                ("import { loadTodos, saveTodos } from", "import storage from"),
                ("(loadTodos)", "(storage.loadTodos)"),
                ("saveTodos(todos)", "storage.saveTodos(todos)"),
            ]
        },
        repairable=True,
    ),
    broken(
        "export-misspelled",
        "expenses",
        "The list imports formatMonney.",
        2724,
        edits={
            "src/components/ExpenseList.tsx": [
                (
                    "import { formatDate, formatMoney } from",
                    "import { formatDate, formatMonney } from",
                ),
                ("{formatMoney(expense", "{formatMonney(expense"),
            ]
        },
        repairable=True,
    ),
    broken(
        "export-forgotten",
        "expenses",
        "parseAmount is declared in lib/format and not exported.",
        2459,
        edits={"src/lib/format.ts": [("export function parseAmount", "function parseAmount")]},
        repairable=True,
    ),
    broken(
        "component-not-exported",
        "recipes",
        "The file of RecipeDetails exports nothing.",
        2459,
        edits={
            "src/components/RecipeDetails.tsx": [
                ("export function RecipeDetails", "function RecipeDetails")
            ]
        },
        repairable=True,
    ),
    broken(
        "export-that-does-not-exist",
        "expenses",
        "Nobody wrote formatPercent.",
        2305,
        edits={
            "src/App.tsx": [
                ("import { formatMoney } from", "import { formatMoney, formatPercent } from"),
                (
                    '<p className="text-3xl font-semibold">{formatMoney(sum)}</p>',
                    '<p className="text-3xl font-semibold">{formatMoney(sum)}</p>\n'
                    "      <p>{formatPercent(sum / budget.monthlyLimitCents)} of the budget</p>",
                ),
            ]
        },
        repairable=False,
    ),
    broken(
        "barrel-without-the-new-component",
        "expenses",
        "Badge lies in ui/ and is imported from its barrel, which does not export it.",
        2305,
        edits={
            "src/App.tsx": [
                ("import { Card } from", "import { Badge, Card } from"),
                (
                    "{name}: {formatMoney(totals[name])}",
                    "<Badge>{name}</Badge> {formatMoney(totals[name])}",
                ),
            ]
        },
        add={
            "src/components/ui/Badge.tsx": "import type { ReactNode } from 'react'\n\n"
            "/** A word in a small box. */\n"
            "export function Badge({ children }: { children: ReactNode }) {\n"
            '  return <span className="rounded-full bg-zinc-100 px-2 text-xs">{children}</span>\n'
            "}\n",
            "src/components/ui/index.ts": "// Everything that pages may use from here.\n"
            "export { Button, type ButtonVariant } from './Button'\n"
            "export { Card, type CardProps } from './Card'\n",
        },
        repairable=True,
        keep=("<Badge>{name}</Badge>",),
    ),
    broken(
        "name-from-the-wrong-module",
        "todo",
        "useTodos is imported from lib/storage; it lives in hooks/useTodos.",
        2724,
        edits={"src/App.tsx": [("from './hooks/useTodos'", "from './lib/storage'")]},
        repairable=True,
    ),
    broken(
        "hook-from-the-wrong-package",
        "expenses",
        "useReducer and useMemo are imported from react-dom.",
        2305,
        edits={
            "src/context/ExpensesContext.tsx": [
                (
                    "import { createContext, type ReactNode, useContext, useMemo, useReducer } from 'react'",
                    "import { createContext, type ReactNode, useContext } from 'react'\n"
                    "import { useMemo, useReducer } from 'react-dom'",
                )
            ]
        },
        repairable=True,
    ),
    broken(
        "alias-with-a-wrong-folder",
        "quiz",
        "The alias points to component, the folder is components.",
        2307,
        edits={"src/App.tsx": [("'@/components/QuestionCard'", "'@/component/QuestionCard'")]},
        repairable=True,
    ),
    broken(
        "alias-that-is-not-set-up",
        "quiz",
        "Imports begin with ~/; the project's alias is @/.",
        2307,
        edits={
            "src/App.tsx": [
                ("'@/lib/stats'", "'~/lib/stats'"),
                ("'@/game/reducer'", "'~/game/reducer'"),
            ]
        },
        repairable=True,
    ),
    broken(
        "icons-not-installed",
        "todo",
        "The item draws an icon of lucide-react, which is not installed.",
        2307,
        edits={
            "src/components/TodoItem.tsx": [
                (
                    "import { describeDueDate }",
                    "import { Trash2 } from 'lucide-react'\nimport { describeDueDate }",
                ),
                ("        ×\n", '        <Trash2 className="size-4" />\n'),
            ]
        },
        repairable=True,
        keep=("<Trash2 ",),
        installs=("lucide-react",),
    ),
    broken(
        "class-helper-not-installed",
        "expenses",
        "The button joins classes with clsx, which is not installed.",
        2307,
        edits={
            "src/components/ui/Button.tsx": [
                (
                    "import type { ButtonHTMLAttributes } from 'react'",
                    "import clsx from 'clsx'\nimport type { ButtonHTMLAttributes } from 'react'",
                ),
                (
                    "className={`rounded-lg px-3 py-2 ${look} ${className}`}",
                    "className={clsx('rounded-lg px-3 py-2', look, className)}",
                ),
            ]
        },
        repairable=True,
        keep=("clsx('rounded-lg px-3 py-2', look, className)",),
        installs=("clsx",),
    ),
    broken(
        "dates-and-store-not-installed",
        "expenses",
        "Two packages are used and neither is installed: date-fns and zustand.",
        2307,
        edits={
            "src/lib/format.ts": [
                ("const money =", "import { format, parseISO } from 'date-fns'\n\nconst money ="),
                (
                    "new Date(iso).toLocaleDateString('en-US', { day: 'numeric', month: 'short' })",
                    "format(parseISO(iso), 'd MMM')",
                ),
            ]
        },
        add={
            "src/store/settings.ts": "import { create } from 'zustand'\n\n"
            "interface Settings {\n  currency: string\n  setCurrency: (currency: string) => void\n}\n\n"
            "// Read by the overview and the form.\n"
            "export const useSettings = create<Settings>()((set) => ({\n"
            "  currency: 'USD',\n  setCurrency: (currency) => set({ currency }),\n}))\n"
        },
        repairable=True,
        installs=("date-fns", "zustand"),
    ),
    broken(
        "package-without-types",
        "recipes",
        "scheduler is there as JavaScript only; its types are a package of their own.",
        7016,
        edits={
            "src/hooks/useRecipes.ts": [
                (
                    "import { useEffect, useState } from 'react'",
                    "import { useEffect, useState } from 'react'\n"
                    "import { unstable_LowPriority, unstable_scheduleCallback } from 'scheduler'",
                ),
                (
                    "    void load()",
                    "    unstable_scheduleCallback(unstable_LowPriority, () => void load())",
                ),
            ]
        },
        repairable=True,
        installs=("@types/scheduler",),
    ),
    broken(
        "javascript-module-without-types",
        "converter",
        "A helper was written as .js, whose types nobody declared.",
        7016,
        edits={
            "src/lib/units.ts": [
                (
                    "export type Dimension",
                    "import { roundTo } from './rounding'\n\nexport type Dimension",
                ),
                (
                    "return (value * source.factor) / target.factor",
                    "return roundTo((value * source.factor) / target.factor, 6)",
                ),
            ]
        },
        add={
            "src/lib/rounding.js": "export function roundTo(value, digits) {\n"
            "  const factor = 10 ** digits\n  return Math.round(value * factor) / factor\n}\n"
        },
        repairable=False,
    ),
    broken(
        "package-that-nobody-published",
        "quiz",
        "The confetti comes from a package that does not exist.",
        2307,
        edits={
            "src/App.tsx": [
                (
                    "import ProgressBar from",
                    "import { QuizConfettiBurst } from 'vibedesk-corpus-no-such-confetti'\nimport ProgressBar from",
                ),
                (
                    '<section className="text-center">',
                    '<section className="text-center">\n          <QuizConfettiBurst />',
                ),
            ]
        },
        repairable=False,
    ),
    broken(
        "component-library-that-is-not-there",
        "recipes",
        "The details are shown in a dialog of components/ui, a folder that does not exist.",
        2307,
        edits={
            "src/App.tsx": [
                (
                    "import { useRecipes } from",
                    "import { Dialog, DialogContent } from '@/components/ui/dialog'\nimport { useRecipes } from",
                ),
                (
                    "{selected && <RecipeDetails key={selected.id} recipe={selected} />}",
                    "<Dialog open={selected !== null}>\n"
                    "        <DialogContent>{selected && <RecipeDetails key={selected.id} recipe={selected} />}</DialogContent>\n"
                    "      </Dialog>",
                ),
            ]
        },
        repairable=False,
    ),
    broken(
        "page-that-was-never-written",
        "helpdesk",
        "A lazy route imports a page that was never written.",
        2307,
        edits={
            "src/App.tsx": [
                (
                    "export default function App()",
                    "const ReportsPage = lazy(() => import('./pages/ReportsPage'))\n\nexport default function App()",
                ),
                (
                    "import { BrowserRouter,",
                    "import { lazy } from 'react'\nimport { BrowserRouter,",
                ),
                (
                    '<Route path="status" element={<StatusPage />} />',
                    '<Route path="status" element={<StatusPage />} />\n            <Route path="reports" element={<ReportsPage />} />',
                ),
            ]
        },
        repairable=False,
    ),
    broken(
        "router-of-the-old-name",
        "helpdesk",
        "Router parts are imported from react-router-dom; the app has react-router 7.",
        2307,
        edits={
            "src/App.tsx": [
                (
                    "import { BrowserRouter, Route, Routes } from 'react-router'",
                    "import { BrowserRouter, Route, Routes } from 'react-router-dom'",
                )
            ]
        },
        repairable=True,
    ),
    broken(
        "type-only-import-of-an-enum",
        "quiz",
        "Difficulty is imported as a type and used as a value.",
        1361,
        edits={
            "src/components/QuestionCard.tsx": [
                (
                    "import { Difficulty, type Question } from",
                    "import type { Difficulty, Question } from",
                )
            ]
        },
        repairable=True,
        keep=("[Difficulty.Easy]: 'text-emerald-600'",),
    ),
    broken(
        "type-only-import-of-a-class",
        "recipes",
        "ApiError is marked as a type in an import and used with instanceof.",
        1361,
        edits={
            "src/hooks/useRecipes.ts": [
                ("import { ApiError, searchRecipes }", "import { type ApiError, searchRecipes }")
            ]
        },
        repairable=True,
        keep=("error instanceof ApiError ? error.message",),
    ),
    broken(
        "types-imported-as-values",
        "expenses",
        "The project demands `type` for imported types, and three imports lack it.",
        1484,
        edits={
            "src/components/ExpenseForm.tsx": [
                ("import { type FormEvent, useState }", "import { FormEvent, useState }"),
                ("import { categories, type Category }", "import { categories, Category }"),
            ],
            "src/components/ExpenseList.tsx": [("import type { Expense }", "import { Expense }")],
        },
        add=_tsconfig(*_VERBATIM),
        repairable=True,
    ),
    broken(
        "type-passed-on-without-saying-so",
        "expenses",
        "The barrel exports types again as if they were values.",
        1205,
        edits={
            "src/components/ui/index.ts": [
                ("{ Button, type ButtonVariant }", "{ Button, ButtonVariant }"),
                ("{ Card, type CardProps }", "{ Card, CardProps }"),
            ]
        },
        repairable=True,
    ),
    broken(
        "imported-twice",
        "todo",
        "useState is imported twice after an edit.",
        2300,
        edits={
            "src/components/TodoForm.tsx": [
                (
                    "import type { Priority } from '../types'",
                    "import { useState } from 'react'\nimport type { Priority } from '../types'",
                )
            ]
        },
        repairable=True,
        keep=("useState<Priority>('normal')",),
    ),
    broken(
        "import-against-a-local-component",
        "expenses",
        "The list imports Row and declares one too.",
        2440,
        edits={
            "src/components/ExpenseList.tsx": [
                (
                    "import { Button } from './ui'",
                    "import { Button } from './ui'\nimport { Row } from './Row'",
                )
            ]
        },
        add={
            "src/components/Row.tsx": "import type { ReactNode } from 'react'\n\n"
            "/** A line of any table. */\n"
            "export function Row({ children }: { children: ReactNode }) {\n  return <tr>{children}</tr>\n}\n"
        },
        repairable=False,
    ),
    broken(
        "exported-as-default-twice",
        "recipes",
        "App is exported as the default where it is declared, and once more at the end.",
        2528,
        edits={
            "src/App.tsx": [
                (
                    "recipe={selected} />}\n    </main>\n  )\n}\n",
                    "recipe={selected} />}\n    </main>\n  )\n}\n\nexport default App\n",
                )
            ]
        },
        repairable=True,
    ),
    broken(
        "no-member-of-the-namespace",
        "recipes",
        "React.JSX has no member Props.",
        2694,
        edits={
            "src/components/RecipeCard.tsx": [
                (
                    "import type { Recipe } from",
                    "import type { JSX } from 'react'\nimport type { Recipe } from",
                ),
                ("  selected: boolean\n", "  selected: boolean\n  image?: JSX.Props\n"),
            ]
        },
        repairable=False,
    ),
    broken(
        "route-file-in-the-singular",
        "helpdesk",
        "The routes are imported from './ticket'; the file is tickets.ts.",
        2307,
        edits={"server/routes/index.ts": [("from './tickets'", "from './ticket'")]},
        repairable=True,
    ),
    broken(
        "error-helper-in-a-file-that-is-not-there",
        "helpdesk",
        "notFound is imported from core/http; core/errors exports it.",
        2307,
        edits={"server/routes/tickets.ts": [("from '../core/errors'", "from '../core/http'")]},
        repairable=True,
    ),
    broken(
        "shared-types-in-a-file-that-is-not-there",
        "helpdesk",
        "The page's types are imported from @shared/types; they are in @shared/api.",
        2307,
        edits={"src/lib/tickets.ts": [("from '@shared/api'", "from '@shared/types'")]},
        repairable=True,
    ),
    broken(
        "node-module-in-the-browser",
        "recipes",
        "The browser's client reads a file with node:fs.",
        2591,
        edits={
            "src/api/client.ts": [
                (
                    "import type { Recipe, SearchOptions } from './types'",
                    "import { readFileSync } from 'node:fs'\nimport type { Recipe, SearchOptions } from './types'",
                ),
                (
                    "export async function fetchRecipe",
                    "export const motd = () => readFileSync('motd.txt', 'utf-8')\n\nexport async function fetchRecipe",
                ),
            ]
        },
        repairable=False,
    ),
    broken(
        "paths-in-three-files",
        "recipes",
        "After a move of the client to api/ three files still look for it in lib/.",
        2307,
        edits={
            "src/hooks/useRecipes.ts": [
                ("'../api/client'", "'../lib/client'"),
                ("'../api/types'", "'../lib/types'"),
            ],
            "src/components/RecipeCard.tsx": [("'../api/types'", "'../lib/types'")],
            "src/lib/units.ts": [("'../api/types'", "'./types'")],
        },
        repairable=True,
    ),
)
