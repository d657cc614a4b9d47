"""Names that are not there, misspelled, or of the wrong sort."""

from tests.corpora.broken.entry import broken

ENTRIES = (
    broken(
        "use-state-not-imported",
        "todo",
        "App uses useState, which the import of react leaves out.",
        2304,
        edits={"src/App.tsx": [("import { useMemo, useState } from", "import { useMemo } from")]},
        repairable=True,
        keep=("useState<Filter>('all')",),
    ),
    broken(
        "no-hook-imported-at-all",
        "expenses",
        "The form uses useState and FormEvent; the import of react is missing.",
        2304,
        edits={
            "src/components/ExpenseForm.tsx": [
                ("import { type FormEvent, useState } from 'react'\n", "")
            ]
        },
        repairable=True,
        keep=("(event: FormEvent)", "useState<Category>('food')"),
    ),
    broken(
        "component-not-imported",
        "todo",
        "App renders TodoForm without importing it.",
        2304,
        edits={"src/App.tsx": [("import { TodoForm } from './components/TodoForm'\n", "")]},
        repairable=True,
        keep=("<TodoForm onAdd={addTodo} />",),
    ),
    broken(
        "default-component-not-imported",
        "quiz",
        "App renders ProgressBar, a default export, without importing it.",
        2304,
        edits={"src/App.tsx": [("import ProgressBar from '@/components/ProgressBar'\n", "")]},
        repairable=True,
        keep=("<ProgressBar value={game.position} max={game.deck.length} />",),
    ),
    broken(
        "type-not-imported",
        "recipes",
        "The hook's state names Recipe and SearchOptions, which are not imported.",
        2304,
        edits={
            "src/hooks/useRecipes.ts": [
                ("import type { Recipe, SearchOptions } from '../api/types'\n", "")
            ]
        },
        repairable=True,
        keep=("recipes: Recipe[]", "{ query, tag }: SearchOptions"),
    ),
    broken(
        "three-imports-forgotten",
        "expenses",
        "App lost three of its imports: a hook with its provider, a helper and the list.",
        2304,
        edits={
            "src/App.tsx": [
                ("import { ExpenseList } from './components/ExpenseList'\n", ""),
                (
                    "import { ExpensesProvider, useExpenses } from './context/ExpensesContext'\n",
                    "",
                ),
                ("import { summarize } from './lib/totals'\n", ""),
            ]
        },
        repairable=True,
        keep=("<ExpensesProvider>", "summarize(expenses)", "<ExpenseList />"),
    ),
    broken(
        "helper-not-imported-on-the-server",
        "helpdesk",
        "The routes throw notFound, which is not imported.",
        2304,
        edits={"server/routes/tickets.ts": [("import { notFound } from '../core/errors'\n", "")]},
        repairable=True,
        keep=("throw notFound('There is no such ticket.')",),
    ),
    broken(
        "function-misspelled",
        "expenses",
        "Overview calls formatMony; the helper is formatMoney.",
        2552,
        edits={"src/App.tsx": [("{formatMoney(sum)}", "{formatMony(sum)}")]},
        repairable=True,
        keep=("{formatMoney(totals[name])}",),
    ),
    broken(
        "setter-misspelled",
        "todo",
        "The tabs are given setFiltr; the setter is setFilter.",
        2552,
        edits={"src/App.tsx": [("onChange={setFilter}", "onChange={setFiltr}")]},
        repairable=True,
        loses=("setFiltr}",),
    ),
    broken(
        "react-as-a-global",
        "todo",
        "The hook calls React.useState and React.useEffect; React is not imported.",
        2686,
        edits={
            "src/hooks/useTodos.ts": [
                (
                    "import { useCallback, useEffect, useState } from 'react'",
                    "import { useCallback } from 'react'",
                ),
                ("useState<Todo[]>(loadTodos)", "React.useState<Todo[]>(loadTodos)"),
                ("useEffect(() => saveTodos", "React.useEffect(() => saveTodos"),
            ]
        },
        repairable=True,
        keep=("useState<Todo[]>(loadTodos)", "useEffect(() => saveTodos(todos), [todos])"),
    ),
    broken(
        "jsx-namespace-of-old-react",
        "expenses",
        "Two components say that they return JSX.Element, a global namespace that React 19 no longer has.",
        2503,
        edits={
            "src/components/ExpenseList.tsx": [
                ("onRemove: () => void }) {", "onRemove: () => void }): JSX.Element {"),
                ("export function ExpenseList() {", "export function ExpenseList(): JSX.Element {"),
            ]
        },
        repairable=True,
    ),
    broken(
        "node-timer-type-in-the-browser",
        "quiz",
        "The timer's ref is of type NodeJS.Timeout, which a browser project does not know.",
        2503,
        edits={
            "src/hooks/useCountdown.ts": [
                (
                    "useRef<ReturnType<typeof setInterval>>(undefined)",
                    "useRef<NodeJS.Timeout | undefined>(undefined)",
                )
            ]
        },
        repairable=True,
        keep=("clearInterval(timer.current)",),
    ),
    broken(
        "list-of-values-used-as-a-type",
        "expenses",
        "categories is a value; the state's type needs typeof.",
        2749,
        edits={
            "src/components/ExpenseForm.tsx": [
                ("useState<Category>('food')", "useState<categories[number]>('food')")
            ]
        },
        repairable=True,
    ),
    broken(
        "type-used-as-a-value",
        "converter",
        "Entry is an interface; the history makes one with `new`.",
        2693,
        edits={
            "src/lib/history.ts": [("entries.unshift(entry)", "entries.unshift(new Entry(entry))")]
        },
        repairable=False,
    ),
    broken(
        "namespace-of-types-used-as-a-value",
        "recipes",
        "Api holds types only, and a function of it is called.",
        2708,
        edits={
            "src/lib/units.ts": [
                (
                    "import type { Ingredient } from '../api/types'\n",
                    "import type { Ingredient } from '../api/types'\n\n"
                    "// The shapes that the server speaks.\n"
                    "declare namespace Api {\n  interface Amount {\n    value: number\n  }\n}\n",
                ),
                (
                    "const amount = Math.round(ingredient.amount * factor * 10) / 10",
                    "const amount = Api.round(ingredient.amount * factor)",
                ),
            ]
        },
        repairable=False,
        keep=("// The shapes that the server speaks.",),
    ),
    broken(
        "helper-that-does-not-exist",
        "todo",
        "The item joins its classes with cn, which nobody wrote.",
        2304,
        edits={
            "src/components/TodoItem.tsx": [
                (
                    "className={todo.done ? 'text-zinc-400 line-through' : ''}",
                    "className={cn('truncate', todo.done && 'text-zinc-400 line-through')}",
                )
            ]
        },
        repairable=False,
    ),
    broken(
        "state-that-was-never-declared",
        "recipes",
        "App sets a sort order and reads one from its hook; neither is there.",
        2304,
        2339,
        edits={
            "src/App.tsx": [
                ("setTag(tag === name ? undefined : name)", "setSortOrder(name)"),
                ("const { recipes, loading, error }", "const { recipes, loading, error, sort }"),
            ]
        },
        repairable=False,
    ),
    broken(
        "process-env-in-the-browser",
        "recipes",
        "The client reads process.env, which a browser does not have.",
        2591,
        edits={
            "src/api/client.ts": [
                (
                    "// There is no server:",
                    "const DELAY_MS = Number(process.env.REACT_APP_DELAY ?? 80)\n\n// There is no server:",
                ),
                ("resolve(value), 80)", "resolve(value), DELAY_MS)"),
            ]
        },
        repairable=False,
    ),
    broken(
        "length-misspelled",
        "todo",
        "The list's lenght is asked for.",
        2551,
        edits={"src/App.tsx": [("visible.length === 0", "visible.lenght === 0")]},
        repairable=True,
        keep=("=== 0 ? (",),
    ),
    broken(
        "method-misspelled-twice",
        "recipes",
        "toLowercase is no method of strings.",
        2551,
        edits={
            "src/api/client.ts": [
                (
                    "recipe.title.toLowerCase().includes(query.toLowerCase())",
                    "recipe.title.toLowercase().includes(query.toLowercase())",
                )
            ]
        },
        repairable=True,
    ),
    broken(
        "member-misspelled",
        "expenses",
        "The total adds up amountCent; the member is amountCents.",
        2551,
        edits={
            "src/lib/totals.ts": [
                ("+= expense.amountCents", "+= expense.amountCent"),
            ]
        },
        repairable=True,
        gains=("totals[expense.category] += expense.amountCents",),
    ),
    broken(
        "enum-member-misspelled",
        "quiz",
        "A question is of difficulty Meduim.",
        2551,
        edits={"src/data/questions.ts": [("Difficulty.Medium", "Difficulty.Meduim")]},
        repairable=True,
        gains=("difficulty: Difficulty.Medium,",),
    ),
    broken(
        "member-of-another-shape",
        "recipes",
        "Recipes have a title and minutes; the card reads name and cookTime.",
        2339,
        edits={
            "src/components/RecipeCard.tsx": [
                ("{recipe.title}", "{recipe.name}"),
                ("{recipe.minutes} min", "{recipe.cookTime} min"),
            ]
        },
        repairable=False,
    ),
    broken(
        "this-forgotten",
        "snake",
        "In a method the score is named without `this`.",
        2663,
        edits={
            "src/game/Game.ts": [
                ("this.score += 10", "score += 10"),
                ("onScore?.(this.score)", "onScore?.(score)"),
            ]
        },
        repairable=True,
        keep=("this.food.step()",),
    ),
    broken(
        "prop-not-taken-from-the-props",
        "todo",
        "The item calls onRemove, a member of its props that it does not destructure.",
        2304,
        edits={
            "src/components/TodoItem.tsx": [
                ("{ todo, onToggle, onRemove }: TodoItemProps", "{ todo, onToggle }: TodoItemProps")
            ]
        },
        repairable=True,
        keep=("onRemove(todo.id)",),
    ),
    broken(
        "type-parameter-not-declared",
        "quiz",
        "shuffled speaks of T without declaring it.",
        2304,
        edits={"src/data/questions.ts": [("shuffled<T>(", "shuffled(")]},
        repairable=True,
    ),
    broken(
        "used-before-it-is-declared",
        "todo",
        "The count of open items is used in a value that stands above it.",
        2448,
        edits={
            "src/hooks/useTodos.ts": [
                (
                    "  // Saved after every change.",
                    "  const everythingDone = todos.length > 0 && remaining === 0\n\n  // Saved after every change.",
                ),
                ("removeTodo, remaining }", "removeTodo, remaining, everythingDone }"),
            ]
        },
        repairable=False,
    ),
    broken(
        "several-slips-in-one-file",
        "expenses",
        "In one file a hook is not imported and a setter misspelled; a method misspelled shows only then.",
        2304,
        2552,
        edits={
            "src/components/ExpenseForm.tsx": [
                ("import { type FormEvent, useState } from", "import { type FormEvent } from"),
                ("    setAmount('')", "    setAmmount('')"),
                ("if (!label.trim()", "if (!label.trimm()"),
            ]
        },
        repairable=True,
        keep=("setLabel('')",),
    ),
    broken(
        "shorthand-misspelled",
        "todo",
        "The hook returns remainig; what it has, and the page reads, is remaining.",
        2552,
        2339,
        edits={"src/hooks/useTodos.ts": [("removeTodo, remaining }", "removeTodo, remainig }")]},
        repairable=True,
        keep=("const remaining = todos",),
        loses=("remainig",),
    ),
    broken(
        "shorthand-without-its-import",
        "expenses",
        "An object names a value of another module that is not imported.",
        18004,
        edits={
            "src/lib/totals.ts": [
                ("  sum: number\n", "  sum: number\n  categories: readonly Category[]\n"),
                ("return { totals, sum, largest }", "return { totals, sum, categories, largest }"),
            ]
        },
        repairable=True,
        keep=("return { totals, sum, categories, largest }",),
    ),
    broken(
        "shorthand-of-nothing",
        "expenses",
        "The context gives clear, which nobody has.",
        18004,
        edits={
            "src/context/ExpensesContext.tsx": [
                (
                    "return { expenses, budget, dispatch }",
                    "return { expenses, budget, dispatch, clear }",
                )
            ]
        },
        repairable=False,
    ),
)
