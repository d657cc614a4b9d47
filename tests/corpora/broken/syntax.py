"""Text that is no TypeScript: braces, commas, quotes, fences, truncated answers."""

from tests.corpora.broken.entry import app_files, broken

_FENCED = "```tsx\n" + app_files("quiz")["src/components/ProgressBar.tsx"] + "```\n"
_CURLY = app_files("todo")["src/lib/date.ts"].replace("return 'today'", "return ‘today’")
_TRUNCATED = app_files("recipes")["src/components/RecipeDetails.tsx"].split("      {/* Amounts")[0]
_JSX_IN_TS = """import { createContext, type ReactNode, use, useState } from 'react'

interface Theme {
  dark: boolean
  toggle: () => void
}

// Null outside of the provider, so that a forgotten one is noticed.
const ThemeContext = createContext<Theme | null>(null)

export function ThemeProvider({ children }: { children: ReactNode }) {
  const [dark, setDark] = useState(false)
  return <ThemeContext value={{ dark, toggle: () => setDark(!dark) }}>{children}</ThemeContext>
}

export function useTheme(): Theme {
  const theme = use(ThemeContext)
  if (!theme) throw new Error('useTheme works inside <ThemeProvider> only.')
  return theme
}
"""

ENTRIES = (
    broken(
        "last-brace-missing",
        "expenses",
        "The last brace of the file is missing.",
        1005,
        edits={
            "src/lib/totals.ts": [
                ("  return { totals, sum, largest }\n}\n", "  return { totals, sum, largest }\n")
            ]
        },
        repairable=True,
    ),
    broken(
        "brace-too-many",
        "todo",
        "A brace too many closes the file.",
        1128,
        edits={
            "src/hooks/useTodos.ts": [
                ("removeTodo, remaining }\n}\n", "removeTodo, remaining }\n}\n}\n")
            ]
        },
        repairable=True,
    ),
    broken(
        "comma-missing-in-an-object",
        "expenses",
        "A comma is missing between two members.",
        1005,
        edits={"src/lib/totals.ts": [("food: 0, rent: 0,", "food: 0 rent: 0,")]},
        repairable=True,
    ),
    broken(
        "comma-missing-in-a-list",
        "quiz",
        "A comma is missing between two questions.",
        1005,
        edits={
            "src/data/questions.ts": [
                (
                    "    difficulty: Difficulty.Easy,\n  },\n",
                    "    difficulty: Difficulty.Easy,\n  }\n",
                )
            ]
        },
        repairable=True,
    ),
    broken(
        "value-missing",
        "todo",
        "A constant is declared with nothing behind the equals sign.",
        1109,
        edits={"src/lib/date.ts": [("const MS_PER_DAY = 86_400_000", "const MS_PER_DAY = ;")]},
        repairable=False,
    ),
    broken(
        "wrapped-in-a-code-fence",
        "quiz",
        "The file stands in a Markdown fence.",
        1443,
        1434,
        1109,
        add={"src/components/ProgressBar.tsx": _FENCED},
        repairable=True,
        loses=("```",),
    ),
    broken(
        "answer-cut-off",
        "recipes",
        "The file ends in the middle of its markup.",
        17008,
        add={"src/components/RecipeDetails.tsx": _TRUNCATED},
        repairable=False,
    ),
    broken(
        "rest-of-the-code-left-out",
        "expenses",
        "The model wrote that the rest stays the same, and left it out.",
        2305,
        add={
            "src/lib/format.ts": "const money = new Intl.NumberFormat('en-US', { style: 'currency', currency: 'EUR' })\n\n"
            "/** Cents as euros. */\n"
            "export function formatMoney(cents: number): string {\n  return money.format(cents / 100)\n}\n\n"
            "// ... the rest of the file stays the same ...\n"
        },
        repairable=False,
    ),
    broken(
        "apostrophe-ends-the-text",
        "quiz",
        "An apostrophe ends a text in single quotes.",
        1005,
        edits={
            "src/data/questions.ts": [
                (
                    '"What is the chemical symbol of tungsten\'s ore?"',
                    "'What is the chemical symbol of tungsten's ore?'",
                )
            ]
        },
        repairable=True,
        keep=("answers: ['Sn', 'Pb', 'W']",),
    ),
    broken(
        "curly-quotes",
        "todo",
        "A text stands in typographic quotes.",
        1127,
        add={"src/lib/date.ts": _CURLY},
        repairable=True,
        keep=("today",),
    ),
    broken(
        "arrow-missing",
        "quiz",
        "An arrow function has no arrow.",
        1005,
        edits={
            "src/components/QuestionCard.tsx": [
                (
                    "({ question, onAnswer, secondsLeft }: Props) => {",
                    "({ question, onAnswer, secondsLeft }: Props) {",
                )
            ]
        },
        repairable=True,
    ),
    broken(
        "parenthesis-missing",
        "todo",
        "A call of a hook is not closed.",
        1005,
        edits={
            "src/components/TodoForm.tsx": [
                ("const [title, setTitle] = useState('')", "const [title, setTitle] = useState(''")
            ]
        },
        repairable=True,
        keep=("useState<Priority>('normal')",),
    ),
    broken(
        "bracket-missing-in-a-destructuring",
        "recipes",
        "The destructuring of a state is not closed.",
        1005,
        edits={"src/App.tsx": [("const [query, setQuery] =", "const [query, setQuery =")]},
        repairable=False,
    ),
    broken(
        "conflict-markers-left",
        "expenses",
        "The markers of a merge were left in the file.",
        1185,
        edits={
            "src/lib/format.ts": [
                (
                    "const money = new Intl.NumberFormat('en-US', { style: 'currency', currency: 'USD' })",
                    "<<<<<<< HEAD\nconst money = new Intl.NumberFormat('en-US', { style: 'currency', currency: 'USD' })\n"
                    "=======\nconst money = new Intl.NumberFormat('de-DE', { style: 'currency', currency: 'EUR' })\n"
                    ">>>>>>> budget",
                )
            ]
        },
        repairable=False,
    ),
    broken(
        "prose-before-the-code",
        "recipes",
        "The model's sentence stands before the code.",
        1434,
        add={
            "src/lib/units.ts": "Here is the updated file with the new helper for groups:\n\n"
            + app_files("recipes")["src/lib/units.ts"]
        },
        repairable=False,
    ),
    broken(
        "text-not-ended",
        "converter",
        "A text has no closing quote.",
        1002,
        edits={"src/lib/units.ts": [("name: 'Mile',", "name: 'Mile,")]},
        repairable=False,
    ),
    broken(
        "markup-in-a-ts-file",
        "todo",
        "A provider with markup was written into a file that ends in .ts.",
        1005,
        add={"src/hooks/useTheme.ts": _JSX_IN_TS},
        repairable=True,
        keep=("<ThemeContext value=",),
    ),
    broken(
        "generic-arrow-in-a-tsx-file",
        "recipes",
        "The type parameter of an arrow function looks like a tag in a .tsx file.",
        17008,
        edits={
            "src/App.tsx": [
                (
                    "const TAGS = ['vegan', 'quick']",
                    "const TAGS = ['vegan', 'quick']\n\n"
                    "// The first of a list, whatever it holds.\n"
                    "const firstOf = <T>(items: T[]): T | undefined => items[0]",
                ),
                ("{loading && ", "{firstOf(recipes) === undefined && loading && "),
            ]
        },
        repairable=True,
        keep=("items[0]",),
    ),
)
