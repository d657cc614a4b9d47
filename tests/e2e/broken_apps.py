"""Ways in which the recorded apps are broken on purpose, and where their own checks must notice it.

`step` is the index of the step that fails in the recording's `checks`; None where every step holds and the run fails
by an error of the page, of the kind `trouble`. The steps are those at which the recordings' reference runner fails.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Broken:
    """One edit of one file: `old` stands there once."""

    app: str
    name: str
    path: str
    old: str
    new: str
    step: int | None
    trouble: str = ""


_KANBAN, _EXPENSES, _RECIPES, _POMODORO = (
    "kanban-board", "expense-tracker", "recipe-finder", "pomodoro-tasks",
)  # fmt: skip

BROKEN = (
    Broken(_KANBAN, "heading has another text", "src/App.tsx", ">Workbench</h1>", ">Workshop</h1>", 1),
    Broken(_KANBAN, "title has another text", "index.html", "<title>Workbench", "<title>Board", 2),
    Broken(_KANBAN, "first list is incomplete", "src/lib/storage.ts",
           "      { id: uid('col'), title: 'Doing', cardIds: [cards[2].id] },\n", "", 3),
    Broken(_KANBAN, "button is covered", "src/App.tsx", '<div className="flex h-dvh flex-col">',
           '<div className="flex h-dvh flex-col"><div className="fixed inset-0 z-50" />', 5),
    Broken(_KANBAN, "button has no handler", "src/components/ColumnPanel.tsx",
           "onClick={() => setAdding(true)}", "onClick={() => {}}", 6),
    Broken(_KANBAN, "button is hidden", "src/components/InlineForm.tsx",
           "          onClick={onCancel}\n", "          onClick={onCancel}\n          hidden\n", 8),
    Broken(_KANBAN, "card moves the wrong way", "src/components/ColumnPanel.tsx",
           "columns[position + direction]", "columns[position - direction]", 11),
    Broken(_KANBAN, "dragging has no handler", "src/App.tsx", "        onDragOver={onDragOver}\n", "", 13),
    Broken(_KANBAN, "dialog forgets the note", "src/components/CardDialog.tsx",
           "note: note.trim(), label })", "note: card.note, label })", 19),
    Broken(_KANBAN, "search passes notes over", "src/App.tsx",
           "`${card.title} ${card.note}`", "card.title", 22),
    Broken(_KANBAN, "board is not saved", "src/lib/storage.ts",
           "localStorage.setItem(KEY, JSON.stringify(board))", "JSON.stringify(board)", 30),
    Broken(_EXPENSES, "refusal has another text", "src/components/ExpenseForm.tsx",
           "Enter an amount like 12.50", "Wrong amount", 7),
    Broken(_EXPENSES, "total is wrong", "src/lib/stats.ts",
           "(total, expense) => total + expense.amountCents, 0)", "(total, expense) => Math.max(total, expense.amountCents), 0)", 17),
    Broken(_EXPENSES, "filter does nothing", "src/App.tsx",
           "category === 'all' || expense", "category !== 'none' || expense", 23),
    Broken(_EXPENSES, "file lacks a column", "src/lib/csv.ts",
           "['Date', 'Category', 'Note', 'Amount (EUR)']", "['Date', 'Category', 'Amount (EUR)']", 24),
    Broken(_EXPENSES, "deleting does nothing", "src/hooks/useExpenses.ts",
           "expense.id !== id", "expense.id !== ''", 29),
    Broken(_EXPENSES, "an error is logged", "src/hooks/useExpenses.ts",
           "    saveExpenses(expenses)\n", "    saveExpenses(expenses)\n    console.error('saved %d', expenses.length)\n", None, "console"),
    Broken(_EXPENSES, "another host is asked", "src/hooks/useExpenses.ts",
           "    saveExpenses(expenses)\n", "    saveExpenses(expenses)\n    void fetch('https://198.51.100.7/rates').catch(() => {})\n", None, "blocked"),
    Broken(_RECIPES, "page is blank", "src/App.tsx",
           "  const favourites = useFavourites()\n", "  const favourites = useFavourites()\n  if (favourites.ids) return null\n", 1),
    Broken(_POMODORO, "an effect throws", "src/hooks/useTasks.ts",
           "    localStorage.setItem(KEY, JSON.stringify(tasks))\n", "    if (tasks.length) throw new Error('no storage')\n", 4, "console"),
    Broken(_RECIPES, "search minds accents", "src/lib/filters.ts",
           "text.normalize('NFD').replace(/\\p{Diacritic}/gu, '').toLowerCase()", "text.toLowerCase()", 3),
    Broken(_RECIPES, "state does not change", "src/pages/RecipePage.tsx",
           "setServings(servings + 1)", "setServings(servings)", 17),
    Broken(_RECIPES, "page is missing", "src/App.tsx",
           '            <Route path="/favourites" element={<FavouritesPage favourites={favourites} />} />\n', "", 23),
    Broken(_POMODORO, "clock stands still", "src/hooks/useTimer.ts", "tick(endsAt), 200)", "tick(endsAt), 200_000)", 7),
    Broken(_POMODORO, "round is not counted", "src/hooks/useTasks.ts",
           "pomodoros: task.pomodoros + 1", "pomodoros: task.pomodoros", 12),
    Broken(_POMODORO, "a promise is rejected", "src/components/TaskPanel.tsx",
           "    onAdd(title.trim())\n", "    onAdd(title.trim())\n    void Promise.reject(new Error('not sent'))\n", None, "exception"),
)  # fmt: skip
