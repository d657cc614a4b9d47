"""Labelled snippets for the security review: what is bad, and what only looks like it.

A case is `(rule, name, files, expected)`: `expected` holds (code, severity) of all that must be found; an empty one
is a case where nothing may be. Keys are put together here, so that no scanner takes this file for a leak.
"""

from __future__ import annotations

import random
import string
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Case:
    rule: str
    name: str
    files: dict[str, str]
    expected: set[tuple[str, str]] = field(default_factory=set)
    template: str = "react-fullstack"

    @property
    def id(self) -> str:
        return f"{self.rule}-{self.name}"


def made(prefix: str, length: int, alphabet: str = string.ascii_letters + string.digits) -> str:
    """Return a key that is none, always the same."""
    chooser = random.Random(f"{prefix}{length}")
    return prefix + "".join(chooser.choice(alphabet) for _ in range(length))


AWS = made("AKIA", 16, string.ascii_uppercase + string.digits)
GOOGLE = made("AIza", 35)
GITHUB = made("ghp_", 36)
STRIPE = made("sk_" + "live_", 24)
SLACK = made("xoxb-", 30, string.digits + string.ascii_lowercase)
OPENAI = made("sk-" + "proj-", 48)
ANTHROPIC = made("sk-" + "ant-api03-", 60)
JWT = "eyJhbGciOiJIUzI1NiJ9." + "eyJyb2xlIjoic2VydmljZV9yb2xlIiwiaWF0IjoxfQ." + made("", 43)
ANON_JWT = "eyJhbGciOiJIUzI1NiJ9." + "eyJyb2xlIjoiYW5vbiIsImlhdCI6MX0." + made("", 43)
RANDOM = made("q7", 30)
SECRETS = (AWS, GOOGLE, GITHUB, STRIPE, SLACK, OPENAI, ANTHROPIC, JWT, RANDOM)

LEAK = ("secret_in_browser", "critical")
HELD = ("secret_in_code", "blocking")
SERVER = "server/routes/items.ts"
PAGE = "src/pages/Page.tsx"
PY = "app/routes/items.py"
API = "src/routes/items.ts"
MIGRATION = {
    "server/migrations/0003_items.sql": "CREATE TABLE items (id TEXT PRIMARY KEY, user_id TEXT NOT NULL, name TEXT) STRICT;"
}
PY_MIGRATION = {
    "app/migrations/0003_items.sql": "CREATE TABLE items (id TEXT PRIMARY KEY, user_id TEXT NOT NULL, name TEXT) STRICT;"
}


def bad(
    rule: str, name: str, path: str, text: str, code: str, severity: str, *,
    template: str = "react-fullstack", **more: str,
) -> Case:  # fmt: skip
    return Case(rule, name, {path: text, **more}, {(code, severity)}, template)


def good(
    rule: str, name: str, path: str, text: str, template: str = "react-fullstack", **more: str
) -> Case:
    return Case(rule, name, {path: text, **more}, set(), template)


SECRET_CASES = [
    bad("secret", "aws-server", SERVER, f"const id = '{AWS}'", *HELD),
    bad("secret", "aws-client", PAGE, f"const id = '{AWS}'", *LEAK),
    bad("secret", "google", "server/maps.ts", f'export const k = "{GOOGLE}"', *HELD),
    bad("secret", "firebase", "src/lib/firebase.ts",
        f"export const firebaseConfig = {{ apiKey: '{GOOGLE}', authDomain: 'a.firebaseapp.com' }}",
        "secret_in_browser", "warning"),
    bad("secret", "github", "server/gh.ts", f"fetch(u, {{ headers: {{ authorization: `Bearer {GITHUB}` }} }})", *HELD),
    bad("secret", "stripe-client", "src/lib/pay.ts", f"const stripe = new Stripe('{STRIPE}')", *LEAK),
    good("secret", "stripe-publishable", "src/lib/pay.ts", "const stripe = loadStripe('" + made("pk_" + "live_", 24) + "')"),
    bad("secret", "slack", "server/slack.ts", f"const bot = '{SLACK}'", *HELD),
    bad("secret", "slack-webhook", "server/slack.ts", "const hook = 'https://hooks.slack" + ".com/services/T0AB12CD3/B0AB12CD3/" + made("", 24) + "'", *HELD),
    bad("secret", "openai-vue", "src/App.vue", f"<script setup lang=\"ts\">\nconst k = '{OPENAI}'\n</script>\n<template><p>hi</p></template>", *LEAK, template="vue-vite"),
    bad("secret", "anthropic-python", "app/core/ai.py", f'client = Anthropic(api_key="{ANTHROPIC}")\n', *HELD, template="python-fastapi"),
    bad("secret", "jwt", "src/lib/db.ts", f"createClient(url, '{JWT}')", *LEAK),
    good("secret", "jwt-anon", "src/lib/db.ts", f"createClient(url, '{ANON_JWT}')"),
    bad("secret", "private-key", "server/key.ts", "const k = `-----BEGIN RSA PRIVATE " + "KEY-----\n" + made("MII", 61) + "\n`", *HELD),
    good("secret", "key-header-only", "server/key.ts", "if (!pem.startsWith('-----BEGIN PRIVATE " + "KEY-----')) throw new Error('no key')"),
    bad("secret", "database-address", "server/db.ts", "const url = 'postgres://app:" + made("", 14) + "@db.shop.io/app'", *HELD),
    good("secret", "database-local", "server/db.ts", "const url = 'postgres://app:app1app2@localhost/app'"),
    bad("secret", "in-comment", "server/ai.ts", f"// old key: {OPENAI}\nexport const a = 1", *HELD),
    bad("secret", "in-readme", "README.md", f"Use `{GITHUB}`.", *HELD),
    good("secret", "aws-example", "server/a.ts", "const id = 'AKIAIOSFODNN7" + "EXAMPLE'"),
    good("secret", "placeholder-openai", "README.md", "OPENAI_API_KEY=sk-your-key-goes-here-xxxxxxxxxxxxxxxxxxxxx"),
    good("secret", "in-test", "tests/keys.test.ts", f"const id = '{AWS}'"),
    bad("secret", "entropy-secret", "server/auth.ts", f"const JWT_SECRET = '{RANDOM}'", *HELD),
    bad("secret", "entropy-object", "server/auth.ts", f"export const config = {{ clientSecret: '{RANDOM}' }}", *HELD),
    bad("secret", "entropy-client", "src/lib/auth.ts", f"const apiKey = '{RANDOM}'", *LEAK),
    bad("secret", "password-python", "app/core/mail.py", 'SMTP_PASSWORD = "' + "k3ttle9Boil'"[:-1] + '"\n', *HELD, template="python-fastapi"),
    good("secret", "env", "server/auth.ts", "const secret = process.env.JWT_SECRET\nif (!secret) throw new Error('JWT_SECRET is not set')"),
    good("secret", "env-python", "app/core/mail.py", 'TOKEN = os.environ["TOKEN"]\n', "python-fastapi"),
    good("secret", "storage-key", "src/lib/storage.ts", "const STORAGE_KEY = 'habit-tracker.v1.2024'\nconst tokenKey = 'app:token:2024-session'"),
    good("secret", "labels", PAGE, "const labels = { password: 'Password123 needed', newPassword: 'Neues Passwort' }"),
    good("secret", "autocomplete", PAGE, "<Field type=\"password\" autoComplete=\"current-password\" name=\"password1\" />"),
    good("secret", "integrity", "package-lock.json", '{"integrity": "sha512-' + made("", 86) + '=="}'),
    good("secret", "hash", "server/users.ts", f"const passwordHash = '{RANDOM}'"),
    good("secret", "alphabet", "server/codes.ts", "const TOKEN_ALPHABET = 'abcdefghjkmnpqrstuvwxyz23456789'"),
    good("secret", "placeholder-word", "server/auth.ts", "const API_KEY = 'your-api-key-1234'"),
    bad("secret", "fallback", "server/auth.ts", "const secret = process.env.JWT_SECRET ?? 'dev-only'", "secret_fallback", "blocking"),
    bad("secret", "fallback-python", "app/core/a.py", 'SECRET = os.environ.get("SECRET_KEY", "dev")\n', "secret_fallback", "blocking", template="python-fastapi"),
    good("secret", "fallback-port", "server/main.ts", "const port = process.env.PORT ?? '3000'"),
    bad("secret", "vite-variable", "src/lib/ai.ts", "const key = import.meta.env.VITE_OPENAI_API_KEY", *LEAK),
    bad("secret", "vite-secret", "src/lib/ai.ts", "const key = import.meta.env.VITE_CLIENT_SECRET", *LEAK),
    bad("secret", "vite-unsure", "src/lib/ai.ts", "const key = import.meta.env.VITE_WEATHER_API_KEY", "secret_in_browser", "warning"),
    good("secret", "vite-public", "src/lib/a.ts", "const a = [import.meta.env.VITE_API_URL, import.meta.env.VITE_SUPABASE_ANON_KEY]"),
    bad("secret", "env-committed", ".env", f"SESSION_SECRET={RANDOM}\n", "env_file_in_project", "blocking"),
    Case("secret", "env-ignored", {".env": f"SESSION_SECRET={RANDOM}\n", ".gitignore": "node_modules\n.env\n"}),
    good("secret", "env-example", ".env.example", "SESSION_SECRET=change-me\nOPENAI_API_KEY=\n"),
    good("secret", "env-harmless", ".env", "PORT=3000\nVITE_TITLE=Shop\n"),
]  # fmt: skip

HTML_CASES = [
    bad("html", "inner-template", "src/list.ts", "list.innerHTML = items.map((i) => `<li>${i.name}</li>`).join('')", "html_injection", "blocking", template="vanilla-ts"),
    bad("html", "inner-variable", "src/list.ts", "let out = ''\nfor (const t of todos) out += `<li>${t.text}</li>`\nlist.innerHTML = out", "html_injection", "blocking", template="vanilla-ts"),
    bad("html", "inner-concat", "src/list.ts", "el.innerHTML = '<b>' + user.name + '</b>'", "html_injection", "blocking", template="vanilla-ts"),
    bad("html", "inner-typed", "src/list.ts", "el.innerHTML = input.value", "html_injection", "blocking", template="vanilla-ts"),
    bad("html", "adjacent", "src/list.ts", "el.insertAdjacentHTML('beforeend', `<p>${note.text}</p>`)", "html_injection", "blocking", template="vanilla-ts"),
    bad("html", "document-write", "src/list.ts", "document.write('<p>' + location.search + '</p>')", "html_injection", "blocking", template="vanilla-ts"),
    bad("html", "outer", "src/list.ts", "el.outerHTML = `<div title=\"${card.title}\"></div>`", "html_injection", "blocking", template="vanilla-ts"),
    good("html", "inner-literal", "src/list.ts", "el.innerHTML = '<p>Nothing here yet</p>'\nbox.innerHTML = ''", "vanilla-ts"),
    good("html", "inner-numbers", "src/list.ts", "el.innerHTML = `<b>${items.length}</b> of ${Math.round(total)} ${done ? 'done' : ''}`", "vanilla-ts"),
    good("html", "inner-escaped", "src/list.ts", "list.innerHTML = items.map((i) => `<li>${escapeHtml(i.name)}</li>`).join('')", "vanilla-ts"),
    good("html", "inner-purified", "src/list.ts", "el.innerHTML = DOMPurify.sanitize(marked.parse(text))", "vanilla-ts"),
    good("html", "text-content", "src/list.ts", "el.textContent = input.value", "vanilla-ts"),
    good("html", "in-comment", "src/list.ts", "// el.innerHTML = input.value would be wrong\n/* document.write(x) */\nconst s = 'el.innerHTML = x'", "vanilla-ts"),
    good("html", "read-only", "src/list.ts", "if (el.innerHTML === '') hide(el)", "vanilla-ts"),
    bad("html", "react", PAGE, "<div dangerouslySetInnerHTML={{ __html: post.body }} />", "html_injection", "blocking"),
    good("html", "react-sanitized", PAGE, "<div dangerouslySetInnerHTML={{ __html: DOMPurify.sanitize(post.body) }} />"),
    good("html", "react-constant", PAGE, "const ICON = '<svg></svg>'\nexport const A = () => <i dangerouslySetInnerHTML={{ __html: ICON }} />"),
    good("html", "react-jsonld", PAGE, "<script dangerouslySetInnerHTML={{ __html: JSON.stringify(data) }} />"),
    bad("html", "vue", "src/App.vue", "<script setup>\nconst p = defineProps(['text'])\n</script>\n<template><p v-html=\"p.text\"></p></template>", "html_injection", "blocking", template="vue-vite"),
    good("html", "vue-comment", "src/App.vue", "<template><!-- <p v-html=\"x\"></p> --><p>{{ text }}</p></template>", "vue-vite"),
    good("html", "vue-sanitized", "src/App.vue", "<template><p v-html=\"DOMPurify.sanitize(text)\"></p></template>", "vue-vite"),
    bad("html", "svelte", "src/App.svelte", "<script>\n  let { note } = $props()\n</script>\n{@html note.text}", "html_injection", "blocking", template="svelte-vite"),
    good("html", "svelte-constant", "src/App.svelte", "<script>\n  const icon = '<svg></svg>'\n</script>\n{@html icon}", "svelte-vite"),
    bad("html", "jinja-safe", "app/templates/a.html", "<p>{{ note.text | safe }}</p>", "unescaped_template", "blocking", template="python-fastapi"),
    good("html", "jinja-json", "app/templates/a.html", "<script>const rows = {{ rows | tojson | safe }}</script>{# {{ x|safe }} #}<p>{{ x }}</p>", "python-fastapi"),
    bad("html", "jinja-autoescape", "app/templates/a.html", "{% autoescape false %}{{ x }}{% endautoescape %}", "unescaped_template", "blocking", template="python-fastapi"),
    bad("html", "jinja-environment", "app/core/p.py", "env = Environment(loader=loader, autoescape=False)\n", "unescaped_template", "blocking", template="python-fastapi"),
    good("html", "jinja-select", "app/core/p.py", "env = Environment(loader=loader, autoescape=select_autoescape())\n", "python-fastapi"),
    bad("html", "python-response", PY, "@router.get('/hi')\ndef hi(name: str):\n    return HTMLResponse(f'<p>{name}</p>')\n", "html_injection", "blocking", template="python-fastapi"),
    good("html", "python-escaped", PY, "@router.get('/hi')\ndef hi(name: str):\n    return HTMLResponse(f'<p>{escape(name)}</p>')\n", "python-fastapi"),
]  # fmt: skip

CODE_CASES = [
    bad("code", "eval", "src/calc.ts", "const r = eval(input.value)", "code_injection", "blocking"),
    bad("code", "function", "src/calc.ts", "return new Function(`return ${formula}`)()", "code_injection", "blocking"),
    bad("code", "timeout", "src/calc.ts", "setTimeout(`show('${name}')`, 100)", "code_injection", "blocking"),
    good("code", "timeout-function", "src/calc.ts", "setTimeout(() => show(name), 100)\nsetInterval(tick, 1000)"),
    good("code", "method-eval", "src/calc.ts", "const r = model.eval(x)\nfunction evaluate(a: string) { return parse(a) }"),
    good("code", "eval-in-text", PAGE, "<p>Don't use eval(x), it's slow: new Function(y)</p>\nconst s = \"eval(x)\""),
    bad("code", "python-eval", PY, "@router.get('/c')\ndef c(formula: str):\n    return eval(formula)\n", "code_injection", "critical", template="python-fastapi"),
    bad("code", "python-exec", "app/core/r.py", "def run(source):\n    exec(source)\n", "code_injection", "blocking", template="python-fastapi"),
    good("code", "python-literal-eval", "app/core/r.py", "value = ast.literal_eval(text)\nmodel.eval()\n", "python-fastapi"),
    bad("code", "pickle", "app/core/r.py", "data = pickle.loads(blob)\n", "unsafe_deserialization", "blocking", template="python-fastapi"),
    good("code", "json", "app/core/r.py", "data = json.loads(blob)\npickle.dumps(data)\n", "python-fastapi"),
    bad("code", "yaml", "app/core/r.py", "data = yaml.load(text, Loader=yaml.Loader)\n", "unsafe_deserialization", "blocking", template="python-fastapi"),
    good("code", "yaml-safe", "app/core/r.py", "a = yaml.safe_load(text)\nb = yaml.load(text, Loader=yaml.SafeLoader)\n", "python-fastapi"),
    bad("command", "node", SERVER, "import { exec } from 'node:child_process'\nexport const r = route('POST /api/x', { access: 'user', body: b, handle: ({ body, user }) => exec(`convert ${body.file} out.png`) })", "command_injection", "critical"),
    bad("command", "node-local", "scripts/release.ts", "import { execSync } from 'node:child_process'\nexecSync(`git tag ${name}`)", "command_injection", "blocking"),
    good("command", "node-file", SERVER, "import { execFile } from 'node:child_process'\nexecFile('convert', [body.file, 'out.png'])"),
    good("command", "node-constant", "scripts/release.ts", "import { execSync } from 'node:child_process'\nexecSync('git status')"),
    good("command", "regex-exec", SERVER, "const found = /a(b)/.exec(`x${name}`)\ndb.exec('PRAGMA foreign_keys = ON')"),
    bad("command", "python-shell", PY, "@router.post('/x')\ndef x(name: str):\n    subprocess.run(f'convert {name}', shell=True)\n", "command_injection", "critical", template="python-fastapi"),
    bad("command", "python-system", "app/core/r.py", "def tag(name):\n    os.system('git tag ' + name)\n", "command_injection", "blocking", template="python-fastapi"),
    good("command", "python-list", PY, "@router.post('/x')\ndef x(name: str):\n    subprocess.run(['convert', name])\n", "python-fastapi"),
]  # fmt: skip


def handler(body: str, access: str = "user", method: str = "GET") -> str:
    return (
        f"export const items = [\n  route('{method} /api/items', {{\n    access: '{access}',\n    body: itemBody,\n"
        f"    handle: ({{ db, user, params, query, body }}) => {{\n      use(user.id)\n      {body}\n    }},\n  }}),\n]\n"
    )


SQL = ("sql_injection", "critical")
SQL_CASES = [
    bad("sql", "template", SERVER, handler("return db.all(`SELECT * FROM things WHERE name = '${query.name}'`)"), *SQL),
    bad("sql", "parameter", SERVER, handler("return db.get(`SELECT * FROM things WHERE id = ${params.id}`)"), *SQL),
    bad("sql", "concat", SERVER, handler("return db.all('SELECT * FROM things WHERE id = ' + params.id + ' LIMIT 1')"), *SQL),
    bad("sql", "variable", SERVER, handler("const { name } = body\n      db.run(`UPDATE things SET name = '${name}' WHERE id = 1`)"), *SQL),
    bad("sql", "like", SERVER, "export function find(db: Database, text: string) {\n  return db.all(`SELECT * FROM things WHERE name LIKE '%${text}%'`)\n}", *SQL),
    bad("sql", "hono", API, "app.get('/x', (c) => c.json(db.all(`SELECT * FROM things ORDER BY ${c.req.query('sort')}`)))", *SQL, template="node-api"),
    bad("sql", "appended", SERVER, handler("let sql = 'SELECT * FROM things'\n      if (query.q) sql += ` WHERE name = '${query.q}'`\n      return db.all(sql)"), *SQL),
    bad("sql", "order-unsure", SERVER, "export const list = (db: Database, order: string) => db.all(`SELECT id FROM things ORDER BY ${order}`)", "sql_injection", "warning"),
    good("sql", "marks", SERVER, handler("return db.all('SELECT * FROM things WHERE name = ?', query.name)")),
    good("sql", "constant", SERVER, "const COLUMNS = 'id, name'\n" + handler("return db.all(`SELECT ${COLUMNS} FROM things WHERE id = ?`, params.id)")),
    good("sql", "in-list", SERVER, handler("const marks = body.ids.map(() => '?').join(', ')\n      return db.all(`SELECT * FROM things WHERE id IN (${marks})`, ...body.ids)")),
    good("sql", "choice", SERVER, handler("return db.all(`SELECT * FROM things ORDER BY name ${query.desc ? 'DESC' : 'ASC'}`)")),
    good("sql", "map", SERVER, handler("const orders = { name: 'name', day: 'day DESC' }\n      return db.all(`SELECT * FROM things ORDER BY ${orders[query.sort]}`)")),
    good("sql", "allowed", SERVER, "const SORTS = ['name', 'day']\n" + handler("const sort = query.sort\n      if (!SORTS.includes(sort)) throw notFound()\n      return db.all(`SELECT * FROM things ORDER BY ${sort}`)")),
    good("sql", "number", SERVER, handler("return db.all(`SELECT * FROM things LIMIT ${Number(query.limit)}`)")),
    good("sql", "enum", SERVER, handler("return db.all(`SELECT * FROM things ORDER BY ${query.sort}`)"), **{"shared/api.ts": "export const q = z.object({ sort: z.enum(['name', 'day']) })"}),
    good("sql", "conditions", SERVER, handler("const where: string[] = []\n      if (query.q) where.push('name LIKE ?')\n      return db.all(`SELECT * FROM things ${where.length ? `WHERE ${where.join(' AND ')}` : ''}`)")),
    good("sql", "reckoned", SERVER, handler("return db.all(`SELECT * FROM things LIMIT ${SIZE} OFFSET ${(query.page - 1) * SIZE}`)")),
    good("sql", "map-or-default", SERVER, handler("const column = { title: 'title', date: 'created_at' }[query.sort] ?? 'title'\n      return db.all(`SELECT * FROM things ORDER BY ${column}`)")),
    good("sql", "sets", SERVER, handler("const sets: string[] = []\n      if (body.title !== undefined) sets.push('title = ?')\n      db.run(`UPDATE things SET ${sets.join(', ')} WHERE id = ?`, body.title, params.id)")),
    bad("sql", "entries", "server/find.ts", "export const find = (db, query) => {\n  const where = Object.entries(query).map(([k, v]) => `${k} = '${v}'`).join(' AND ')\n  return db.all(`SELECT * FROM things WHERE ${where}`)\n}", *SQL),
    good("sql", "tagged", SERVER, handler("return sql`SELECT * FROM things WHERE id = ${params.id}`")),
    good("sql", "prose", PAGE, "const hint = `Select a day from ${first} on, or update ${name}`\nconst t = `Delete ${count} rows?`"),
    good("sql", "comment", SERVER, "// never: db.all(`SELECT * FROM things WHERE id = ${params.id}`)\nexport const a = 1"),
    bad("sql", "python-f", PY, "@router.get('/x')\ndef x(db: Database, name: str):\n    return db.execute(f\"SELECT * FROM things WHERE name = '{name}'\").fetchall()\n", *SQL, template="python-fastapi"),
    bad("sql", "python-percent", "app/core/t.py", "def find(db, name):\n    return db.execute(\"SELECT * FROM things WHERE name = '%s'\" % name)\n", *SQL, template="python-fastapi"),
    bad("sql", "python-plus", "app/core/t.py", "def find(db, name):\n    return db.execute('SELECT * FROM things WHERE name = ' + name)\n", *SQL, template="python-fastapi"),
    bad("sql", "python-format", "app/core/t.py", "def find(db, name):\n    return db.execute(\"DELETE FROM things WHERE name = '{}'\".format(name))\n", *SQL, template="python-fastapi"),
    good("sql", "python-marks", PY, "@router.get('/x')\ndef x(db: Database, name: str):\n    return db.execute('SELECT * FROM things WHERE name = ?', [name]).fetchall()\n", "python-fastapi"),
    good("sql", "python-in-list", "app/core/t.py", "def find(db, ids):\n    marks = ', '.join('?' for _ in ids)\n    return db.execute(f'SELECT * FROM things WHERE id IN ({marks})', ids)\n", "python-fastapi"),
    good("sql", "python-constant", "app/core/t.py", "_SELECT = 'SELECT * FROM things'\ndef find(db, id):\n    return db.execute(_SELECT + ' WHERE id = ?', [id])\n", "python-fastapi"),
    good("sql", "python-allowed", PY, "SORTS = {'name', 'day'}\n@router.get('/x')\ndef x(db: Database, sort: str = 'name'):\n    if sort not in SORTS:\n        sort = 'name'\n    return db.execute(f'SELECT * FROM things ORDER BY {sort}').fetchall()\n", "python-fastapi"),
    good("sql", "python-int", PY, "@router.get('/x')\ndef x(db: Database, page: int):\n    return db.execute(f'SELECT * FROM things LIMIT 20 OFFSET {page}').fetchall()\n", "python-fastapi"),
    good("sql", "python-prose", "app/core/t.py", "def said(name, n):\n    return f'Select {name} from the list, {n} left'\n", "python-fastapi"),
]  # fmt: skip

ADDRESS_CASES = [
    bad("path", "join", SERVER, handler("return readFile(join(FOLDER, params.name))"), "path_traversal", "blocking"),
    bad("path", "template", SERVER, handler("return readFileSync(`uploads/${params.name}`)"), "path_traversal", "blocking"),
    good("path", "basename", SERVER, handler("return readFile(join(FOLDER, basename(params.name)))")),
    good("path", "array-join", SERVER, handler("return [body.a, body.b].join(', ')")),
    bad("path", "python", PY, "@router.get('/f')\ndef f(name: str):\n    return FileResponse('files/' + name)\n", "path_traversal", "blocking", template="python-fastapi"),
    good("path", "python-checked", PY, "@router.get('/f')\ndef f(name: str):\n    path = (FILES / name).resolve()\n    if not path.is_relative_to(FILES):\n        raise HTTPException(404)\n    return FileResponse(path)\n", "python-fastapi"),
    bad("redirect", "hono", API, "app.get('/go', (c) => c.redirect(c.req.query('next') ?? '/'))", "open_redirect", "blocking", template="node-api"),
    good("redirect", "stored", API, "app.get('/:code', (c) => {\n  const link = db.get<Link>('SELECT url FROM links WHERE code = ?', c.req.param('code'))\n  return link ? c.redirect(link.url) : c.notFound()\n})", "node-api"),
    good("redirect", "own-path", API, "app.post('/x', (c) => c.redirect(`/things/${c.req.param('id')}`))", "node-api"),
    good("redirect", "checked", API, "app.get('/go', (c) => {\n  const next = c.req.query('next') ?? '/'\n  return c.redirect(next.startsWith('/') && !next.startsWith('//') ? next : '/')\n})", "node-api"),
    bad("redirect", "browser", PAGE, "window.location.href = searchParams.get('next')", "open_redirect", "blocking"),
    good("redirect", "browser-own", PAGE, "window.location.href = '/done'\nlocation.hash = `#${id}`"),
    bad("redirect", "python", PY, "@router.get('/go')\ndef go(next: str):\n    return RedirectResponse(next)\n", "open_redirect", "blocking", template="python-fastapi"),
    good("redirect", "python-local", PY, "@router.get('/go')\ndef go(next: str):\n    return RedirectResponse(local_path(next))\n", "python-fastapi"),
    bad("blank", "jsx", PAGE, "<a href={url} target=\"_blank\">x</a>", "target_blank", "warning"),
    bad("blank", "html", "app/templates/a.html", "<a href=\"/x\" target=\"_blank\">x</a>", "target_blank", "warning", template="python-fastapi"),
    good("blank", "rel", PAGE, "<a href={url}\n  onClick={() => count(1)} target=\"_blank\" rel=\"noreferrer\">x</a>\n{/* <a target=\"_blank\"> */}"),
    bad("http", "fetch", "src/lib/w.ts", "const r = await fetch('http://weather.io/api')", "plain_http", "warning"),
    good("http", "https", "src/lib/w.ts", "const r = await fetch('https://weather.io/api')\nawait fetch('http://localhost:3000/x')"),
    bad("http", "script-tag", "index.html", "<script src=\"http://cdn.io/x.js\"></script>", "plain_http", "warning"),
    good("http", "svg", "index.html", "<link rel=\"icon\" href=\"data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg'/%3E\" />"),
    bad("http", "python", "app/core/w.py", "r = httpx.get('http://weather.io/api')\n", "plain_http", "warning", template="python-fastapi"),
]  # fmt: skip

WEB_CASES = [
    bad("cors", "hono", API, "app.use(cors({ origin: '*', credentials: true }))", "cors_credentials", "blocking", template="node-api"),
    bad("cors", "reflect", API, "app.use(cors({ origin: true, credentials: true }))", "cors_credentials", "blocking", template="node-api"),
    bad("cors", "headers", "server/core/cors.ts", "response.setHeader('Access-Control-Allow-Origin', '*')\nresponse.setHeader('Access-Control-Allow-Credentials', 'true')", "cors_credentials", "blocking"),
    good("cors", "named", API, "app.use(cors({ origin: 'https://a.io', credentials: true }))\napp.use(cors({ origin: '*' }))", "node-api"),
    bad("cors", "python", "app/main.py", "app.add_middleware(CORSMiddleware, allow_origins=['*'], allow_credentials=True)\n", "cors_credentials", "blocking", template="python-fastapi"),
    good("cors", "python-named", "app/main.py", "app.add_middleware(CORSMiddleware, allow_origins=['https://a.io'], allow_credentials=True)\n", "python-fastapi"),
    bad("cookie", "hono", API, "import { setCookie } from 'hono/cookie'\nsetCookie(c, 'session', token, { path: '/' })", "cookie_flags", "blocking", template="node-api"),
    good("cookie", "hono-flags", API, "import { setCookie } from 'hono/cookie'\nsetCookie(c, 'session', token, { httpOnly: true, sameSite: 'Lax' })", "node-api"),
    bad("cookie", "express", API, "res.cookie('theme', theme)", "cookie_flags", "warning", template="node-api"),
    bad("cookie", "header", "server/core/s.ts", "response.setHeader('Set-Cookie', `session=${token}; Path=/`)", "cookie_flags", "blocking"),
    good("cookie", "header-flags", "server/core/s.ts", "response.setHeader('Set-Cookie', `session=${token}; Path=/; HttpOnly; SameSite=Lax`)"),
    bad("cookie", "python", "app/core/s.py", "response.set_cookie('session', token)\n", "cookie_flags", "blocking", template="python-fastapi"),
    good("cookie", "python-flags", "app/core/s.py", "response.set_cookie('session', token, httponly=True, samesite='lax')\n", "python-fastapi"),
    bad("random", "token", "server/core/t.ts", "const token = Math.random().toString(36).slice(2)", "weak_random", "blocking"),
    bad("random", "function", "server/core/t.ts", "export function makeResetToken() {\n  return Math.random().toString(36)\n}", "weak_random", "blocking"),
    good("random", "game", "src/game.ts", "const card = cards[Math.floor(Math.random() * cards.length)]\nconst id = Math.random()"),
    good("random", "crypto", "server/core/t.ts", "const token = crypto.randomUUID()\nconst x = Math.random()"),
    bad("random", "python", "app/core/t.py", "token = ''.join(random.choice(LETTERS) for _ in range(32))\n", "weak_random", "blocking", template="python-fastapi"),
    good("random", "python-secrets", "app/core/t.py", "token = secrets.token_urlsafe(32)\ncard = random.choice(cards)\n", "python-fastapi"),
    bad("hash", "md5", "server/core/p.ts", "const stored = createHash('md5').update(password).digest('hex')", "weak_password_hash", "blocking"),
    bad("hash", "sha256", "server/core/p.ts", "export function hashPassword(text: string) {\n  return createHash('sha256').update(text).digest('hex')\n}", "weak_password_hash", "warning"),
    good("hash", "etag", "server/core/p.ts", "const etag = createHash('md5').update(content).digest('hex')"),
    bad("hash", "python", "app/core/p.py", "stored = hashlib.sha1(password.encode()).hexdigest()\n", "weak_password_hash", "blocking", template="python-fastapi"),
    good("hash", "python-scrypt", "app/core/p.py", "stored = hashlib.scrypt(password.encode(), salt=salt, n=16384, r=8, p=1)\nh = hashlib.md5(data)\n", "python-fastapi"),
    bad("jwt", "none", "server/core/j.ts", "jwt.verify(token, key, { algorithms: ['HS256', 'none'] })", "jwt_none", "blocking"),
    bad("jwt", "decode", "server/core/j.ts", "import jwt from 'jsonwebtoken'\nconst user = jwt.decode(token)", "jwt_none", "blocking"),
    good("jwt", "verify", "server/core/j.ts", "import jwt from 'jsonwebtoken'\nconst user = jwt.verify(token, key, { algorithms: ['HS256'] })\nconst style = { display: 'none' }"),
    bad("jwt", "python", "app/core/j.py", "user = jwt.decode(token, options={'verify_signature': False})\n", "jwt_none", "blocking", template="python-fastapi"),
    good("jwt", "python-verified", "app/core/j.py", "user = jwt.decode(token, key, algorithms=['HS256'])\n", "python-fastapi"),
]  # fmt: skip

ROUTE = "route('{}', {{ access: '{}', {} handle: ({{ db, user, params, body }}) => {{ {} }} }})"
DB_PY = "from app.core.accounts import CurrentUser\n"
EDGE_CASES = [
    bad("body", "hono", API, "app.post('/x', async (c) => {\n  const data = await c.req.json()\n  db.run('INSERT INTO things (name) VALUES (?)', data.name)\n})", "unvalidated_body", "blocking", template="node-api"),
    bad("body", "hono-no-write", API, "app.post('/x', async (c) => c.json(total(await c.req.json())))", "unvalidated_body", "warning", template="node-api"),
    bad("body", "express", API, "app.put('/x', (req, res) => {\n  db.run('UPDATE things SET name = ?', req.body.name)\n})", "unvalidated_body", "blocking", template="node-api"),
    good("body", "hono-schema", API, "app.post('/x', async (c) => {\n  const data = thingSchema.parse(await c.req.json())\n  db.run('INSERT INTO things (name) VALUES (?)', data.name)\n})", "node-api"),
    good("body", "hono-read-body", API, "app.post('/x', async (c) => {\n  const { name } = await readBody(c, thing)\n  db.run('INSERT INTO things (name) VALUES (?)', name)\n})", "node-api"),
    good("body", "by-hand", API, "app.post('/x', async (c) => {\n  const data = await c.req.json()\n  if (typeof data.name !== 'string') return c.json({}, 422)\n  db.run('INSERT INTO things (name) VALUES (?)', data.name)\n})", "node-api"),
    bad("body", "route", SERVER, ROUTE.format("POST /api/t", "user", "", "db.run('INSERT INTO things (u, n) VALUES (?, ?)', user.id, body.n)"), "unvalidated_body", "blocking"),
    good("body", "route-schema", SERVER, ROUTE.format("POST /api/t", "user", "body: thing,", "db.run('INSERT INTO things (u, n) VALUES (?, ?)', user.id, body.n)")),
    good("body", "client-fetch", "src/lib/a.ts", "const r = await api.post('/x', { body: JSON.stringify(body) })"),
    bad("body", "python-dict", PY, DB_PY + "@router.post('/x')\ndef x(data: dict, user: CurrentUser, db: Database):\n    db.execute('INSERT INTO things (u, n) VALUES (?, ?)', [user.id, data['n']])\n", "unvalidated_body", "blocking", template="python-fastapi"),
    bad("body", "python-json", PY, DB_PY + "@router.post('/x')\nasync def x(request: Request, user: CurrentUser):\n    return total(user.id, await request.json())\n", "unvalidated_body", "warning", template="python-fastapi"),
    good("body", "python-model", PY, DB_PY + "@router.post('/x')\ndef x(new: NewThing, user: CurrentUser, db: Database):\n    db.execute('INSERT INTO things (u, n) VALUES (?, ?)', [user.id, new.n])\n", "python-fastapi"),
    good("body", "python-validated", PY, DB_PY + "@router.post('/x')\nasync def x(request: Request, user: CurrentUser):\n    return total(user.id, Thing.model_validate(await request.json()))\n", "python-fastapi"),
    bad("public", "route", SERVER, ROUTE.format("DELETE /api/t/:id", "public", "", "db.run('DELETE FROM things WHERE id = ?', params.id)"), "public_write", "warning"),
    good("public", "sign-up", SERVER, ROUTE.format("POST /api/sign-up", "public", "body: b,", "db.run('INSERT INTO users (n) VALUES (?)', body.n)")),
    good("public", "read", SERVER, ROUTE.format("GET /api/t", "public", "", "return db.all('SELECT * FROM things')")),
    bad("public", "python", PY, "from app.core.accounts import CurrentUser\n@router.post('/x')\ndef x(db: Database):\n    db.execute('DELETE FROM things')\n", "public_write", "warning", template="python-fastapi"),
    good("public", "python-admin", PY, "from app.core.accounts import Admin, CurrentUser\n@router.post('/x')\ndef x(db: Database, user: Admin):\n    db.execute('DELETE FROM things')\n", "python-fastapi"),
    bad("owner", "delete", SERVER, ROUTE.format("DELETE /api/i/:id", "user", "", "db.run('DELETE FROM items WHERE id = ?', params.id)"), "missing_owner", "warning", **MIGRATION),
    bad("owner", "select", SERVER, ROUTE.format("GET /api/i/:id", "user", "", "return db.get('SELECT * FROM items WHERE id = ?', params.id)"), "missing_owner", "warning", **MIGRATION),
    good("owner", "asked", SERVER, ROUTE.format("DELETE /api/i/:id", "user", "", "db.run('DELETE FROM items WHERE id = ? AND user_id = ?', params.id, user.id)"), **MIGRATION),
    good("owner", "checked-before", SERVER, ROUTE.format("DELETE /api/i/:id", "user", "", "ownItem(db, user, params.id); db.run('DELETE FROM items WHERE id = ?', params.id)"), **MIGRATION),
    good("owner", "admin", SERVER, ROUTE.format("DELETE /api/i/:id", "admin", "", "db.run('DELETE FROM items WHERE id = ?', params.id)"), **MIGRATION),
    good("owner", "other-table", SERVER, ROUTE.format("GET /api/r", "user", "", "return db.all('SELECT * FROM rooms')"), **MIGRATION),
    bad("owner", "python", PY, DB_PY + "@router.post('/{item_id}/delete')\ndef x(item_id: str, user: CurrentUser, db: Database):\n    db.execute('DELETE FROM items WHERE id = ?', [item_id])\n", "missing_owner", "warning", template="python-fastapi", **PY_MIGRATION),
    good("owner", "python-asked", PY, DB_PY + "@router.post('/{item_id}/delete')\ndef x(item_id: str, user: CurrentUser, db: Database):\n    db.execute('DELETE FROM items WHERE id = ? AND user_id = ?', [item_id, user.id])\n", "python-fastapi", **PY_MIGRATION),
]  # fmt: skip

CASES = [
    *SECRET_CASES,
    *HTML_CASES,
    *CODE_CASES,
    *SQL_CASES,
    *ADDRESS_CASES,
    *WEB_CASES,
    *EDGE_CASES,
]
