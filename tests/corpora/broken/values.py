"""Values of the wrong type: props, literals, missing members, promises, classes."""

from tests.corpora.broken.entry import broken

ENTRIES = (
    broken(
        "number-given-as-text",
        "quiz",
        "A prop of type number is written as a string.",
        2322,
        edits={"src/App.tsx": [("max={game.deck.length} />", 'max="10" />')]},
        repairable=True,
    ),
    broken(
        "literal-misspelled",
        "expenses",
        "The button's variant is misspelled.",
        2820,
        edits={"src/components/ExpenseList.tsx": [('variant="quiet"', 'variant="quite"')]},
        repairable=True,
    ),
    broken(
        "action-misspelled",
        "quiz",
        "An action of type 'restrat' is dispatched.",
        2820,
        edits={"src/App.tsx": [("type: 'restart'", "type: 'restrat'")]},
        repairable=True,
    ),
    broken(
        "literal-of-another-word",
        "helpdesk",
        "New tickets get the status 'new', which does not exist.",
        2322,
        edits={"server/routes/tickets.ts": [("status: 'open',", "status: 'new',")]},
        repairable=False,
    ),
    broken(
        "member-that-the-type-does-not-have",
        "todo",
        "A to-do is made with createdAt, which its type does not have.",
        2353,
        edits={
            "src/hooks/useTodos.ts": [
                ("done: false, priority }", "done: false, priority, createdAt: Date.now() }")
            ]
        },
        repairable=False,
    ),
    broken(
        "key-misspelled-in-an-object",
        "expenses",
        "An action is dispatched with the key expence; the type says expense.",
        2561,
        edits={
            "src/context/ExpensesContext.tsx": [
                ("monthlyLimitCents: 150_000", "montlyLimitCents: 150_000")
            ]
        },
        repairable=True,
    ),
    broken(
        "two-members-missing",
        "quiz",
        "The first state of the game lacks position and score.",
        2739,
        edits={
            "src/game/reducer.ts": [
                (
                    "{ phase: 'start', deck: [], position: 0, score: 0 }",
                    "{ phase: 'start', deck: [] }",
                )
            ]
        },
        repairable=False,
    ),
    broken(
        "many-members-missing",
        "recipes",
        "An empty object is made a recipe.",
        2740,
        edits={
            "src/api/client.ts": [
                (
                    "const RECIPES: Recipe[] = [",
                    "// Shown while nothing is chosen.\nexport const EMPTY: Recipe = {}\n\nconst RECIPES: Recipe[] = [",
                )
            ]
        },
        repairable=False,
    ),
    broken(
        "prop-forgotten",
        "todo",
        "The item is rendered without onRemove.",
        2741,
        edits={"src/App.tsx": [(" onRemove={removeTodo}", "")]},
        repairable=False,
    ),
    broken(
        "category-without-a-total",
        "expenses",
        "A new category got no total and no start value.",
        2741,
        edits={
            "src/types.ts": [("'travel', 'fun'] as const", "'travel', 'fun', 'health'] as const")]
        },
        repairable=False,
    ),
    broken(
        "no-overload-fits",
        "expenses",
        "A text is replaced by a number.",
        2769,
        edits={"src/lib/format.ts": [("text.replace(',', '.')", "text.replace(',', 0)")]},
        repairable=False,
    ),
    broken(
        "sum-that-begins-with-text",
        "expenses",
        "The sum is reduced from an empty string.",
        2769,
        edits={"src/lib/totals.ts": [("left + right, 0)", "left - right, '')")]},
        repairable=False,
    ),
    broken(
        "prop-misspelled",
        "todo",
        "The item is given onTogle.",
        2322,
        edits={"src/App.tsx": [("onToggle={toggleTodo}", "onTogle={toggleTodo}")]},
        repairable=True,
        keep=("={toggleTodo}",),
    ),
    broken(
        "event-target-without-value",
        "converter",
        "The target of an event is an EventTarget, which has no value.",
        2339,
        edits={
            "src/app.ts": [
                (
                    "  const form = find<HTMLFormElement>('form', root)\n",
                    "  root.addEventListener('input', (event) => {\n"
                    "    state.value = Number(event.target.value)\n  })\n"
                    "  const form = find<HTMLFormElement>('form', root)\n",
                )
            ]
        },
        repairable=False,
    ),
    broken(
        "ref-without-its-type",
        "todo",
        "The ref of the input is made without a type, so that focus is a member of never.",
        2339,
        edits={"src/components/TodoForm.tsx": [("useRef<HTMLInputElement>(null)", "useRef(null)")]},
        repairable=True,
        keep=("inputRef.current?.focus()", "ref={inputRef}"),
    ),
    broken(
        "compared-with-a-misspelled-literal",
        "todo",
        "The filter is compared with 'actve'.",
        2367,
        edits={"src/App.tsx": [("filter === 'active'", "filter === 'actve'")]},
        repairable=True,
        keep=("return todos.filter((todo) => !todo.done)",),
    ),
    broken(
        "compared-with-an-unknown-literal",
        "helpdesk",
        "Roles are user and admin; the route asks for 'superuser'.",
        2367,
        edits={
            "server/routes/tickets.ts": [
                (
                    "      return { ticket: ticketOf(db, params.id, user.id) }",
                    "      if (user.role === 'superuser') return { ticket: ticketOf(db, params.id, user.id) }\n"
                    "      return { ticket: ticketOf(db, params.id, user.id) }",
                )
            ]
        },
        repairable=False,
    ),
    broken(
        "case-misspelled",
        "quiz",
        "A case of the reducer is 'anwser'.",
        2678,
        edits={"src/game/reducer.ts": [("case 'answer': {", "case 'anwser': {")]},
        repairable=True,
    ),
    broken(
        "state-of-an-empty-list",
        "recipes",
        "useState([]) is a list of never; recipes are put into it.",
        2322,
        edits={
            "src/App.tsx": [
                (
                    "const [selected, setSelected] = useState<Recipe | null>(null)",
                    "const [selected, setSelected] = useState<Recipe | null>(null)\n  const [recent, setRecent] = useState([])",
                ),
                (
                    "onSelect={setSelected} />",
                    "onSelect={(chosen: Recipe) => {\n              setSelected(chosen)\n"
                    "              setRecent([chosen, ...recent])\n            }}\n          />",
                ),
            ]
        },
        repairable=True,
        keep=("setRecent([chosen, ...recent])",),
    ),
    broken(
        "state-of-null-only",
        "recipes",
        "useState(null) can never hold the recipe that is chosen.",
        2322,
        edits={"src/App.tsx": [("useState<Recipe | null>(null)", "useState(null)")]},
        repairable=True,
        keep=("onSelect={setSelected}",),
    ),
    broken(
        "spread-of-something-unknown",
        "quiz",
        "What is read from the storage is unknown, and spread.",
        2698,
        edits={
            "src/lib/stats.ts": [
                (
                    "    return { ...NONE, ...JSON.parse(text) }",
                    "    const saved: unknown = JSON.parse(text)\n    return { ...NONE, ...saved }",
                )
            ]
        },
        repairable=False,
    ),
    broken(
        "text-in-place-of-options",
        "recipes",
        "The search is called with the text alone; it takes options.",
        2559,
        edits={
            "src/hooks/useRecipes.ts": [
                ("searchRecipes({ query, tag })", "searchRecipes(query ?? '')")
            ]
        },
        repairable=False,
    ),
    broken(
        "abstract-member-missing",
        "snake",
        "Food does not say its colour.",
        2515,
        edits={
            "src/game/Food.ts": [("  get color(): string {\n    return '#dc2626'\n  }\n\n", "")]
        },
        repairable=False,
    ),
    broken(
        "abstract-members-missing",
        "snake",
        "A wall is an entity without colour and step.",
        2654,
        add={
            "src/game/Wall.ts": "import { Entity } from './Entity'\nimport { GRID } from './types'\n\n"
            "/** The border of the board. */\n"
            "export class Wall extends Entity {\n  constructor() {\n    super()\n"
            "    // Top and bottom only; the sides are open.\n"
            "    for (let x = 0; x < GRID; x++) {\n"
            "      this.cells.push({ x, y: 0 }, { x, y: GRID - 1 })\n    }\n  }\n}\n"
        },
        repairable=False,
    ),
    broken(
        "method-against-its-base",
        "snake",
        "Snake's step returns another type than the base class promises.",
        2416,
        edits={
            "src/game/Entity.ts": [("abstract step(): void", "abstract step(): boolean")],
            "src/game/Food.ts": [
                ("  step(): void {\n", "  step(): boolean {\n"),
                ("y: random(GRID) }]\n", "y: random(GRID) }]\n    return true\n"),
            ],
        },
        repairable=False,
    ),
    broken(
        "dates-subtracted",
        "todo",
        "Dates are subtracted from each other without getTime.",
        2362,
        2363,
        edits={"src/lib/date.ts": [("(end.getTime() - start.getTime())", "(end - start)")]},
        repairable=True,
        keep=("/ MS_PER_DAY",),
    ),
    broken(
        "async-without-promise",
        "recipes",
        "An async function says that it returns a plain list.",
        1064,
        edits={
            "src/api/client.ts": [
                (
                    "options: SearchOptions = {}): Promise<Recipe[]> {",
                    "options: SearchOptions = {}): Recipe[] {",
                )
            ]
        },
        repairable=True,
    ),
    broken(
        "await-forgotten-before-assigning",
        "recipes",
        "The promise of the search is stored as if it were the list.",
        2740,
        edits={
            "src/hooks/useRecipes.ts": [
                ("const recipes = await searchRecipes", "const recipes: Recipe[] = searchRecipes")
            ]
        },
        repairable=True,
        keep=("setState({ recipes, loading: false, error: null })",),
    ),
    broken(
        "await-forgotten-before-a-method",
        "recipes",
        "A promise is filtered as if it were the list.",
        2339,
        edits={
            "src/hooks/useRecipes.ts": [
                (
                    "const recipes = await searchRecipes({ query, tag })",
                    "const found = searchRecipes({ query, tag })\n"
                    "        const recipes = found.filter((recipe: Recipe) => recipe.minutes > 0)",
                )
            ]
        },
        repairable=True,
        keep=("recipe.minutes > 0",),
    ),
    broken(
        "promise-as-a-condition",
        "recipes",
        "An async check is used as a condition without awaiting it.",
        2801,
        edits={
            "src/api/client.ts": [
                (
                    "export async function fetchRecipe(id: string): Promise<Recipe> {\n",
                    "async function isKnown(id: string): Promise<boolean> {\n"
                    "  return answer(RECIPES.some((recipe) => recipe.id === id))\n}\n\n"
                    "export async function fetchRecipe(id: string): Promise<Recipe> {\n"
                    "  if (isKnown(id)) console.debug('Found', id)\n",
                )
            ]
        },
        repairable=True,
        keep=("console.debug('Found', id)",),
    ),
    broken(
        "private-member-from-outside",
        "snake",
        "The page reads the game's private snake.",
        2341,
        edits={
            "src/app.ts": [
                ("  game.draw()\n", "  game.draw()\n  console.info('Snake at', game.snake.head)\n")
            ]
        },
        repairable=False,
    ),
    broken(
        "index-by-any-text",
        "todo",
        "The colours are looked up by a plain string.",
        7053,
        edits={
            "src/components/TodoItem.tsx": [
                (
                    "/** One line of the list. */",
                    "function dotOf(priority: string) {\n  return DOTS[priority]\n}\n\n/** One line of the list. */",
                ),
                ("${DOTS[todo.priority]}", "${dotOf(todo.priority)}"),
            ]
        },
        repairable=False,
    ),
    broken(
        "keys-of-a-record-are-texts",
        "todo",
        "Object.keys gives strings, with which the labels are looked up.",
        7053,
        edits={
            "src/components/FilterTabs.tsx": [
                (
                    "const filters = Object.keys(LABELS) as Filter[]",
                    "const filters = Object.keys(LABELS)",
                )
            ]
        },
        repairable=True,
    ),
    broken(
        "text-where-a-number-is-kept",
        "recipes",
        "The value of the input, a text, is stored as the number of servings.",
        2345,
        edits={
            "src/components/RecipeDetails.tsx": [
                (
                    "setServings(Math.max(1, Number(event.target.value)))",
                    "setServings(event.target.value)",
                )
            ]
        },
        repairable=False,
    ),
    broken(
        "result-of-push-as-state",
        "todo",
        "The list is set to what push returns, a number.",
        2345,
        edits={
            "src/hooks/useTodos.ts": [
                (
                    "setTodos((before) => [todo, ...before])",
                    "setTodos((before) => before.push(todo))",
                )
            ]
        },
        repairable=False,
    ),
    broken(
        "getter-that-is-called",
        "snake",
        "head is a getter, and called like a method.",
        6234,
        edits={
            "src/game/Game.ts": [
                ("this.food.occupies(this.snake.head)", "this.food.occupies(this.snake.head())")
            ]
        },
        repairable=True,
    ),
    broken(
        "value-that-is-called",
        "quiz",
        "The state of the countdown is called like a function.",
        2349,
        edits={"src/hooks/useCountdown.ts": [("  return left\n", "  return left()\n")]},
        repairable=False,
    ),
    broken(
        "readonly-member-assigned",
        "recipes",
        "The status of an error is readonly, and assigned.",
        2540,
        edits={
            "src/hooks/useRecipes.ts": [
                (
                    "        const message = error instanceof",
                    "        if (error instanceof ApiError) error.status = 500\n        const message = error instanceof",
                )
            ]
        },
        repairable=False,
    ),
    broken(
        "member-without-a-first-value",
        "snake",
        "The timer is declared as a number that is never set in the constructor.",
        2564,
        edits={
            "src/game/Game.ts": [
                (
                    "private timer: ReturnType<typeof setInterval> | undefined",
                    "private startedAt: number\n  private timer: ReturnType<typeof setInterval> | undefined",
                ),
                (
                    "    this.status = 'running'\n",
                    "    this.status = 'running'\n    this.startedAt = performance.now()\n",
                ),
                (
                    "      this.status = 'over'\n",
                    "      this.status = 'over'\n      console.info('Played for', performance.now() - this.startedAt)\n",
                ),
            ]
        },
        repairable=False,
    ),
    broken(
        "text-compared-with-a-number",
        "converter",
        "The age of an entry is compared with a text.",
        2365,
        edits={
            "src/app.ts": [
                (
                    "const lines = history().map(",
                    "const lines = history().filter((entry) => ageOf(entry) < '60').map(",
                )
            ]
        },
        repairable=False,
    ),
    broken(
        "children-where-none-are-taken",
        "helpdesk",
        "Loading takes no children, and is given some.",
        2559,
        edits={
            "src/pages/StatusPage.tsx": [
                ("{loading && <Loading />}", "{loading && <Loading>Please wait</Loading>}")
            ]
        },
        repairable=False,
    ),
    broken(
        "endpoint-misspelled",
        "helpdesk",
        "The page asks an endpoint that the API does not have: tickts.",
        2345,
        edits={
            "src/pages/TicketsPage.tsx": [
                ("useApi('GET /api/tickets')", "useApi('GET /api/tickts')")
            ]
        },
        repairable=True,
        keep=("tickets: [ticket, ...tickets]",),
    ),
    broken(
        "answer-of-the-wrong-shape",
        "helpdesk",
        "The route answers the version as a number; the API says text.",
        2322,
        edits={"server/routes/tickets.ts": [("version: '1' }", "version: 1 }")]},
        repairable=False,
    ),
    broken(
        "conversion-that-cannot-be",
        "converter",
        "A text is said to be a number.",
        2352,
        edits={"src/app.ts": [("Number(data.get('value'))", "data.get('value') as number")]},
        repairable=False,
    ),
    broken(
        "newer-method-for-an-older-library",
        "expenses",
        "The sort uses a method that misses an s.",
        2551,
        edits={"src/lib/totals.ts": [("expenses.toSorted(", "expenses.toSortd(")]},
        repairable=True,
    ),
    broken(
        "key-twice-with-one-value",
        "todo",
        "A key stands twice in an object, both times with the same value.",
        1117,
        edits={
            "src/components/TodoItem.tsx": [
                ("  high: 'bg-rose-500',\n", "  high: 'bg-rose-500',\n  normal: 'bg-sky-400',\n")
            ]
        },
        repairable=True,
        keep=("normal: 'bg-sky-400'", "high: 'bg-rose-500'", "low: 'bg-zinc-300'"),
    ),
    broken(
        "key-twice-with-two-values",
        "converter",
        "The mile stands twice among the units: one is that of the sea, and neither says which was meant.",
        1117,
        edits={
            "src/lib/units.ts": [
                (
                    "  kg: { id: 'kg'",
                    "  mi: { id: 'mi', name: 'Sea mile', dimension: 'length', factor: 1852 },\n  kg: { id: 'kg'",
                )
            ]
        },
        repairable=False,
    ),
    broken(
        "picked-member-misspelled",
        "recipes",
        "A type picks the member 'titel', which its interface spells 'title'.",
        2344,
        edits={
            "src/api/types.ts": [("'id' | 'title' | 'minutes'>", "'id' | 'titel' | 'minutes'>")]
        },
        repairable=True,
        keep=("export type RecipePreview = Pick<Recipe,",),
    ),
    broken(
        "picked-member-that-is-not-there",
        "recipes",
        "A type picks a member that its interface does not have.",
        2344,
        edits={"src/api/types.ts": [("'id' | 'title' | 'minutes'>", "'id' | 'title' | 'author'>")]},
        repairable=False,
    ),
    broken(
        "record-by-objects",
        "expenses",
        "Totals are recorded by whole expenses, which are no keys.",
        2344,
        edits={
            "src/lib/totals.ts": [
                (
                    "export interface Summary {",
                    "export type Shares = Record<Expense, number>\n\nexport interface Summary {",
                )
            ]
        },
        repairable=False,
    ),
    broken(
        "interface-not-implemented",
        "snake",
        "Food says that it is scored and has no points.",
        2420,
        edits={
            "src/game/types.ts": [
                (
                    "export const GRID = 20",
                    "/** What gives points when it is eaten. */\n"
                    "export interface Scored {\n  points(level: number): number\n}\n\nexport const GRID = 20",
                )
            ],
            "src/game/Food.ts": [
                ("import { GRID } from './types'", "import { GRID, type Scored } from './types'"),
                ("extends Entity {", "extends Entity implements Scored {"),
            ],
        },
        repairable=False,
    ),
    broken(
        "member-of-an-interface-misspelled",
        "snake",
        "The interface and the page say handleKey, the class that implements it handelKey.",
        2420,
        2551,
        edits={
            "src/game/types.ts": [
                (
                    "export const GRID = 20",
                    "/** What the keyboard steers. */\n"
                    "export interface Steered {\n  handleKey(event: KeyboardEvent): void\n}\n\nexport const GRID = 20",
                )
            ],
            "src/game/Game.ts": [
                (
                    "import { Direction, GRID, type Status }",
                    "import { Direction, GRID, type Status, type Steered }",
                ),
                ("export class Game {", "export class Game implements Steered {"),
                ("  handleKey(event", "  handelKey(event"),
            ],
        },
        repairable=True,
        keep=("game.handleKey(event)", "event.preventDefault()"),
        loses=("handelKey",),
    ),
    broken(
        "hook-of-an-object-taken-as-a-list",
        "todo",
        "What the hook returns is an object, and is taken apart as a list, with the names of its members.",
        2488,
        edits={
            "src/App.tsx": [
                (
                    "const { todos, addTodo, toggleTodo, removeTodo, remaining } = useTodos()",
                    "const [todos, addTodo, toggleTodo, removeTodo, remaining] = useTodos()",
                )
            ]
        },
        repairable=True,
        keep=("todos, addTodo, toggleTodo, removeTodo, remaining",),
    ),
    broken(
        "pairs-of-a-record",
        "expenses",
        "A loop takes pairs of key and value from a record itself, without Object.entries.",
        2488,
        edits={
            "src/lib/totals.ts": [
                (
                    "  // The newest wins",
                    "  for (const [name, cents] of totals) {\n    console.debug(name, cents)\n  }\n  // The newest wins",
                )
            ]
        },
        repairable=True,
        keep=("console.debug(name, cents)", "for (const [name, cents] of"),
    ),
    broken(
        "list-that-may-be-undefined-is-spread",
        "recipes",
        "An optional list is spread.",
        2488,
        edits={
            "src/api/types.ts": [
                ("  maxMinutes?: number\n", "  maxMinutes?: number\n  tags?: string[]\n")
            ],
            "src/api/client.ts": [
                (
                    "  const found = RECIPES.filter(",
                    "  const wanted = [...options.tags, 'quick']\n"
                    "  console.debug('Asked for', wanted)\n  const found = RECIPES.filter(",
                )
            ],
        },
        repairable=True,
        keep=("'quick']", "console.debug('Asked for', wanted)"),
        never=("tags!",),
    ),
    broken(
        "looked-up-by-nothing",
        "recipes",
        "The label of a unit is looked up by a unit that may be missing.",
        2538,
        edits={"src/api/types.ts": [("  unit: 'g'", "  unit?: 'g'")]},
        repairable=False,
        never=("unit!",),
    ),
    broken(
        "looked-up-by-an-object",
        "expenses",
        "The totals are looked up by the whole expense.",
        2538,
        edits={"src/lib/totals.ts": [("totals[expense.category] +=", "totals[expense] +=")]},
        repairable=False,
    ),
    broken(
        "answer-is-unknown",
        "todo",
        "What a function gives is unknown, and a member of it is read.",
        2571,
        edits={
            "src/lib/storage.ts": [
                (
                    "    return text ? (JSON.parse(text) as Todo[]) : []",
                    "    console.debug('Read', parsed(text ?? '[]').length)\n"
                    "    return text ? (JSON.parse(text) as Todo[]) : []",
                ),
                (
                    "/** Reads the list;",
                    "function parsed(text: string): unknown {\n  return JSON.parse(text)\n}\n\n/** Reads the list;",
                ),
            ]
        },
        repairable=False,
    ),
    broken(
        "prop-without-a-type",
        "quiz",
        "A prop is declared without a type; it is divided, and only numbers are given.",
        7008,
        edits={"src/components/ProgressBar.tsx": [("  max: number\n", "  max\n")]},
        repairable=True,
        gains=("max: number",),
    ),
    broken(
        "callback-prop-without-a-type",
        "recipes",
        "A callback is declared without a type.",
        7008,
        edits={
            "src/components/RecipeCard.tsx": [
                ("  onSelect?: (recipe: Recipe) => void\n", "  onSelect?\n")
            ]
        },
        repairable=True,
        keep=("onSelect?.(recipe)",),
    ),
    broken(
        "member-of-a-class-without-a-type",
        "snake",
        "A member of a class has neither type nor value, and nothing ever gives it one.",
        7008,
        edits={
            "src/game/Game.ts": [
                (
                    "  private food = new Food()\n",
                    "  private food = new Food()\n  protected level\n",
                ),
                ("      this.snake.grow()\n", "      this.snake.grow(this.level)\n"),
            ]
        },
        repairable=False,
    ),
    broken(
        "list-filled-in-a-callback",
        "expenses",
        "An empty list without a type is filled in a callback; every value put in is a text.",
        7034,
        edits={
            "src/lib/totals.ts": [
                (
                    "/** Adds the expenses up by category. */",
                    "/** What was bought, in order. */\n"
                    "export function labelsOf(expenses: Expense[]): string[] {\n  const labels = []\n"
                    "  expenses.forEach((expense) => labels.push(expense.label))\n"
                    "  return labels.toSorted()\n}\n\n"
                    "/** Adds the expenses up by category. */",
                )
            ]
        },
        repairable=True,
        keep=("labels.push(expense.label)", "labels.toSorted()"),
        gains=("string[] = []",),
    ),
    broken(
        "timer-without-a-type",
        "recipes",
        "A variable without a type is set in one function and read in another.",
        7034,
        edits={
            "src/hooks/useRecipes.ts": [
                ("    let current = true\n", "    let current = true\n    let timer\n"),
                (
                    "      try {\n",
                    "      timer = setTimeout(() => console.debug('Slow answer'), 2000)\n      try {\n",
                ),
                ("      current = false\n", "      current = false\n      clearTimeout(timer)\n"),
            ]
        },
        repairable=True,
        keep=("clearTimeout(timer)", "timer = setTimeout("),
    ),
)
