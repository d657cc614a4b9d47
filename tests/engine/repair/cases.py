"""Small broken files and what they must be after repair, to the byte. All are mended in one project at once, so every
name is used by one case only."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Case:
    """`before` and `after` are path → text; what `after` leaves out stays as it was."""

    name: str
    before: dict[str, str]
    after: dict[str, str] = field(default_factory=dict)
    """Empty: nothing may be changed, and the errors stay."""


CASES: list[Case] = []
LEFT: list[Case] = []


def mended(name: str, path: str, before: str, after: str, **others: str) -> None:
    """One file is mended; `others` are files (`__` for `/`, `_DOT_` for `.`) that are there and stay."""
    more = {each.replace("__", "/").replace("_DOT_", "."): text for each, text in others.items()}
    CASES.append(Case(name, {f"src/{path}": before, **{f"src/{p}": t for p, t in more.items()}}, {f"src/{path}": after}))  # fmt: skip


def left(name: str, path: str, text: str) -> None:
    """Nobody but a model may touch this."""
    LEFT.append(Case(name, {f"src/{path}": text}))


mended(
    "React as a global, where markup needs none",
    "k0/global.ts",
    "export const useName = () => React.useState('') // a hook\n",
    "import React from 'react'\n\nexport const useName = () => React.useState('') // a hook\n",
)

# -- letters and brackets --------------------------------------------------------------------------------------
mended(
    "a property by the name that the compiler knows",
    "k1/near.ts",
    "interface Limit { monthlyCents: number; label: string }\n"
    "export const limit = (old: Limit): Limit => ({ ...old, montlyCents: 1 }) // one\n",
    "interface Limit { monthlyCents: number; label: string }\n"
    "export const limit = (old: Limit): Limit => ({ ...old, monthlyCents: 1 }) // one\n",
)
mended(
    "a case by a letter",
    "k2/case.ts",
    "export function shown(kind: 'start' | 'answer'): number {\n  switch (kind) {\n    case 'start':\n      return 1\n"
    "    case 'anwser':\n      return 2\n  }\n}\n",
    "export function shown(kind: 'start' | 'answer'): number {\n  switch (kind) {\n    case 'start':\n      return 1\n"
    "    case 'answer':\n      return 2\n  }\n}\n",
)
mended(
    "quotes of a word processor",
    "k3/curly.ts",
    "// Says “hello”.\nexport const hello = “Hello, it’s me”\n",
    '// Says “hello”.\nexport const hello = "Hello, it’s me"\n',
)
mended(
    "an ending that the dev server does not forgive",
    "k5/uses.ts",
    "import { Card } from './Card.ts' // it has markup\nexport const card = Card\n",
    "import { Card } from './Card.tsx' // it has markup\nexport const card = Card\n",
    k5__Card_DOT_tsx="export const Card = () => <b>a</b>\n",
)
left(
    "a bracket whose place makes no sense of its line",
    "k4/guess.ts",
    "declare function pair<T>(first: T): [T, (next: T) => void]\nexport function f() {\n  const [one, setOne = pair('')\n"
    "  const other = 1\n  setOne('a')\n  return [one, other]\n}\n",
)

# -- imports -----------------------------------------------------------------------------------------------
mended(
    "missing hooks join one import",
    "a1/Counter.tsx",
    "// Counts.\nimport { useState } from 'react'\n\n\n/* the component */\n"
    "export function Counter() {\n  const [n, setN] = useState(0) // n\n  useEffect(() => setN(1), [])\n"
    "  const twice = useMemo(() => n * 2, [n])\n  return <b>{twice}</b>\n}\n",
    "// Counts.\nimport { useState, useEffect, useMemo } from 'react'\n\n\n/* the component */\n"
    "export function Counter() {\n  const [n, setN] = useState(0) // n\n  useEffect(() => setN(1), [])\n"
    "  const twice = useMemo(() => n * 2, [n])\n  return <b>{twice}</b>\n}\n",
)
mended(
    "double quotes, semicolons and CRLF are kept",
    "a2/Panel.tsx",
    'import { useState } from "react";\r\n\r\nexport function Panel() {\r\n  const [n] = useState(0);\r\n'
    "  return <Badge2>{n}</Badge2>;\r\n}\r\n",
    'import { useState } from "react";\r\nimport { Badge2 } from "./Badge2";\r\n\r\nexport function Panel() {\r\n'
    "  const [n] = useState(0);\r\n  return <Badge2>{n}</Badge2>;\r\n}\r\n",
    a2__Badge2_DOT_tsx="export const Badge2 = ({ children }: { children: number }) => <i>{children}</i>\n",
)
mended(
    "the alias where the file uses it",
    "a3/Page3.tsx",
    "import { helper3 } from '@/a3/helper3'\n\nexport const Page3 = () => <p>{helper3()}{other3()}</p>\n",
    "import { helper3 } from '@/a3/helper3'\nimport { other3 } from '@/a3/deep/other3'\n\nexport const Page3 = () => <p>{helper3()}{other3()}</p>\n",
    a3__helper3_DOT_ts="export const helper3 = () => 'a'\n",
    a3__deep__other3_DOT_ts="export const other3 = () => 'b'\n",
)
mended(
    "a type is imported as the file imports types",
    "a4/list4.ts",
    "import type { Alpha4 } from './types4'\n\nexport function list4(a: Alpha4): Beta4 {\n  return { b: a.a }\n}\n",
    "import type { Alpha4, Beta4 } from './types4'\n\nexport function list4(a: Alpha4): Beta4 {\n  return { b: a.a }\n}\n",
    a4__types4_DOT_ts="export interface Alpha4 { a: string }\nexport interface Beta4 { b: string }\n",
)
mended(
    "a list over several lines",
    "a5/all5.ts",
    "import {\n  one5, // first\n  two5\n} from './numbers5'\n\nexport const all5 = [one5, two5, three5]\n",
    "import {\n  one5, // first\n  two5,\n  three5\n} from './numbers5'\n\nexport const all5 = [one5, two5, three5]\n",
    a5__numbers5_DOT_ts="export const one5 = 1\nexport const two5 = 2\nexport const three5 = 3\n",
)
mended(
    "no import yet, but a directive and a comment",
    "a6/first6.tsx",
    "'use client'\n// What it is for.\nexport function First6() {\n  const box = useRef<HTMLDivElement>(null)\n  return <div ref={box} />\n}\n",
    "'use client'\nimport { useRef } from 'react'\n// What it is for.\nexport function First6() {\n  const box = useRef<HTMLDivElement>(null)\n  return <div ref={box} />\n}\n",
)
mended(
    "named instead of default",
    "b1/use1.tsx",
    "import Card1 from './Card1'\n\nexport const Use1 = () => <Card1 />\n",
    "import { Card1 } from './Card1'\n\nexport const Use1 = () => <Card1 />\n",
    b1__Card1_DOT_tsx="export function Card1() {\n  return <p>one</p>\n}\n",
)
mended(
    "default instead of named",
    "b2/use2.tsx",
    "import { Card2b } from './Card2b' // the card\n\nexport const Use2 = () => <Card2b />\n",
    "import Card2b from './Card2b' // the card\n\nexport const Use2 = () => <Card2b />\n",
    b2__Card2b_DOT_tsx="export default function Card2b() {\n  return <p>two</p>\n}\n",
)
mended(
    "from the module that exports it",
    "b3/use3.ts",
    "import { format3, parse3 } from './text3'\n\nexport const use3 = () => parse3(format3(1))\n",
    "import { format3 } from './text3'\nimport { parse3 } from './numbers3'\n\nexport const use3 = () => parse3(format3(1))\n",
    b3__text3_DOT_ts="export const format3 = (n: number) => String(n)\n",
    b3__numbers3_DOT_ts="export const parse3 = (s: string) => Number(s)\n",
)
CASES.append(
    Case(
        "what is wanted is exported",
        {
            "src/b4/use4.ts": "import { secret4 } from './box4'\n\nexport const use4 = secret4 + 1\n",
            "src/b4/box4.ts": "// kept\nconst secret4 = 4 // four\n\nexport const open4 = secret4\n",
        },
        {
            "src/b4/box4.ts": "// kept\nexport const secret4 = 4 // four\n\nexport const open4 = secret4\n"
        },
    )
)
CASES.append(
    Case(
        "a default export is added",
        {
            "src/b5/use5.tsx": "import Box5 from './Box5'\n\nexport const Use5 = () => <Box5 />\n",
            "src/b5/Box5.tsx": "function Box5() {\n  return <p>five</p>\n}\n",
        },
        {"src/b5/Box5.tsx": "function Box5() {\n  return <p>five</p>\n}\n\nexport default Box5\n"},
    )
)
mended(
    "a misspelled import is renamed where it is used",
    "b6/use6.ts",
    "import { formatPirce6 } from './price6'\n\nexport const a6 = formatPirce6(1)\nexport const b6 = [1].map(formatPirce6)\n",
    "import { formatPrice6 } from './price6'\n\nexport const a6 = formatPrice6(1)\nexport const b6 = [1].map(formatPrice6)\n",
    b6__price6_DOT_ts="export const formatPrice6 = (n: number) => `${n} €`\n",
)
mended(
    "a wrong folder",
    "c1/use1c.ts",
    "import { sum1c } from '../utils/sum1c'\n\nexport const use1c = sum1c(1, 2)\n",
    "import { sum1c } from './lib/sum1c'\n\nexport const use1c = sum1c(1, 2)\n",
    c1__lib__sum1c_DOT_ts="export const sum1c = (a: number, b: number) => a + b\n",
)
mended(
    "wrong letters and an ending",
    "c2/use2c.tsx",
    "import { Header2c } from './header2c.jsx'\n\nexport const Use2c = () => <Header2c />\n",
    "import { Header2c } from './Header2c'\n\nexport const Use2c = () => <Header2c />\n",
    c2__Header2c_DOT_tsx="export const Header2c = () => <h1>c</h1>\n",
)
mended(
    "names that moved to two files, and a comment",
    "c3/use3c.ts",
    "import { left3c, right3c } from './sides3c' // gone\n\nexport const use3c = left3c + right3c\n",
    "import { left3c } from './l3c'\nimport { right3c } from './r3c' // gone\n\nexport const use3c = left3c + right3c\n",
    c3__l3c_DOT_ts="export const left3c = 1\n",
    c3__r3c_DOT_ts="export const right3c = 2\n",
)
mended(
    "names that moved to two files",
    "c4/use4c.ts",
    "import { left4c, right4c } from './sides4c'\n\nexport const use4c = left4c + right4c\n",
    "import { left4c } from './l4c'\nimport { right4c } from './r4c'\n\nexport const use4c = left4c + right4c\n",
    c4__l4c_DOT_ts="export const left4c = 1\n",
    c4__r4c_DOT_ts="export const right4c = 2\n",
)
mended(
    "a style sheet that is elsewhere",
    "c5/use5c.tsx",
    "import './styles/only5c.css'\nimport { useState } from 'react'\n\nexport const Use5c = () => <p>{useState(0)[0]}</p>\n",
    "import '../c5/only5c.css'\nimport { useState } from 'react'\n\nexport const Use5c = () => <p>{useState(0)[0]}</p>\n".replace(
        "../c5/", "./"
    ),
    c5__only5c_DOT_css="p { color: red }\n",
)
left(
    "a style sheet that is nowhere",
    "c6/use6c.tsx",
    "import './never6c.css'\n\nexport const Use6c = () => <p>one</p>\n",
)
mended(
    "imported twice",
    "d1/use1d.ts",
    "import { twice1d } from './twice1d'\n// again\nimport { twice1d } from './twice1d'\n\nexport const use1d = twice1d\n",
    "import { twice1d } from './twice1d'\n// again\n\nexport const use1d = twice1d\n",
    d1__twice1d_DOT_ts="export const twice1d = 1\n",
)
mended(
    "imported and declared",
    "d2/use2d.ts",
    "import { other2d, local2d } from './both2d'\n\nfunction local2d() {\n  return other2d\n}\n\nexport const use2d = local2d()\n",
    "import { other2d } from './both2d'\n\nfunction local2d() {\n  return other2d\n}\n\nexport const use2d = local2d()\n",
    d2__both2d_DOT_ts="export const local2d = () => 2\nexport const other2d = 3\n",
)
mended(
    "two default exports of the same",
    "d3/Twice3d.tsx",
    "export default function Twice3d() {\n  return <p>d</p>\n}\n\nexport default Twice3d\n",
    "export default function Twice3d() {\n  return <p>d</p>\n}\n\n",
)
# -- names ---------------------------------------------------------------------------------------------------
mended(
    "misspelled names",
    "e1/names1e.ts",
    "export const total1e = (prices: number[]) => prices.reduse((sum, each) => sum + each, 0) // sum\n"
    "export const shown1e = total1e([1]).toFixd(2)\n",
    "export const total1e = (prices: number[]) => prices.reduce((sum, each) => sum + each, 0) // sum\n"
    "export const shown1e = total1e([1]).toFixed(2)\n",
)
mended(
    "a constant that changes",
    "e2/count2e.ts",
    "export function count2e(items: string[]) {\n  const n = 0 // how many\n  for (const _ of items) n += 1\n  return n\n}\n",
    "export function count2e(items: string[]) {\n  let n = 0 // how many\n  for (const _ of items) n += 1\n  return n\n}\n",
)
mended(
    "await outside of async",
    "e3/load3e.ts",
    "export function load3e(url: string): Promise<string> {\n  const answer = await fetch(url)\n  return answer.text()\n}\n",
    "export async function load3e(url: string): Promise<string> {\n  const answer = await fetch(url)\n  return answer.text()\n}\n",
)
mended(
    "an await that is missing",
    "e4/load4e.ts",
    "export async function load4e(url: string) {\n  const answer = fetch(url)\n  return answer.json() as Promise<string>\n}\n",
    "export async function load4e(url: string) {\n  const answer = await fetch(url)\n  return answer.json() as Promise<string>\n}\n",
)
mended(
    "the return type of an async function",
    "e5/load5e.ts",
    "export async function load5e(): string {\n  return (await fetch('/')).text()\n}\n",
    "export async function load5e(): Promise<string> {\n  return (await fetch('/')).text()\n}\n",
)
# -- markup ---------------------------------------------------------------------------------------------------
mended(
    "attributes of HTML",
    "f1/Form1f.tsx",
    'export const Form1f = () => (\n  <form class="wide" onsubmit={(e) => e.preventDefault()}>\n    {/* name */}\n'
    '    <label for="name" style="color: red; margin-top: 4px">Name</label>\n    <input id="name" tabindex={1} maxlength={4} />\n  </form>\n)\n',
    'export const Form1f = () => (\n  <form className="wide" onSubmit={(e) => e.preventDefault()}>\n    {/* name */}\n'
    "    <label htmlFor=\"name\" style={{ color: 'red', marginTop: '4px' }}>Name</label>\n    <input id=\"name\" tabIndex={1} maxLength={4} />\n  </form>\n)\n",
)
mended(
    "numbers and booleans as text",
    "f2/Use2f.tsx",
    'const Box2f = ({ size, open }: { size: number; open: boolean }) => <p>{size}{String(open)}</p>\n\nexport const Use2f = () => <Box2f size="3" open="true" />\n',
    "const Box2f = ({ size, open }: { size: number; open: boolean }) => <p>{size}{String(open)}</p>\n\nexport const Use2f = () => <Box2f size={3} open={true} />\n",
)
mended(
    "a misspelled property of a component",
    "f3/Use3f.tsx",
    "const Box3f = ({ onSelect, title }: { onSelect: () => void; title: string }) => <p onClick={onSelect}>{title}</p>\n\n"
    'export const Use3f = () => <Box3f onSelct={() => undefined} title="a" />\n',
    "const Box3f = ({ onSelect, title }: { onSelect: () => void; title: string }) => <p onClick={onSelect}>{title}</p>\n\n"
    'export const Use3f = () => <Box3f onSelect={() => undefined} title="a" />\n',
)
mended(
    "two elements where one may be",
    "f4/Two4f.tsx",
    "export const Two4f = () => {\n  return (\n    <p>a</p>\n    <p>b</p>\n  )\n}\n",
    "export const Two4f = () => {\n  return (\n    <>\n    <p>a</p>\n    <p>b</p>\n    </>\n  )\n}\n",
)
mended(
    "a comment of HTML and a tag without end",
    "f5/Page5f.tsx",
    'export const Page5f = () => (\n  <div>\n    <!-- the picture -->\n    <img src="/a.png" alt="a">\n    <br>\n  </div>\n)\n',
    'export const Page5f = () => (\n  <div>\n    {/* the picture */}\n    <img src="/a.png" alt="a" />\n    <br />\n  </div>\n)\n',
)
mended(
    "a closing tag of another name",
    "f6/Tag6f.tsx",
    "export const Tag6f = () => (\n  <section>\n    <h2>a</h3>\n  </section>\n)\n",
    "export const Tag6f = () => (\n  <section>\n    <h2>a</h2>\n  </section>\n)\n",
)
mended(
    "an arrow in text",
    "f7/Text7f.tsx",
    "export const Text7f = () => <p>a -> b</p>\n",
    "export const Text7f = () => <p>a -{'>'} b</p>\n",
)
# -- React -----------------------------------------------------------------------------------------------------
mended(
    "references, elements and what may be missing",
    "g1/Focus1g.tsx",
    "import { useEffect, useRef } from 'react'\n\nexport function Focus1g(): JSX.Element {\n  const box = useRef<HTMLInputElement>() // the field\n"
    "  const timer = useRef<number>()\n  useEffect(() => {\n    box.current.focus()\n    timer.current = 1\n  }, [])\n  return <input ref={box} />\n}\n",
    "import { useEffect, useRef } from 'react'\n\nexport function Focus1g(): React.JSX.Element {\n  const box = useRef<HTMLInputElement>(null) // the field\n"
    "  const timer = useRef<number>(undefined)\n  useEffect(() => {\n    box.current?.focus()\n    timer.current = 1\n  }, [])\n  return <input ref={box} />\n}\n",
)
mended(
    "the type of a state",
    "g2/List2g.tsx",
    "import { useState } from 'react'\nimport type { Item2g } from './item2g'\n\nexport function List2g({ first }: { first: Item2g }) {\n"
    "  const [items, setItems] = useState([])\n  const [chosen, setChosen] = useState(null)\n"
    "  return <button onClick={() => { setItems([...items, first]); setChosen(first) }}>{items.length}{chosen ? 'x' : ''}</button>\n}\n",
    "import { useState } from 'react'\nimport type { Item2g } from './item2g'\n\nexport function List2g({ first }: { first: Item2g }) {\n"
    "  const [items, setItems] = useState<Item2g[]>([])\n  const [chosen, setChosen] = useState<Item2g | null>(null)\n"
    "  return <button onClick={() => { setItems([...items, first]); setChosen(first) }}>{items.length}{chosen ? 'x' : ''}</button>\n}\n",
    g2__item2g_DOT_ts="export interface Item2g { id: number }\n",
)
mended(
    "the event of a handler",
    "g3/Field3g.tsx",
    "import { useState } from 'react'\n\nexport function Field3g() {\n  const [text, setText] = useState('')\n"
    "  const change = (event) => setText(event.target.value)\n  function send(e) {\n    e.preventDefault()\n  }\n"
    "  return <form onSubmit={send}><input value={text} onChange={change} /></form>\n}\n",
    "import { useState } from 'react'\n\nexport function Field3g() {\n  const [text, setText] = useState('')\n"
    "  const change = (event: React.ChangeEvent<HTMLInputElement>) => setText(event.target.value)\n"
    "  function send(e: React.SubmitEvent<HTMLFormElement>) {\n    e.preventDefault()\n  }\n"
    "  return <form onSubmit={send}><input value={text} onChange={change} /></form>\n}\n",
)
mended(
    "a hook in a condition and one after a return",
    "g4/Hook4g.tsx",
    "import { useMemo, useState } from 'react'\n\nexport function Hook4g({ items }: { items: number[] }) {\n  if (items.length === 0) {\n    return <p>none</p>\n  }\n\n"
    "  // the sum\n  const sum = useMemo(() => items.length, [items])\n  const [n] = useState(1) // one\n  return <p>{sum + n}</p>\n}\n",
    "import { useMemo, useState } from 'react'\n\nexport function Hook4g({ items }: { items: number[] }) {\n"
    "  // the sum\n  const sum = useMemo(() => items.length, [items])\n  const [n] = useState(1) // one\n  if (items.length === 0) {\n    return <p>none</p>\n  }\n\n"
    "  return <p>{sum + n}</p>\n}\n",
)
mended(
    "a hook in a loop that needs nothing of it",
    "g5/Loop5g.tsx",
    "import { createContext, useContext } from 'react'\n\nconst Unit5g = createContext('px')\n\n"
    "export function Loop5g({ sizes }: { sizes: number[] }) {\n  const shown: string[] = []\n\n  // every size\n"
    "  for (const size of sizes) {\n    // the unit of all of them\n    const unit = useContext(Unit5g) // one\n\n"
    "    shown.push(`${size} ${unit}`)\n  }\n  return <p>{shown.join()}</p>\n}\n",
    "import { createContext, useContext } from 'react'\n\nconst Unit5g = createContext('px')\n\n"
    "export function Loop5g({ sizes }: { sizes: number[] }) {\n  const shown: string[] = []\n\n"
    "  // the unit of all of them\n  const unit = useContext(Unit5g) // one\n  // every size\n"
    "  for (const size of sizes) {\n\n"
    "    shown.push(`${size} ${unit}`)\n  }\n  return <p>{shown.join()}</p>\n}\n",
)
mended(
    "a hook of several lines in a loop in a condition after a return",
    "g6/Deep6g.tsx",
    "import { useMemo } from 'react'\n\nexport function Deep6g({ names, from }: { names: string[]; from: string }) {\n"
    "  if (!from) return null\n\n  const all: string[] = []\n  if (names.length > 1) {\n    for (const name of names) {\n"
    "      if (!name) continue\n      const words = useMemo(\n        () => from.split(' ').length, // at blanks\n\n        [from],\n      )\n"
    "      all.push(name, `${words}`)\n    }\n  }\n  return <p>{all.join()}</p>\n}\n",
    "import { useMemo } from 'react'\n\nexport function Deep6g({ names, from }: { names: string[]; from: string }) {\n"
    "  const words = useMemo(\n    () => from.split(' ').length, // at blanks\n\n    [from],\n  )\n"
    "  if (!from) return null\n\n  const all: string[] = []\n  if (names.length > 1) {\n    for (const name of names) {\n"
    "      if (!name) continue\n"
    "      all.push(name, `${words}`)\n    }\n  }\n  return <p>{all.join()}</p>\n}\n",
)
mended(
    "a state in a loop that nobody can set, and a function",
    "g9/Still9g.tsx",
    "import { useCallback, useState } from 'react'\n\nexport function Still9g({ names }: { names: string[] }) {\n"
    "  const all: string[] = []\n  for (const name of names) {\n    const [mark] = useState('-') // before each\n"
    "    const shown = useCallback((text: string) => text.trim(), [])\n    all.push(mark + shown(name))\n  }\n  return <p>{all.join()}</p>\n}\n",
    "import { useCallback, useState } from 'react'\n\nexport function Still9g({ names }: { names: string[] }) {\n"
    "  const all: string[] = []\n  const [mark] = useState('-') // before each\n"
    "  const shown = useCallback((text: string) => text.trim(), [])\n  for (const name of names) {\n    all.push(mark + shown(name))\n  }\n  return <p>{all.join()}</p>\n}\n",
)
mended(
    "a state in a condition, on lines of its own and between others",
    "g7/Choice7g.tsx",
    "import { useState } from 'react'\n\nexport function Choice7g({ open, wide }: { open: boolean; wide: boolean }) {\n"
    "  // if it is open\n  if (open) {\n    const [a] = useState(1) /* one */\n\n    // with what it counts\n    return <p>{a}</p>\n  }\n"
    "  if (wide) { const [b, setB] = useState(2); return <b onClick={() => setB(b + 1)}>{b}</b> } // two\n  return <i />\n}\n",
    "import { useState } from 'react'\n\nexport function Choice7g({ open, wide }: { open: boolean; wide: boolean }) {\n"
    "  const [a] = useState(1) /* one */\n  const [b, setB] = useState(2);\n"
    "  // if it is open\n  if (open) {\n\n    // with what it counts\n    return <p>{a}</p>\n  }\n"
    "  if (wide) { return <b onClick={() => setB(b + 1)}>{b}</b> } // two\n  return <i />\n}\n",
)
mended(
    "an effect under a condition",
    "g8/Effect8g.tsx",
    "import { useEffect } from 'react'\n\nexport function Effect8g({ left }: { left?: { seconds: number } }) {\n"
    "  // while it runs\n  if (left !== undefined) { // there is some\n    // in the tab\n    useEffect(() => { // each second\n"
    "      document.title = `${left.seconds} s left`\n\n      return () => {\n        document.title = ''\n      }\n"
    "    }, [left]); // of the tab\n  } // no time\n\n  return <p>a</p>\n}\n",
    "import { useEffect } from 'react'\n\nexport function Effect8g({ left }: { left?: { seconds: number } }) {\n"
    "  // while it runs\n  useEffect(() => { // there is some\n    // in the tab\n    if (left !== undefined) { // each second\n"
    "      document.title = `${left.seconds} s left`\n\n      return () => {\n        document.title = ''\n      }\n"
    "    } // of the tab\n  }, [left]); // no time\n\n  return <p>a</p>\n}\n",
)
# -- syntax -----------------------------------------------------------------------------------------------------
mended(
    "the last bracket",
    "h1/end1h.ts",
    "export function end1h(a: number) {\n  if (a > 1) {\n    return a\n  }\n  return 0 // none\n",
    "export function end1h(a: number) {\n  if (a > 1) {\n    return a\n  }\n  return 0 // none\n}\n",
)
mended(
    "a comma",
    "h2/comma2h.ts",
    "export const comma2h = {\n  a: 1 // one\n  b: 2,\n}\n",
    "export const comma2h = {\n  a: 1, // one\n  b: 2,\n}\n",
)
mended(
    "a bracket too many",
    "h3/more3h.ts",
    "export function more3h() {\n  return 1\n}\n}\n// end\n",
    "export function more3h() {\n  return 1\n}\n// end\n",
)
# -- nearly right, and types that use tells ------------------------------------------------------------------
mended(
    "swapped letters",
    "i1/near1i.ts",
    "interface Task1i { name: string; status: 'open' | 'done' }\n\nexport const t1i: Task1i = { nmae: 'a', status: 'open' } // first\n"
    "export const u1i: Task1i = { name: 'b', status: 'opne' }\n",
    "interface Task1i { name: string; status: 'open' | 'done' }\n\nexport const t1i: Task1i = { name: 'a', status: 'open' } // first\n"
    "export const u1i: Task1i = { name: 'b', status: 'open' }\n",
)
mended(
    "dates and numbers as text",
    "i2/near2i.ts",
    "export const days2i = (a: Date, b: Date) => (b - a) / 86_400_000\nconst double2i = (n: number) => n * 2\nexport const four2i = double2i('2')\n",
    "export const days2i = (a: Date, b: Date) => (b.getTime() - a.getTime()) / 86_400_000\nconst double2i = (n: number) => n * 2\nexport const four2i = double2i(2)\n",
)
mended(
    "the same twice",
    "i3/Twice3i.tsx",
    'const one3i = { a: 1, b: 2, a: 1 }\n\nexport const Twice3i = () => <p title="a" title="a">{one3i.b}</p>\n',
    'const one3i = { a: 1, b: 2 }\n\nexport const Twice3i = () => <p title="a">{one3i.b}</p>\n',
)
CASES.append(
    Case(
        "a member that is given and not declared",
        {
            "src/i4/types4i.ts": "export interface Task4i {\n  id: string // the key\n  done: boolean; // or not\n}\n",
            "src/i4/use4i.ts": "import type { Task4i } from './types4i'\n\nexport const a4i: Task4i = { id: 'a', done: false, weight: 3 }\n",
        },
        {
            "src/i4/types4i.ts": "export interface Task4i {\n  id: string // the key\n  done: boolean; // or not\n  weight?: number;\n}\n"
        },
    )
)
mended(
    "literals that grew too wide",
    "i5/Wide5i.tsx",
    "import { useState } from 'react'\n\ntype Filter5i = 'all' | 'open'\ninterface Size5i { unit: 'px' | 'em' }\nconst size5i = { unit: 'px' }\n"
    "const Show5i = ({ filter, size }: { filter: Filter5i; size: Size5i }) => <p>{filter}{size.unit}</p>\n\n"
    "export function Wide5i() {\n  const [filter] = useState('all')\n  return <Show5i filter={filter} size={size5i} />\n}\n",
    "import { useState } from 'react'\n\ntype Filter5i = 'all' | 'open'\ninterface Size5i { unit: 'px' | 'em' }\nconst size5i: Size5i = { unit: 'px' }\n"
    "const Show5i = ({ filter, size }: { filter: Filter5i; size: Size5i }) => <p>{filter}{size.unit}</p>\n\n"
    "export function Wide5i() {\n  const [filter] = useState<Filter5i>('all')\n  return <Show5i filter={filter} size={size5i} />\n}\n",
)
mended(
    "references whose type use tells",
    "i6/Ref6i.tsx",
    "import { useRef } from 'react'\n\nexport function Ref6i() {\n  const box = useRef(null)\n  const timer = useRef(null)\n  const start = () => {\n"
    "    box.current.focus()\n    timer.current = setTimeout(() => undefined, 1) // soon\n  }\n  return <input ref={box} onClick={start} />\n}\n",
    "import { useRef } from 'react'\n\nexport function Ref6i() {\n  const box = useRef<HTMLInputElement>(null)\n  const timer = useRef<ReturnType<typeof setTimeout> | null>(null)\n  const start = () => {\n"
    "    box.current?.focus()\n    timer.current = setTimeout(() => undefined, 1) // soon\n  }\n  return <input ref={box} onClick={start} />\n}\n",
)
mended(
    "what a component takes",
    "i7/Props7i.tsx",
    "const Row7i = ({ title, onPick, wide }) => <p onClick={onPick}>{title}{wide ? '!' : ''}</p>\n\n"
    'export const Props7i = () => <><Row7i title="a" onPick={() => undefined} wide /><Row7i title="b" onPick={() => undefined} /></>\n',
    "const Row7i = ({ title, onPick, wide }: { title: string; onPick: () => void; wide?: boolean }) => <p onClick={onPick}>{title}{wide ? '!' : ''}</p>\n\n"
    'export const Props7i = () => <><Row7i title="a" onPick={() => undefined} wide /><Row7i title="b" onPick={() => undefined} /></>\n',
)
mended(
    "an async effect, a forgotten return, an event of the wrong type",
    "i8/Three8i.tsx",
    "import { useEffect, useState } from 'react'\n\nconst Inner8i = () => {\n  // nothing else\n  <b>a</b>\n}\n\nexport function Three8i() {\n  const [text, setText] = useState('')\n"
    "  useEffect(async () => {\n    await fetch('/a') // first\n  }, [])\n  return <p><Inner8i /><input value={text} onChange={(e: React.FormEvent) => setText(e.target.value)} /></p>\n}\n",
    "import { useEffect, useState } from 'react'\n\nconst Inner8i = () => {\n  // nothing else\n  return <b>a</b>\n}\n\nexport function Three8i() {\n  const [text, setText] = useState('')\n"
    "  useEffect(() => { void (async () => {\n    await fetch('/a') // first\n  })() }, [])\n  return <p><Inner8i /><input value={text} onChange={(e: React.ChangeEvent<HTMLInputElement>) => setText(e.target.value)} /></p>\n}\n",
)
mended(
    "an async effect that leaves early, and whose own functions return values",
    "i10/Early10i.tsx",
    "import { useEffect } from 'react'\n\nexport function Early10i({ load }: { load: () => Promise<number[]> }) {\n  useEffect(async () => {\n"
    "    const all = await load()\n    if (!all.length) return\n    all.sort((a, b) => { return a - b })\n  }, [load])\n  return <p>a</p>\n}\n",
    "import { useEffect } from 'react'\n\nexport function Early10i({ load }: { load: () => Promise<number[]> }) {\n  useEffect(() => { void (async () => {\n"
    "    const all = await load()\n    if (!all.length) return\n    all.sort((a, b) => { return a - b })\n  })() }, [load])\n  return <p>a</p>\n}\n",
)
mended(
    "a default import of what has only names",
    "i9/use9i.ts",
    "import api9i from './api9i'\n\nexport const use9i = api9i.get9i() + api9i.put9i()\n",
    "import * as api9i from './api9i'\n\nexport const use9i = api9i.get9i() + api9i.put9i()\n",
    i9__api9i_DOT_ts="export const get9i = () => 1\nexport const put9i = () => 2\n",
)
mended(
    "a block that is not closed",
    "j1/block1j.ts",
    "export function block1j(a: number) {\n  if (a > 1) {\n    return a\n  return 0 // none\n}\n\nexport const after1j = 1\n",
    "export function block1j(a: number) {\n  if (a > 1) {\n    return a\n  }\n  return 0 // none\n}\n\nexport const after1j = 1\n",
)
mended(
    "an apostrophe in a text",
    "j2/said2j.ts",
    "export const said2j = 'it's fine'\nexport const b2j = 2\n",
    'export const said2j = "it\'s fine"\nexport const b2j = 2\n',
)
mended(
    "a call that is not closed",
    "j5/most5j.ts",
    "export const most5j = Math.max(1, 2\nexport const b5j = 2\n",
    "export const most5j = Math.max(1, 2)\nexport const b5j = 2\n",
)
mended(
    "a template that is not closed",
    "j6/shown6j.ts",
    "export const shown6j = `most: ${1\nexport const b6j = 2\n",
    "export const shown6j = `most: ${1}`\nexport const b6j = 2\n",
)
mended(
    "elements that are not closed",
    "j3/Tags3j.tsx",
    "export const Tags3j = () => (\n  <div>\n    <section>\n      <p>one</p>\n  </div>\n)\n",
    "export const Tags3j = () => (\n  <div>\n    <section>\n      <p>one</p>\n    </section>\n  </div>\n)\n",
)
mended(
    "a directive that expects an error where none is",
    "j4/expect4j.ts",
    "// kept\n// @ts-expect-error not yet\nexport const expect4j = 1\n",
    "// kept\nexport const expect4j = 1\n",
)
mended(
    "values as types, and a text that can never be",
    "k1/types1k.ts",
    "const kinds1k = ['a', 'bold'] as const\n\nexport function kind1k(kind: kinds1k): boolean {\n  return kind === 'blod' // or so\n}\n",
    "const kinds1k = ['a', 'bold'] as const\n\nexport function kind1k(kind: (typeof kinds1k)[number]): boolean {\n  return kind === 'bold' // or so\n}\n",
)
mended(
    "promises and what is caught",
    "k2/load2k.ts",
    "export async function load2k(get: () => Promise<string[]>): Promise<string> {\n  try {\n    const all: string[] = get()\n    return all.join()\n  } catch (error) {\n    return error.message // said\n  }\n}\n",
    "export async function load2k(get: () => Promise<string[]>): Promise<string> {\n  try {\n    const all: string[] = await get()\n    return all.join()\n  } catch (error) {\n    return error instanceof Error ? error.message : String(error) // said\n  }\n}\n",
)
mended(
    "a property that is declared and not taken, a handler that may be missing",
    "k3/Taken3k.tsx",
    "interface Props3k { title: string; count: number; onPick?: () => void }\n\nexport function Taken3k({ title, onPick }: Props3k) {\n  const pick = () => {\n    onPick()\n  }\n  return <p onClick={pick}>{title} {count}</p>\n}\n",
    "interface Props3k { title: string; count: number; onPick?: () => void }\n\nexport function Taken3k({ title, onPick, count }: Props3k) {\n  const pick = () => {\n    onPick?.()\n  }\n  return <p onClick={pick}>{title} {count}</p>\n}\n",
)
mended(
    "declared twice in the same words",
    "k4/same4k.ts",
    "const same4k = 1\n// again\nconst same4k = 1\n\nexport const use4k = same4k\n",
    "const same4k = 1\n// again\n\nexport const use4k = same4k\n",
)
mended(
    "a fence round the file",
    "k5/Fence5k.tsx",
    "```tsx\n// kept\nexport const Fence5k = () => <p>a</p>\n```\n",
    "// kept\nexport const Fence5k = () => <p>a</p>\n",
)
# -- left to the model -----------------------------------------------------------------------------------------
left("a value of the wrong type", "x1/a.ts", "export const n1x: number = 'a'\n")
left(
    "a property that nobody declares",
    "x2/a.ts",
    "export const t2x = (p: { a: string }) => p.title2x\n",
)
left(
    "missing properties",
    "x3/A.tsx",
    'const Box3x = ({ a, b }: { a: string; b: () => void }) => <p onClick={b}>{a}</p>\nexport const U3x = () => <Box3x a="a" />\n',
)
left("a name that nothing has", "x4/a.ts", "export const u4x = computeEverything4x(1)\n")
left("an implicit any", "x5/a.ts", "export const f5x = (whatever5x) => whatever5x\n")
left(
    "an interface that is not implemented",
    "x6/a.ts",
    "interface Shape6x { area(): number }\nexport class Square6x implements Shape6x {}\n",
)
left(
    "a hook in a loop",
    "x7/A.tsx",
    "import { useState } from 'react'\nexport function List7x({ ids }: { ids: number[] }) {\n  const all: number[] = []\n"
    "  for (const id of ids) {\n    const [n] = useState(id)\n    all.push(n)\n  }\n  return <p>{all.join()}</p>\n}\n",
)
_LOOP_OF_HOOKS = (
    "import {{ useCallback, useDeferredValue, useMemo, useState, useTransition }} from 'react'\n\n"
    "const later11x = () => {{\n  let count = 0\n  return () => ++count\n}}\nexport function {name}({{ ids }}: {{ ids: number[] }}) {{\n"
    "  const all: string[] = []\n  let sum = 0\n  for (const id of ids) {{\n    sum += id\n    {hook}\n"
    "    all.push(`${{id}} ${{a}}`)\n  }}\n  return <p>{{all.join()}}{{sum}}</p>\n}}\n"
)
"""A component whose loop has a hook, whose value is `a`."""
for _number, (_why, _hook) in enumerate(
    (
        (
            "every round has a state of its own",
            "const [a, setA] = useState(0)\n    if (id > 9) setA(1)",
        ),
        ("it is a transition of its own", "const [a] = useTransition()"),
        ("what it begins with is made anew", "const [a] = useState(Math.random())"),
        ("what it reads changes in the loop", "const a = useMemo(() => sum, [])"),
        ("what it reads is filled in the loop", "const a = useMemo(() => all.length, [])"),
        ("what it takes may not be there", "const a = useMemo(() => ids[0].toFixed(), [ids])"),
        ("its name changes in the loop", "let a = useMemo(() => 1, [])\n    a++"),
        (
            "every round fills its own",
            "const a = useMemo(() => new Set<number>(), [])\n    a.add(id)",
        ),
        ("every round has an object", "const [a] = useState({ id: 0 })\n    a.id = id"),
        ("every round has a list", "const [a] = useState<number[]>([])\n    a.push(id)"),
        ("it keeps an object of its own", "const a = useDeferredValue({ id: 0 })\n    a.id = id"),
        (
            "one of two is an object",
            "const { a, ...b } = useMemo(() => ({ a: 1 }), [])\n    Object.assign(b, { id })",
        ),
        ("its number is new each time", "const a = useMemo(() => Math.random(), [])"),
        ("a function makes it anew", "const a = useMemo(Math.random, [])"),
        ("what it takes it takes away", "const a = useMemo(() => ids.pop() ?? 0, [])"),
        ("its function counts", "const a = useCallback(later11x(), [])\n    a()"),
    ),
    start=1,
):
    _name = f"Round{_number}11x"
    left(
        f"a hook in a loop: {_why}",
        f"x11/{_name}.tsx",
        _LOOP_OF_HOOKS.format(name=_name, hook=_hook),
    )
left(
    "a hook in a loop of a name that means something else outside",
    "x12/A.tsx",
    "import { useMemo } from 'react'\n\nconst size12x = 1\nexport function Names12x({ ids }: { ids: number[] }) {\n  const all: number[] = []\n"
    "  for (const id of ids) {\n    const size12x = useMemo(() => 2, [])\n    all.push(id * size12x)\n  }\n  return <p>{all.join()}{size12x}</p>\n}\n",
)
left(
    "an effect under a condition that it does not watch",
    "x13/A.tsx",
    "import { useEffect } from 'react'\n\nexport function Watch13x({ on, title }: { on: boolean; title: string }) {\n  if (on) {\n    useEffect(() => {\n"
    "      document.title = title\n    }, [title])\n  }\n  return <p>a</p>\n}\n",
)
left(
    "possibly missing where a value is needed",
    "x8/a.ts",
    "export const len8x = (s: string | null): number => s.length\n",
)
left(
    "an async effect that returns what cleans up",
    "x10/A.tsx",
    "import { useEffect } from 'react'\n\nexport function Tick10x({ load }: { load: () => Promise<number> }) {\n  useEffect(async () => {\n"
    "    const every = await load()\n    const id = setInterval(() => undefined, every)\n    return () => clearInterval(id)\n  }, [load])\n  return <p>a</p>\n}\n",
)
left("a comment is worth more than a fix", "x9/a.ts", "import { fn9x /* gone */ } from './s9x'\nexport const fn9x = 1\n")  # fmt: skip
mended(
    "the type parameter of an arrow function that looks like a tag",
    "z1/First.tsx",
    "// The first, whatever it is.\nconst firstOf21 = <T>(items: T[]): T | undefined => items[0]\n\n"
    'export function First21({ names }: { names: string[] }) {\n  return <p title="a">{firstOf21(names)}</p>\n}\n',
    "// The first, whatever it is.\nconst firstOf21 = <T,>(items: T[]): T | undefined => items[0]\n\n"
    'export function First21({ names }: { names: string[] }) {\n  return <p title="a">{firstOf21(names)}</p>\n}\n',
)

# -- what is taken for something that it nearly is -------------------------------------------------------------
mended(
    "an object taken apart as a list, by the names of its members",
    "y1/Use.tsx",
    "function useItems31() {\n  return { items: ['a'], count: 1 }\n}\n\n"
    "export function List31() {\n  const [items, count] = useItems31() // both\n  return <p>{items.join()}{count}</p>\n}\n",
    "function useItems31() {\n  return { items: ['a'], count: 1 }\n}\n\n"
    "export function List31() {\n  const { items, count } = useItems31() // both\n  return <p>{items.join()}{count}</p>\n}\n",
)
left(
    "an object taken apart as a list, by names of its own",
    "y2/use.ts",
    "function pair32() {\n  return { items: ['a'], count: 1 }\n}\n\nexport const [first32, second32] = pair32()\n",
)
mended(
    "pairs of a record, and lists that may be missing",
    "y3/pairs.ts",
    "export function shown33(sums: Record<string, number>, more?: string[]): string[] {\n  const all = [...more]\n"
    "  for (const each of more) all.push(each)\n  for (const [name, sum] of sums) all.push(`${name} ${sum}`)\n  return all\n}\n",
    "export function shown33(sums: Record<string, number>, more?: string[]): string[] {\n  const all = [...(more ?? [])]\n"
    "  for (const each of more ?? []) all.push(each)\n  for (const [name, sum] of Object.entries(sums)) all.push(`${name} ${sum}`)\n  return all\n}\n",
)
mended(
    "a fixed list spread into a call",
    "y4/spread.ts",
    "const SPAN34 = [1, 2] // a pair\nexport const width34 = (from: number, to: number) => to - from\nexport const all34 = width34(...SPAN34)\n",
    "const SPAN34 = [1, 2] as const // a pair\nexport const width34 = (from: number, to: number) => to - from\nexport const all34 = width34(...SPAN34)\n",
)
left(
    "a list that grows, spread into a call",
    "y5/spread.ts",
    "const SPAN35 = [1]\nSPAN35.push(2)\nexport const width35 = (from: number, to: number) => to - from\nexport const all35 = width35(...SPAN35)\n",
)
mended(
    "type arguments, too many and too few",
    "y6/generic.ts",
    "const one36 = <T,>(value: T): T => value\nconst two36 = <T, K>(value: T, key: K): [T, K] => [value, key]\nconst none36 = () => 1\n"
    "export const all36 = [one36<string, number>('a'), two36<string>('a', 1), none36<string>()]\n",
    "const one36 = <T,>(value: T): T => value\nconst two36 = <T, K>(value: T, key: K): [T, K] => [value, key]\nconst none36 = () => 1\n"
    "export const all36 = [one36<string>('a'), two36('a', 1), none36()]\n",
)
mended(
    "a picked member by a letter",
    "y7/pick.ts",
    "interface Recipe37 { id: string; title: string }\nexport type Card37 = Pick<Recipe37, 'id' | 'titel'>\n",
    "interface Recipe37 { id: string; title: string }\nexport type Card37 = Pick<Recipe37, 'id' | 'title'>\n",
)
mended(
    "a member of an interface by a letter: its users are right",
    "y8/keys.ts",
    "interface Keys38 { handleKey(key: string): void }\nexport class Game38 implements Keys38 {\n  handelKey(key: string): void {\n    console.info(key)\n  }\n}\n"
    "export const press38 = (game: Game38) => game.handleKey('a')\n",
    "interface Keys38 { handleKey(key: string): void }\nexport class Game38 implements Keys38 {\n  handleKey(key: string): void {\n    console.info(key)\n  }\n}\n"
    "export const press38 = (game: Game38) => game.handleKey('a')\n",
)
mended(
    "an element and a module that are used as components",
    "y9/Use.tsx",
    "import * as Bar39 from './Bar39'\n\nconst Cross39 = <b>x</b>\nexport const Row39 = () => <p><Cross39 /> <Bar39 /></p>\n",
    "import Bar39 from './Bar39'\n\nconst Cross39 = <b>x</b>\nexport const Row39 = () => <p>{Cross39} <Bar39 /></p>\n",
    y9__Bar39_DOT_tsx="export default function Bar39() {\n  return <i>1</i>\n}\n",
)
mended(
    "classes in two attributes",
    "y10/Use.tsx",
    'export const Title40 = () => <h1 className="text-2xl" id="a" className="font-bold">a</h1>\n',
    'export const Title40 = () => <h1 className="text-2xl font-bold" id="a">a</h1>\n',
)
mended(
    "pairs that were not waited for, and those of an object",
    "y11/pairs.ts",
    "const SIZES41 = { small: 1, large: 2 }\nasync function load41(): Promise<[string, number][]> {\n  return []\n}\n"
    "export async function shown41(): Promise<string[]> {\n  const all: string[] = []\n"
    "  for (const [name, sum] of load41()) all.push(`${name} ${sum}`)\n  for (const [name, size] of SIZES41) all.push(`${name} ${size}`)\n  return all\n}\n",
    "const SIZES41 = { small: 1, large: 2 }\nasync function load41(): Promise<[string, number][]> {\n  return []\n}\n"
    "export async function shown41(): Promise<string[]> {\n  const all: string[] = []\n"
    "  for (const [name, sum] of await load41()) all.push(`${name} ${sum}`)\n  for (const [name, size] of Object.entries(SIZES41)) all.push(`${name} ${size}`)\n  return all\n}\n",
)
mended(
    "pairs of a promise in a function that does not wait yet",
    "y13/pairs.ts",
    "export function shown43(sums: Promise<[string, number][]>): string[] {\n  const all: string[] = []\n"
    "  for (const [name, sum] of sums) all.push(`${name} ${sum}`)\n  return all\n}\n",
    "export async function shown43(sums: Promise<[string, number][]>): Promise<string[]> {\n  const all: string[] = []\n"
    "  for (const [name, sum] of await sums) all.push(`${name} ${sum}`)\n  return all\n}\n",
)
for _number, (_why, _of) in enumerate(
    (
        ("a map that something refers to", "import('react').RefObject<Map<string, number>>"),
        ("a map or a record", "Map<string, number> | Record<string, number>"),
        ("a function", "() => [string, number][]"),
    ),
    start=1,
):
    left(
        f"pairs of {_why}",
        f"y12/pairs{_number}.ts",
        f"export function shown42(sums: {_of}): string[] {{\n  const all: string[] = []\n"
        "  for (const [name, sum] of sums) all.push(`${name} ${sum}`)\n  return all\n}\n",
    )
