"""Calls, parameters, statements: arguments, async, const, this, unused, implicit any."""

from tests.corpora.broken.entry import broken
from tests.corpora.broken.imports import _tsconfig

_UNUSED = (
    '"strict": true,',
    '"strict": true,\n    "noUnusedLocals": true,\n    "noUnusedParameters": true,',
)

ENTRIES = (
    broken(
        "ref-without-a-first-value",
        "todo",
        "useRef is called without an argument, as React 18 allowed.",
        2554,
        edits={
            "src/components/TodoForm.tsx": [
                ("useRef<HTMLInputElement>(null)", "useRef<HTMLInputElement>()")
            ]
        },
        repairable=True,
        keep=("inputRef.current?.focus()",),
    ),
    broken(
        "argument-too-many",
        "expenses",
        "formatMoney takes the cents only, and is given a currency too.",
        2554,
        edits={"src/App.tsx": [("{formatMoney(sum)}", "{formatMoney(sum, 'USD')}")]},
        repairable=True,
    ),
    broken(
        "argument-forgotten",
        "recipes",
        "The ingredient's description is asked for without the ingredient.",
        2554,
        edits={
            "src/components/RecipeDetails.tsx": [
                ("describeIngredient(ingredient, factor)", "describeIngredient()")
            ]
        },
        repairable=False,
    ),
    broken(
        "rest-without-its-first",
        "expenses",
        "A helper that wants one class at least is called with none.",
        2555,
        edits={
            "src/components/ui/Card.tsx": [
                (
                    "/** The white box",
                    "function join(first: string, ...more: string[]): string {\n"
                    "  return [first, ...more].join(' ')\n}\n\n/** The white box",
                ),
                ('className="mb-3 font-semibold"', "className={join()}"),
            ]
        },
        repairable=False,
    ),
    broken(
        "await-in-a-plain-function",
        "recipes",
        "The function awaits and is not async.",
        1308,
        edits={"src/hooks/useRecipes.ts": [("async function load() {", "function load() {")]},
        repairable=True,
        keep=("await searchRecipes({ query, tag })", "void load()"),
    ),
    broken(
        "await-in-an-arrow-function",
        "helpdesk",
        "The form's function awaits and is not async.",
        1308,
        edits={
            "src/pages/TicketsPage.tsx": [
                ("useForm(async ({ subject }, form) => {", "useForm(({ subject }, form) => {")
            ]
        },
        repairable=True,
    ),
    broken(
        "constant-assigned",
        "recipes",
        "A const is assigned again later.",
        2588,
        edits={"src/hooks/useRecipes.ts": [("let current = true", "const current = true")]},
        repairable=True,
        keep=("current = false",),
    ),
    broken(
        "constant-counted-up",
        "quiz",
        "A const is counted up.",
        2588,
        edits={
            "src/game/reducer.ts": [
                (
                    "      const score = current.correct === action.choice ? state.score + 1 : state.score\n",
                    "      const score = state.score\n      if (current.correct === action.choice) score += 1\n",
                )
            ]
        },
        repairable=True,
        keep=("score += 1",),
    ),
    broken(
        "declared-twice-in-the-same-words",
        "snake",
        "The size is declared twice, in the same words, after an edit.",
        2451,
        edits={
            "src/game/Game.ts": [
                (
                    "    this.food.draw(this.context, size)\n",
                    "    const size = this.context.canvas.width / GRID\n    this.food.draw(this.context, size)\n",
                )
            ]
        },
        repairable=True,
        keep=("const size = this.context.canvas.width / GRID",),
    ),
    broken(
        "component-declared-twice",
        "expenses",
        "A new version of a component was added and the old one left.",
        2393,
        edits={
            "src/components/ExpenseList.tsx": [
                (
                    "export function ExpenseList() {",
                    "function Row({ expense }: { expense: Expense }) {\n"
                    "  return (\n    <tr>\n      <td>{expense.label}</td>\n    </tr>\n  )\n}\n\n"
                    "export function ExpenseList() {",
                )
            ]
        },
        repairable=False,
    ),
    broken(
        "handler-without-a-parameter-type",
        "todo",
        "The handler's event has no type; it is used as onSubmit.",
        7006,
        edits={
            "src/components/TodoForm.tsx": [
                ("handleSubmit(event: FormEvent<HTMLFormElement>)", "handleSubmit(event)"),
                ("import { type FormEvent, useRef, useState }", "import { useRef, useState }"),
            ]
        },
        repairable=True,
        keep=("event.preventDefault()",),
    ),
    broken(
        "helper-without-parameter-types",
        "converter",
        "convert has parameters without types.",
        7006,
        edits={
            "src/lib/units.ts": [
                ("convert(value: number, from: string, to: string)", "convert(value, from, to)")
            ]
        },
        repairable=True,
        keep=("throw new RangeError",),
    ),
    broken(
        "callback-without-a-parameter-type",
        "recipes",
        "A callback for later is declared on its own, and its parameter has no type.",
        7006,
        edits={
            "src/App.tsx": [
                (
                    "  return (\n    <main",
                    "  const choose = (recipe) => setSelected(recipe)\n\n  return (\n    <main",
                ),
                ("onSelect={setSelected}", "onSelect={choose}"),
            ]
        },
        repairable=True,
        keep=("setSelected(recipe)",),
    ),
    broken(
        "props-type-not-applied",
        "todo",
        "The component's props interface is declared above and not applied.",
        7031,
        edits={
            "src/components/TodoItem.tsx": [
                ("{ todo, onToggle, onRemove }: TodoItemProps", "{ todo, onToggle, onRemove }")
            ]
        },
        repairable=True,
    ),
    broken(
        "props-without-any-type",
        "expenses",
        "A row's props have no type at all.",
        7031,
        edits={
            "src/components/ExpenseList.tsx": [
                (
                    "{ expense, onRemove }: { expense: Expense; onRemove: () => void }",
                    "{ expense, onRemove }",
                )
            ]
        },
        repairable=False,
    ),
    broken(
        "unused-imports-are-errors",
        "quiz",
        "The project forbids unused names, and two are imported for nothing.",
        6133,
        edits={
            "src/App.tsx": [
                (
                    "import { useCallback, useEffect, useReducer, useState }",
                    "import { useCallback, useEffect, useMemo, useReducer, useState }",
                ),
                (
                    "import type { PlayerStats } from '@/types'",
                    "import { Difficulty, type PlayerStats } from '@/types'",
                ),
            ]
        },
        add=_tsconfig(*_UNUSED),
        repairable=True,
        loses=("useMemo",),
    ),
    broken(
        "unused-variable-is-an-error",
        "expenses",
        "The project forbids unused names, and a local constant is never read.",
        6133,
        edits={
            "src/lib/totals.ts": [
                (
                    "  return { totals, sum, largest }",
                    "  const average = expenses.length ? sum / expenses.length : 0\n  return { totals, sum, largest }",
                )
            ]
        },
        add=_tsconfig(*_UNUSED),
        repairable=True,
        keep=("return { totals, sum, largest }",),
    ),
    broken(
        "whole-import-unused-is-an-error",
        "recipes",
        "The project forbids unused names; the default import of React is one.",
        6133,
        edits={
            "src/components/RecipeCard.tsx": [
                ("import type { Recipe }", "import React from 'react'\nimport type { Recipe }")
            ]
        },
        add=_tsconfig(*_UNUSED),
        repairable=True,
    ),
    broken(
        "not-every-way-returns",
        "todo",
        "One way through the function returns nothing.",
        2366,
        edits={
            "src/lib/date.ts": [
                (
                    "  return days > 0 ? `in ${days} days` : `${-days} days late`",
                    "  if (days > 1) return `in ${days} days`",
                )
            ]
        },
        repairable=False,
    ),
    broken(
        "no-way-returns",
        "expenses",
        "The function promises a text and returns nothing.",
        2355,
        edits={
            "src/lib/format.ts": [
                ("  return money.format(cents / 100)", "  money.format(cents / 100)")
            ]
        },
        repairable=True,
        keep=("money.format(cents / 100)",),
    ),
    broken(
        "case-falls-through",
        "expenses",
        "A case does its work and falls into the next.",
        7029,
        edits={
            "src/context/ExpensesContext.tsx": [
                (
                    "    case 'cleared':\n      return []",
                    "    case 'cleared':\n      console.info('cleared')\n    default:\n      return []",
                )
            ]
        },
        repairable=False,
    ),
    broken(
        "this-in-a-plain-function",
        "snake",
        "The timer's function is no arrow function, so that `this` is not the game.",
        2683,
        edits={
            "src/game/Game.ts": [
                (
                    "setInterval(() => this.tick(), this.options.stepMs ?? 120)",
                    "setInterval(function () {\n      this.tick()\n    }, this.options.stepMs ?? 120)",
                )
            ]
        },
        repairable=True,
        keep=("this.options.stepMs ?? 120",),
    ),
    broken(
        "required-after-optional",
        "recipes",
        "A parameter that must be given follows one that may be left out.",
        1016,
        edits={
            "src/lib/units.ts": [
                (
                    "(ingredient: Ingredient, factor = 1): string",
                    "(ingredient: Ingredient, factor?: number, digits: number): string",
                ),
                (
                    "ingredient.amount * factor * 10) / 10",
                    "ingredient.amount * (factor ?? 1) * 10 ** digits) / 10 ** digits",
                ),
            ],
            "src/components/RecipeDetails.tsx": [
                ("(ingredient, factor)}", "(ingredient, factor, 1)}")
            ],
        },
        repairable=False,
    ),
    broken(
        "constructor-without-its-argument",
        "snake",
        "The game is made without the context that it draws with.",
        2554,
        edits={
            "src/app.ts": [
                (
                    "new Game(context, {\n    onScore: (score) => {\n      find('#score', root).textContent = String(score)\n    },\n  })",
                    "new Game()",
                )
            ]
        },
        repairable=False,
    ),
    broken(
        "await-const-and-import-at-once",
        "recipes",
        "In one file a function awaits without async, a const is assigned and a type is not imported.",
        1308,
        2588,
        2304,
        edits={
            "src/hooks/useRecipes.ts": [
                ("async function load() {", "function load() {"),
                ("let current = true", "const current = true"),
                ("import type { Recipe, SearchOptions }", "import type { Recipe }"),
            ]
        },
        repairable=True,
        keep=("await searchRecipes({ query, tag })",),
    ),
    broken(
        "pair-spread-into-a-call",
        "converter",
        "A constant list of two texts is spread into a call that takes two.",
        2556,
        edits={
            "src/lib/units.ts": [
                (
                    "/** Converts between",
                    "const ROAD = ['km', 'mi']\n\n"
                    "/** How far it is, for drivers abroad. */\n"
                    "export function miles(value: number): number {\n  return convert(value, ...ROAD)\n}\n\n"
                    "/** Converts between",
                )
            ]
        },
        repairable=True,
        keep=("convert(value, ...ROAD)",),
    ),
    broken(
        "list-of-any-length-spread-into-a-call",
        "todo",
        "A list of any length is spread into a call that takes two dates.",
        2556,
        edits={
            "src/lib/date.ts": [
                (
                    "export function daysBetween(",
                    "export function span(dates: Date[]): number {\n  return daysBetween(...dates)\n}\n\n"
                    "export function daysBetween(",
                )
            ]
        },
        repairable=False,
    ),
    broken(
        "too-many-type-arguments",
        "snake",
        "A call gives two type arguments where one is taken.",
        2558,
        edits={
            "src/app.ts": [
                (
                    "find<HTMLCanvasElement>('#board', root)",
                    "find<HTMLCanvasElement, HTMLElement>('#board', root)",
                )
            ]
        },
        repairable=True,
        keep=("find<HTMLCanvasElement",),
    ),
    broken(
        "type-argument-for-a-plain-function",
        "expenses",
        "A hook without type parameters is called with one.",
        2558,
        edits={
            "src/components/ExpenseForm.tsx": [("= useExpenses()", "= useExpenses<Category>()")]
        },
        repairable=True,
        keep=("const { dispatch } = useExpenses",),
    ),
    broken(
        "too-few-type-arguments",
        "recipes",
        "One of two type arguments is given, which could all be inferred.",
        2558,
        edits={
            "src/lib/units.ts": [
                (
                    "export function groupBy",
                    "export function byUnit(ingredients: Ingredient[]) {\n"
                    "  return groupBy<Ingredient>(ingredients, (ingredient) => ingredient.unit)\n}\n\n"
                    "export function groupBy",
                )
            ]
        },
        repairable=True,
        keep=("(ingredients, (ingredient) => ingredient.unit)",),
    ),
    broken(
        "path-without-a-value",
        "todo",
        "With noImplicitReturns a function of text or undefined ends without a return.",
        7030,
        edits={
            "src/lib/date.ts": [
                (
                    "export function daysBetween(",
                    "/** A word for days that have one. */\n"
                    "export function wordFor(days: number): string | undefined {\n"
                    "  if (days === 0) return 'today'\n  if (days === 1) return 'tomorrow'\n}\n\n"
                    "export function daysBetween(",
                )
            ]
        },
        add=_tsconfig('"strict": true,', '"strict": true,\n    "noImplicitReturns": true,'),
        repairable=True,
        keep=("if (days === 1) return 'tomorrow'\n", '"noImplicitReturns": true'),
    ),
)
