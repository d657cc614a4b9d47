"""Hooks of React where none may stand; the linter sees them, the compiler does not."""

from tests.corpora.broken.entry import broken

_RULE = "react-hooks/rules-of-hooks"

ENTRIES = (
    broken(
        "hook-after-a-return",
        "expenses",
        "A hook stands below an early return.",
        _RULE,
        edits={
            "src/components/ExpenseList.tsx": [
                ("import { formatDate", "import { useState } from 'react'\nimport { formatDate"),
                (
                    "  // A table, as screen readers",
                    "  const [newestFirst, setNewestFirst] = useState(true)\n\n  // A table, as screen readers",
                ),
                (
                    "        {expenses.map(",
                    "        {(newestFirst ? expenses : expenses.toReversed()).map(",
                ),
                (
                    '    <table className="w-full">',
                    '    <table className="w-full" onDoubleClick={() => setNewestFirst(!newestFirst)}>',
                ),
            ]
        },
        clean=("types", "lint"),
        repairable=True,
        keep=("No expenses yet.",),
    ),
    broken(
        "effect-after-a-return",
        "quiz",
        "An effect stands below the return of the start page.",
        _RULE,
        edits={
            "src/App.tsx": [
                (
                    '  return (\n    <main className="mx-auto',
                    "  useEffect(() => {\n    document.title = `Question ${game.position + 1}`\n  }, [game.position])\n\n"
                    '  return (\n    <main className="mx-auto',
                )
            ]
        },
        clean=("types", "lint"),
        repairable=True,
        keep=("document.title =",),
    ),
    broken(
        "hook-in-a-condition",
        "quiz",
        "An effect stands inside an if.",
        _RULE,
        edits={
            "src/components/QuestionCard.tsx": [
                (
                    "  return (\n    <article",
                    "  if (secondsLeft !== undefined) {\n    useEffect(() => {\n"
                    "      document.title = `${secondsLeft} s left`\n    }, [secondsLeft])\n  }\n\n  return (\n    <article",
                )
            ]
        },
        clean=("types", "lint"),
        repairable=True,
        keep=("document.title = `${secondsLeft} s left`",),
    ),
    broken(
        "hook-in-a-loop",
        "todo",
        "A state is made for each filter in a loop.",
        _RULE,
        edits={
            "src/components/FilterTabs.tsx": [
                (
                    "import type { Filter } from '../types'\n",
                    "import { useState } from 'react'\nimport type { Filter } from '../types'\n",
                ),
                (
                    "  return (\n    <div role",
                    "  const seen: Partial<Record<Filter, boolean>> = {}\n  for (const filter of filters) {\n"
                    "    const [visited] = useState(filter === value)\n    seen[filter] = visited\n  }\n\n  return (\n    <div role",
                ),
                (
                    "          {LABELS[filter]}\n",
                    "          {LABELS[filter]}\n          {seen[filter] && ' ·'}\n",
                ),
            ]
        },
        clean=("types", "lint"),
        repairable=False,
    ),
    broken(
        "hook-in-a-callback",
        "recipes",
        "A hook is called in a click handler.",
        _RULE,
        edits={
            "src/components/RecipeCard.tsx": [
                (
                    "import type { Recipe } from",
                    "import { useState } from 'react'\nimport type { Recipe } from",
                ),
                (
                    "onClick={() => onSelect?.(recipe)}",
                    "onClick={() => {\n        const [, setOpened] = useState(false)\n        setOpened(true)\n        onSelect?.(recipe)\n      }}",
                ),
            ]
        },
        clean=("types", "lint"),
        repairable=False,
    ),
    broken(
        "hook-in-a-plain-function",
        "expenses",
        "A helper whose name says nothing of a hook calls one.",
        _RULE,
        edits={
            "src/App.tsx": [
                (
                    "export default function App() {",
                    "function isOverBudget() {\n  const { expenses, budget } = useExpenses()\n"
                    "  return summarize(expenses).sum > budget.monthlyLimitCents\n}\n\nexport default function App() {",
                ),
                (
                    "  const over = sum > budget.monthlyLimitCents\n",
                    "  const over = isOverBudget()\n",
                ),
                (
                    "  const { expenses, budget } = useExpenses()\n  const { totals",
                    "  const { expenses } = useExpenses()\n  const { totals",
                ),
            ]
        },
        clean=("types", "lint"),
        repairable=True,
        keep=(".sum > budget.monthlyLimitCents",),
    ),
    broken(
        "hook-behind-a-shortcut",
        "helpdesk",
        "A hook is called only if another value is there.",
        _RULE,
        edits={
            "src/pages/StatusPage.tsx": [
                ("import { Loading }", "import { useMemo } from 'react'\nimport { Loading }"),
                (
                    "  return (\n    <section",
                    "  const words = data && useMemo(() => `${data.open} open tickets`, [data])\n  return (\n    <section",
                ),
                ("{data.open} open tickets</p>", "{words}</p>"),
            ]
        },
        clean=("types", "lint"),
        repairable=False,
    ),
)
