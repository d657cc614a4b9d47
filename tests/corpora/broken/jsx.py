"""Markup in TypeScript: tags, attributes of HTML, comments, several roots."""

from tests.corpora.broken.entry import broken

ENTRIES = (
    broken(
        "class-of-html",
        "todo",
        "Elements have class in place of className.",
        2322,
        edits={
            "src/App.tsx": [
                ('<ul className="space-y-2">', '<ul class="space-y-2">'),
                ('<p className="text-zinc-500">', '<p class="text-zinc-500">'),
            ]
        },
        repairable=True,
        keep=('="space-y-2"',),
    ),
    broken(
        "for-of-html",
        "todo",
        "A label has for in place of htmlFor.",
        2322,
        edits={"src/components/TodoForm.tsx": [('htmlFor="new-todo"', 'for="new-todo"')]},
        repairable=True,
    ),
    broken(
        "style-as-text",
        "quiz",
        "A style is written as a text.",
        2559,
        edits={
            "src/components/ProgressBar.tsx": [
                (
                    'className="h-2 rounded-full bg-zinc-200">',
                    'style="margin-top: 8px; background-color: #e4e4e7">',
                )
            ]
        },
        repairable=True,
        keep=("8px", "#e4e4e7"),
    ),
    broken(
        "events-in-lower-case",
        "quiz",
        "Handlers are written onclick, as in HTML.",
        2322,
        edits={
            "src/App.tsx": [
                (
                    "onClick={() => dispatch({ type: 'start' })}",
                    "onclick={() => dispatch({ type: 'start' })}",
                ),
                (
                    "onClick={() => dispatch({ type: 'restart' })}",
                    "onclick={() => dispatch({ type: 'restart' })}",
                ),
            ]
        },
        repairable=True,
        keep=("dispatch({ type: 'restart' })",),
    ),
    broken(
        "attributes-of-html",
        "recipes",
        "tabindex, autofocus and maxlength are written as in HTML.",
        2322,
        edits={
            "src/App.tsx": [
                (
                    '<input aria-label="Search"',
                    '<input aria-label="Search" tabindex={0} maxlength={40}',
                )
            ]
        },
        repairable=True,
    ),
    broken(
        "greater-sign-in-text",
        "recipes",
        "A > stands in the text of an element.",
        1382,
        edits={"src/App.tsx": [(">Recipes</h1>", ">Home > Recipes</h1>")]},
        repairable=True,
        keep=("Home ", " Recipes</h1>"),
    ),
    broken(
        "brace-in-text",
        "todo",
        "A closing brace stands in the text of an element.",
        1381,
        edits={
            "src/App.tsx": [
                (
                    '<p className="text-zinc-500">{remaining} left</p>',
                    '<p className="text-zinc-500">{remaining}} left</p>',
                )
            ]
        },
        repairable=True,
    ),
    broken(
        "input-not-closed",
        "recipes",
        "An input is left open, as HTML allows.",
        17008,
        edits={
            "src/App.tsx": [
                (
                    "onChange={(event) => setQuery(event.target.value)} />",
                    "onChange={(event) => setQuery(event.target.value)}>",
                )
            ]
        },
        repairable=True,
    ),
    broken(
        "break-and-image-not-closed",
        "recipes",
        "br and img are left open.",
        17008,
        edits={
            "src/components/RecipeCard.tsx": [
                ('alt="" className="mb-3 rounded-lg" />}', 'alt="" className="mb-3 rounded-lg">}'),
                ('<span className="font-medium">', '<br>\n      <span className="font-medium">'),
            ]
        },
        repairable=True,
    ),
    broken(
        "element-not-closed",
        "expenses",
        "The main element is not closed.",
        17008,
        edits={
            "src/App.tsx": [
                ("        <ExpenseList />\n      </main>\n", "        <ExpenseList />\n")
            ]
        },
        repairable=False,
    ),
    broken(
        "closed-by-another-tag",
        "recipes",
        "A heading of level 2 is closed as one of level 3.",
        17002,
        edits={
            "src/components/RecipeDetails.tsx": [("{recipe.title}</h2>", "{recipe.title}</h3>")]
        },
        repairable=True,
        keep=('<h2 className="text-xl font-semibold">',),
    ),
    broken(
        "several-roots",
        "helpdesk",
        "The page returns several elements without one around them.",
        2657,
        edits={
            "src/pages/TicketsPage.tsx": [
                ("    <>\n      <h1", "      <h1"),
                ("      </ul>\n    </>\n", "      </ul>\n"),
            ]
        },
        repairable=True,
        keep=("<Message error={problem ?? error?.message} />",),
    ),
    broken(
        "fragment-not-closed",
        "helpdesk",
        "The fragment around the page is not closed.",
        17014,
        edits={"src/pages/TicketsPage.tsx": [("      </ul>\n    </>\n", "      </ul>\n")]},
        repairable=True,
    ),
    broken(
        "comment-of-html",
        "quiz",
        "A comment is written as in HTML.",
        1003,
        edits={
            "src/App.tsx": [
                (
                    "      <ProgressBar value",
                    "      <!-- How far the game is -->\n      <ProgressBar value",
                )
            ]
        },
        repairable=True,
        keep=("How far the game is",),
        loses=("<!--",),
    ),
    broken(
        "brace-of-the-style-missing",
        "quiz",
        "The braces of a style are not closed.",
        1109,
        edits={
            "src/components/ProgressBar.tsx": [
                ("style={{ width: `${percent}%` }} />", "style={{ width: `${percent}%` } />")
            ]
        },
        repairable=True,
    ),
    broken(
        "component-without-return",
        "quiz",
        "The component builds its markup and does not return it.",
        2786,
        edits={
            "src/components/ProgressBar.tsx": [
                ("  return (\n    <div role", "  ;(\n    <div role"),
            ]
        },
        repairable=True,
    ),
    broken(
        "return-on-a-line-of-its-own",
        "expenses",
        "The markup begins on the line after return, so that nothing is returned.",
        2786,
        edits={
            "src/components/ui/Card.tsx": [
                ("  return (\n    <section", "  return\n    <section"),
                ("    </section>\n  )\n", "    </section>\n"),
            ]
        },
        repairable=True,
    ),
    broken(
        "arrow-with-braces-returns-nothing",
        "todo",
        "The callback of map has braces and no return, so that the list stays empty.",
        2322,
        edits={
            "src/components/FilterTabs.tsx": [
                ("{filters.map((filter) => (\n", "{filters.forEach((filter) => (\n"),
            ]
        },
        repairable=False,
    ),
    broken(
        "object-as-a-child",
        "recipes",
        "A whole ingredient is rendered as text.",
        2322,
        edits={
            "src/components/RecipeDetails.tsx": [
                ("{describeIngredient(ingredient, factor)}</li>", "{ingredient}</li>")
            ]
        },
        repairable=False,
    ),
    broken(
        "html-pasted-into-markup",
        "expenses",
        "A part was pasted as HTML: class, for and an input that is left open.",
        17008,
        edits={
            "src/App.tsx": [
                (
                    "        <ExpenseList />\n",
                    '        <div class="flex gap-2">\n          <label for="month">Month</label>\n'
                    '          <input id="month" type="month">\n        </div>\n        <ExpenseList />\n',
                )
            ]
        },
        repairable=True,
        keep=('id="month"',),
    ),
    broken(
        "attribute-twice-with-one-value",
        "todo",
        "An attribute is given twice, both times the same.",
        17001,
        edits={
            "src/App.tsx": [
                ("<TodoForm onAdd={addTodo} />", "<TodoForm onAdd={addTodo} onAdd={addTodo} />")
            ]
        },
        repairable=True,
        keep=("<TodoForm onAdd={addTodo}",),
    ),
    broken(
        "classes-in-two-attributes",
        "todo",
        "An element has className twice; both say a part of its look.",
        17001,
        edits={
            "src/App.tsx": [
                (
                    '<h1 className="text-2xl font-semibold">',
                    '<h1 className="text-2xl font-semibold" className="tracking-tight">',
                )
            ]
        },
        repairable=True,
        keep=("text-2xl", "font-semibold", "tracking-tight"),
    ),
    broken(
        "handler-twice",
        "quiz",
        "A button has two handlers, which do different things.",
        17001,
        edits={
            "src/App.tsx": [
                (
                    "onClick={() => dispatch({ type: 'restart' })}>",
                    "onClick={() => dispatch({ type: 'restart' })} onClick={() => setStats(readStats())}>",
                )
            ]
        },
        repairable=False,
    ),
    broken(
        "element-used-as-a-component",
        "todo",
        "A constant holds an element, and is used as if it were a component.",
        2604,
        edits={
            "src/components/TodoItem.tsx": [
                (
                    "/** One line of the list. */",
                    "const Cross = <span aria-hidden>×</span>\n\n/** One line of the list. */",
                ),
                ("        ×\n", "        <Cross />\n"),
            ]
        },
        repairable=True,
        keep=("const Cross = <span aria-hidden>×</span>",),
    ),
    broken(
        "component-imported-as-its-module",
        "quiz",
        "The module is imported as a whole, and used as the component that is its default.",
        2604,
        edits={
            "src/App.tsx": [
                (
                    "import ProgressBar from '@/components/ProgressBar'",
                    "import * as ProgressBar from '@/components/ProgressBar'",
                )
            ]
        },
        repairable=True,
        keep=("<ProgressBar value={game.position}",),
    ),
)
