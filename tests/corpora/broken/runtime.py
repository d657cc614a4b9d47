"""What the compiler accepts and the browser does not."""

from tests.corpora.broken.entry import broken

_START = {"do": "click", "selector": "button", "text": "Start"}

ENTRIES = (
    broken(
        "null-is-read",
        "todo",
        "The storage is parsed without looking whether it holds anything; the first visit reads a member of null.",
        edits={
            "src/lib/storage.ts": [
                (
                    "    return text ? (JSON.parse(text) as Todo[]) : []",
                    "    return JSON.parse(text ?? 'null') as Todo[]",
                )
            ]
        },
        kind="runtime",
        repairable=False,
        visit={"path": "/", "shows": "error page", "text": "Cannot read properties of null"},
        after="Nothing here yet.",
    ),
    broken(
        "undefined-is-mapped",
        "recipes",
        "The client says that every recipe has steps, and none has; the details map over them.",
        edits={
            "src/api/types.ts": [("  tags: string[]\n", "  tags: string[]\n  steps: string[]\n")],
            "src/api/client.ts": [
                ("const RECIPES: Recipe[] = [", "const RECIPES = ["),
                ("function answer<T>(value: T)", "function answer<T>(value: unknown)"),
                ("resolve(value), 80)", "resolve(value as T), 80)"),
            ],
            "src/components/RecipeDetails.tsx": [
                (
                    "    </article>",
                    "      <ol>\n        {recipe.steps.map((step) => (\n          <li key={step}>{step}</li>\n        ))}\n      </ol>\n    </article>",
                )
            ],
        },
        kind="runtime",
        repairable=False,
        visit={
            "path": "/",
            "steps": [{"do": "click", "selector": "button", "text": "Tomato soup"}],
            "shows": "error page",
            "text": "Cannot read properties of undefined",
        },
        after="800 g Tomatoes",
    ),
    broken(
        "effect-without-an-end",
        "recipes",
        "The effect depends on an object that is new at every render, and sets state each time.",
        edits={
            "src/hooks/useRecipes.ts": [
                ("}, [query, tag])", "}, [options])"),
                (
                    "  useEffect(() => {\n",
                    "  const options = { query, tag }\n\n  useEffect(() => {\n",
                ),
            ]
        },
        kind="runtime",
        repairable=True,
        visit={"path": "/", "shows": "busy", "text": ""},
        after="Tomato soup",
    ),
    broken(
        "state-set-while-rendering",
        "todo",
        "A state is set during every render.",
        edits={
            "src/App.tsx": [
                (
                    "  // Done ones stay",
                    "  const [shown, setShown] = useState(0)\n  setShown(shown + 1)\n\n  // Done ones stay",
                )
            ]
        },
        kind="runtime",
        repairable=False,
        visit={"path": "/", "shows": "error page", "text": "Too many re-renders"},
        after="To-dos",
    ),
    broken(
        "handler-called-while-rendering",
        "todo",
        "The handler is called where it should be passed, so that each render sets state.",
        edits={
            "src/App.tsx": [
                (
                    '<p className="text-zinc-500">{remaining} left</p>',
                    "<button type=\"button\" onClick={() => setFilter('all')}>{remaining} left</button>",
                ),
                (
                    "<FilterTabs value={filter} onChange={setFilter} />",
                    "<FilterTabs value={filter} onChange={setFilter} />\n      <Reset onReset={setFilter} />",
                ),
                (
                    "export default function App()",
                    "function Reset({ onReset }: { onReset: (filter: Filter) => void }) {\n"
                    "  const [count, setCount] = useState(0)\n"
                    "  const reset = (): undefined => {\n    setCount(count + 1)\n    onReset('all')\n  }\n"
                    '  return (\n    <button type="button" onClick={reset()}>\n      Reset {count}\n    </button>\n  )\n}\n\n'
                    "export default function App()",
                ),
            ]
        },
        kind="runtime",
        repairable=True,
        visit={"path": "/", "shows": "error page", "text": "Too many re-renders"},
        after="Reset 0",
    ),
    broken(
        "provider-forgotten",
        "expenses",
        "The app uses the context's hook, and the provider is not around it.",
        edits={
            "src/App.tsx": [
                ("    <ExpensesProvider>\n      <main", "    <>\n      <main"),
                ("      </main>\n    </ExpensesProvider>", "      </main>\n    </>"),
                ("import { ExpensesProvider, useExpenses }", "import { useExpenses }"),
            ]
        },
        kind="runtime",
        repairable=True,
        visit={
            "path": "/",
            "shows": "error page",
            "text": "useExpenses works inside <ExpensesProvider> only.",
        },
        after="No expenses yet.",
    ),
    broken(
        "storage-holds-no-json",
        "quiz",
        "An older version stored something that is no JSON, and the reading is not guarded.",
        edits={
            "src/lib/stats.ts": [
                (
                    "  try {\n    return { ...NONE, ...JSON.parse(text) }\n  } catch (error) {\n"
                    "    console.warn('The statistics cannot be read:', error instanceof Error ? error.message : String(error))\n"
                    "    return NONE\n  }\n",
                    "  return { ...NONE, ...JSON.parse(text) }\n",
                )
            ]
        },
        kind="runtime",
        repairable=False,
        visit={
            "path": "/",
            "storage": {"quiz-stats": "best:12"},
            "shows": "error page",
            "text": "is not valid JSON",
        },
        after="Best score so far",
    ),
    broken(
        "keys-forgotten",
        "todo",
        "The items of a list have no keys: React warns, and nothing is broken.",
        edits={
            "src/components/TodoForm.tsx": [
                ("<option key={name} value={name}>", "<option value={name}>")
            ]
        },
        kind="runtime",
        repairable=True,
        visit={
            "path": "/",
            "shows": "console",
            "text": 'Each child in a list should have a unique "key" prop',
        },
        after="To-dos",
    ),
    broken(
        "keys-that-are-equal",
        "quiz",
        "Two answers of a question are the same text and so have the same key: a warning, not an error.",
        edits={
            "src/data/questions.ts": [
                ("['Sn', 'Pb', 'W']", "['Sn', 'Sn', 'W']"),
                ("['Four', 'Five', 'Six']", "['Four', 'Six', 'Six']"),
                ("['Venus', 'Mars', 'Jupiter']", "['Venus', 'Mars', 'Venus']"),
            ]
        },
        kind="runtime",
        repairable=False,
        visit={
            "path": "/",
            "steps": [_START],
            "shows": "console",
            "text": "two children with the same key",
        },
        after="easy",
    ),
    broken(
        "last-question-is-too-far",
        "quiz",
        "The game ends one question too late, and a question that does not exist is rendered.",
        edits={
            "src/game/reducer.ts": [
                ("position === state.deck.length", "position > state.deck.length")
            ]
        },
        kind="runtime",
        repairable=False,
        visit={
            "path": "/",
            "steps": [
                _START,
                {"do": "press", "key": "1"},
                {"do": "press", "key": "1"},
                {"do": "press", "key": "1"},
            ],
            "shows": "error page",
            "text": "Cannot read properties of undefined",
        },
        after="Play again",
    ),
    broken(
        "method-loses-its-object",
        "snake",
        "The method is passed without its object, so that `this` is undefined at the first key.",
        edits={"src/app.ts": [("(event) => game.handleKey(event)", "game.handleKey")]},
        kind="runtime",
        repairable=True,
        visit={
            "path": "/",
            "steps": [{"do": "press", "key": "ArrowUp"}],
            "shows": "console",
            "text": "Cannot read properties of undefined",
        },
        after="Score: 0",
    ),
    broken(
        "element-of-another-id",
        "converter",
        "The result is written into an element that the page does not have.",
        edits={"src/app.ts": [("find('#result', root)", "find('#results', root)")]},
        kind="runtime",
        repairable=False,
        visit={
            "path": "/",
            "steps": [{"do": "click", "selector": "button", "text": "Convert"}],
            "shows": "console",
            "text": "There is no element #results.",
        },
        after="1 km = 0.621 mi",
    ),
    broken(
        "rejection-nobody-handles",
        "recipes",
        "A promise is rejected at the start, and nobody catches it.",
        edits={
            "src/App.tsx": [
                ("import { useState } from 'react'", "import { useEffect, useState } from 'react'"),
                (
                    "import type { Recipe } from './api/types'",
                    "import { fetchRecipe } from './api/client'\nimport type { Recipe } from './api/types'",
                ),
                (
                    "  return (\n    <main",
                    "  // The recipe of the day is open at first.\n  useEffect(() => {\n    fetchRecipe('of-the-day').then(setSelected)\n  }, [])\n\n  return (\n    <main",
                ),
            ]
        },
        kind="runtime",
        repairable=False,
        visit={"path": "/", "shows": "console", "text": "There is no recipe of-the-day."},
        after="Tomato soup",
    ),
    broken(
        "uncontrolled-becomes-controlled",
        "recipes",
        "The search's first value is undefined, so that React warns at the first letter.",
        edits={"src/App.tsx": [("useState('')", "useState<string>()")]},
        kind="runtime",
        repairable=True,
        visit={
            "path": "/",
            "steps": [{"do": "fill", "selector": "input", "value": "soup"}],
            "shows": "console",
            "text": "changing an uncontrolled input to be controlled",
        },
        after="Tomato soup",
    ),
    broken(
        "date-that-is-none",
        "expenses",
        "An invalid date is made ISO text when an expense is added.",
        edits={
            "src/components/ExpenseForm.tsx": [
                ("new Date().toISOString()", "new Date(`${label} today`).toISOString()")
            ]
        },
        kind="runtime",
        repairable=False,
        visit={
            "path": "/",
            "steps": [
                {"do": "fill", "selector": "input[aria-label=What]", "value": "Tea"},
                {"do": "fill", "selector": "input[aria-label=Amount]", "value": "3"},
                {"do": "click", "selector": "button", "text": "Add"},
            ],
            "shows": "console",
            "text": "Invalid time value",
        },
        after="Tea",
    ),
    broken(
        "extension-of-another-file",
        "todo",
        "A .tsx file is imported with the extension .ts, which the compiler forgives and Vite does not.",
        edits={
            "src/App.tsx": [("'./components/TodoItem'", "'./components/TodoItem.ts'")],
        },
        kind="runtime",
        clean=("types", "build"),
        repairable=True,
        visit={"path": "/", "shows": "overlay", "text": "./components/TodoItem.ts"},
        after="To-dos",
    ),
)
