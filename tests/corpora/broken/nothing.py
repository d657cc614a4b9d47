"""What may be null, undefined or unknown."""

from tests.corpora.broken.entry import broken

ENTRIES = (
    broken(
        "caught-error-is-unknown",
        "quiz",
        "The message of a caught error is read, which is unknown.",
        18046,
        edits={
            "src/lib/stats.ts": [
                ("error instanceof Error ? error.message : String(error)", "error.message")
            ]
        },
        repairable=True,
        keep=("console.warn('The statistics cannot be read:'", "return NONE"),
    ),
    broken(
        "caught-error-is-unknown-in-plain-typescript",
        "converter",
        "The message of a caught error is shown without looking what it is.",
        18046,
        edits={
            "src/app.ts": [
                (
                    "state.message = error instanceof Error ? error.message : String(error)",
                    "state.message = error.message",
                )
            ]
        },
        repairable=True,
        keep=("state.message =",),
    ),
    broken(
        "ref-may-be-null",
        "todo",
        "The input's ref may be null when it is focused.",
        18047,
        edits={
            "src/components/TodoForm.tsx": [
                ("inputRef.current?.focus()", "inputRef.current.focus()")
            ]
        },
        repairable=True,
        never=("current!",),
    ),
    broken(
        "member-may-be-undefined-in-markup",
        "expenses",
        "The largest expense may be undefined where its label is shown.",
        18048,
        edits={
            "src/App.tsx": [
                ("footer={largest && `Largest: ${largest.label}`}", "footer={largest.label}")
            ]
        },
        repairable=True,
        never=("largest!",),
    ),
    broken(
        "context-may-be-null",
        "snake",
        "The canvas context may be null and is drawn with.",
        2345,
        edits={
            "src/app.ts": [("  if (!context) throw new Error('This browser cannot draw.')\n", "")]
        },
        repairable=False,
    ),
    broken(
        "found-may-be-undefined",
        "recipes",
        "find may find nothing, and its member is returned as a number.",
        2532,
        edits={
            "src/api/client.ts": [
                (
                    "export async function fetchRecipe",
                    "export function minutesOf(id: string): number {\n"
                    "  return RECIPES.find((recipe) => recipe.id === id).minutes\n}\n\n"
                    "export async function fetchRecipe",
                )
            ]
        },
        repairable=False,
        never=(")!.minutes",),
    ),
    broken(
        "optional-callback-is-called",
        "recipes",
        "onSelect is optional, and called as if it were always there.",
        2722,
        edits={"src/components/RecipeCard.tsx": [("onSelect?.(recipe)", "onSelect(recipe)")]},
        repairable=True,
        never=("onSelect!",),
    ),
    broken(
        "optional-callback-of-an-option",
        "snake",
        "The option onScore may be missing, and is called.",
        2722,
        edits={"src/game/Game.ts": [("this.options.onScore?.(", "this.options.onScore(")]},
        repairable=True,
        never=("onScore!",),
    ),
    broken(
        "optional-date-is-passed-on",
        "todo",
        "The due date may be undefined and is described anyway.",
        2345,
        edits={
            "src/components/TodoItem.tsx": [
                (
                    '{todo.dueDate && <span className="text-sm text-zinc-500">{describeDueDate(todo.dueDate)}</span>}',
                    '<span className="text-sm text-zinc-500">{describeDueDate(todo.dueDate)}</span>',
                )
            ]
        },
        repairable=False,
        never=("dueDate!",),
    ),
    broken(
        "storage-may-hold-nothing",
        "todo",
        "What the storage holds may be null, and is parsed.",
        2345,
        edits={
            "src/lib/storage.ts": [
                ("    const text = localStorage.getItem(KEY)\n", ""),
                (
                    "return text ? (JSON.parse(text) as Todo[]) : []",
                    "return JSON.parse(localStorage.getItem(KEY)) as Todo[]",
                ),
            ]
        },
        repairable=False,
    ),
    broken(
        "data-is-read-before-it-is-there",
        "helpdesk",
        "The answer may be undefined while it loads.",
        18048,
        edits={
            "src/pages/StatusPage.tsx": [
                (
                    '{data && <p className="mt-3 text-muted">{data.open} open tickets</p>}',
                    '<p className="mt-3 text-muted">{data.open} open tickets</p>',
                )
            ]
        },
        repairable=True,
        never=("data!",),
    ),
    broken(
        "row-may-be-missing",
        "helpdesk",
        "The database may find no row; its column is returned.",
        18048,
        edits={"server/routes/tickets.ts": [("open: row?.open ?? 0", "open: row.open")]},
        repairable=False,
        never=("row!",),
    ),
    broken(
        "function-as-a-condition",
        "snake",
        "A method is tested in place of what it returns.",
        2774,
        edits={
            "src/game/Game.ts": [("if (this.snake.bitesItself())", "if (this.snake.bitesItself)")]
        },
        repairable=False,
    ),
    broken(
        "variable-without-a-value",
        "converter",
        "The result is used although one branch does not set it.",
        2454,
        edits={
            "src/lib/units.ts": [
                (
                    "  return (value * source.factor) / target.factor",
                    "  let result: number\n  if (source !== target) result = (value * source.factor) / target.factor\n  return result",
                )
            ]
        },
        repairable=False,
    ),
    broken(
        "element-may-be-null",
        "converter",
        "The element that is looked for may not be there.",
        18047,
        edits={
            "src/app.ts": [
                (
                    "find('#result', root).textContent = state.message",
                    "const line = document.querySelector('#result')\n  line.textContent = state.message",
                )
            ]
        },
        repairable=False,
        never=("line!",),
    ),
    broken(
        "user-may-be-signed-out",
        "helpdesk",
        "On a public page the user may be null.",
        18047,
        edits={
            "src/pages/StatusPage.tsx": [
                (
                    "import { useApi } from",
                    "import { useSession } from '../lib/session'\nimport { useApi } from",
                ),
                (
                    "  return (\n    <section",
                    "  const { user } = useSession()\n  return (\n    <section",
                ),
                (">Help desk</h1>", ">Help desk for {user.name}</h1>"),
            ]
        },
        repairable=True,
        never=("user!",),
    ),
)
