// Edits as replaced ranges, and what no edit may do: lose a comment or silence an error.

import { componentOf } from './components.mjs'

/** Apply `{start, end, text}` edits; undefined where two overlap. Insertions at one place keep their order. */
export function applied(text, edits) {
  const sorted = edits.map((edit, order) => ({ ...edit, order })).sort((a, b) => a.start - b.start || a.end - b.end || a.order - b.order)
  let result = ''
  let position = 0
  for (const { start, end, text: inserted } of sorted) {
    if (start < position) return undefined
    result += text.slice(position, start) + inserted
    position = end
  }
  return result + text.slice(position)
}

/** Return why an edit must not be made, or nothing. */
export function objection(ts, file, before, after) {
  const kind = file.endsWith('x') ? ts.LanguageVariant.JSX : ts.LanguageVariant.Standard
  const lost = counts(comments(ts, before, file))
  for (const comment of lost.keys()) if (/^\/\/\s*@ts-expect-error/.test(comment)) lost.delete(comment) // an order, no remark
  for (const comment of comments(ts, after, file)) lost.set(comment, (lost.get(comment) ?? 0) - 1)
  if ([...lost.values()].some((count) => count > 0)) return 'it would lose a comment'
  const had = silencers(ts, before, kind)
  for (const [name, count] of silencers(ts, after, kind)) {
    if (count > (had.get(name) ?? 0)) return `it would add ${name}`
  }
  return undefined
}

/** Every comment, as a parser finds it: text in strings and in markup is none. */
function comments(ts, text, file) {
  const sf = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, false)
  const found = new Map()
  const look = (from, markup) => {
    if (markup) return
    for (const range of [...(ts.getLeadingCommentRanges(text, from) ?? []), ...(ts.getTrailingCommentRanges(text, from) ?? [])]) {
      found.set(range.pos, text.slice(range.pos, range.end).trim())
    }
  }
  const visit = (node, parent) => {
    const inMarkup = parent && (ts.isJsxElement(parent) || ts.isJsxFragment(parent))
    look(node.pos, node.kind === ts.SyntaxKind.JsxText || (inMarkup && node !== parent.openingElement && node !== parent.openingFragment))
    if (!inMarkup && !ts.isJsxOpeningElement(node) && !ts.isJsxOpeningFragment(node)) look(node.end, node.kind === ts.SyntaxKind.JsxText)
    if (ts.isJsxExpression(node)) look(node.getStart(sf) + 1, false)
    ts.forEachChild(node, (child) => visit(child, node))
    if (ts.isBlock(node) || ts.isObjectLiteralExpression(node) || ts.isArrayLiteralExpression(node)) look(node.getStart(sf) + 1, false)
  }
  visit(sf)
  look(sf.endOfFileToken.pos, false)
  return [...found.values()]
}

const SILENCERS = [
  ['a suppression comment', /@ts-(?:ignore|expect-error|nocheck)|eslint-disable/g],
  ['any', /\bany\b/g],
  ['a cast through unknown', /\bas\s+unknown\b/g],
  ['a cast to never', /\bas\s+never\b/g],
  ['a stub', /not implemented/gi],
  ['unknown', /:\s*unknown\b/g],
]

function silencers(ts, text, variant) {
  const found = new Map(SILENCERS.map(([name, pattern]) => [name, (text.match(pattern) ?? []).length]))
  found.set('a non-null assertion', (text.match(/[\w)\]]!(?=[.;,)\]\[\s]|$)(?!\s*=)/gm) ?? []).length)
  return found
}

function counts(values) {
  const found = new Map()
  for (const value of values) found.set(value, (found.get(value) ?? 0) + 1)
  return found
}

/** How a file is written: its quotes, its semicolons, its line ends. */
export function styleOf(sf) {
  const text = sf.text
  const specifiers = [...text.matchAll(/(?:from|import)\s*(['"])/g)]
  const single = specifiers.length ? specifiers.filter((m) => m[1] === "'").length * 2 >= specifiers.length : !text.includes('"') || text.includes("'")
  const lines = text.split('\n')
  const statements = lines.filter((line) => /^\s*(?:import|export|const|let|return)\b.*[\w'")\]};]\s*$/.test(line))
  const ended = statements.filter((line) => line.trimEnd().endsWith(';'))
  return {
    quote: single ? "'" : '"',
    semicolon: ended.length * 2 > statements.length ? ';' : '',
    newLine: text.includes('\r\n') ? '\r\n' : '\n',
  }
}

/**
 * Edits that bring `wanted` ({module, name, kind: named|default|namespace, as?, type}) into a file, beside the imports it
 * has: into the list of an import from the same module, else as a new line after the last import.
 */
export function importEdits(ts, sf, wanted) {
  const edits = []
  const style = styleOf(sf)
  const declarations = sf.statements.filter(ts.isImportDeclaration)
  const lines = new Map()
  for (const { module, name, kind, as, type } of wanted) {
    const text = as && as !== name ? `${name} as ${as}` : name
    const same = declarations.filter((d) => d.moduleSpecifier.text === module && d.importClause)
    const list = same.find((d) => kind === 'named' && d.importClause.namedBindings && ts.isNamedImports(d.importClause.namedBindings) &&
      (type || !isTypeOnly(ts, d.importClause)))
    if (list) {
      const inline = type && !isTypeOnly(ts, list.importClause) ? 'type ' : ''
      edits.push(intoList(sf, list.importClause.namedBindings, inline + text))
      continue
    }
    const bare = same.find((d) => !isTypeOnly(ts, d.importClause) && !type &&
      (kind === 'named' ? !d.importClause.namedBindings : kind === 'default' && !d.importClause.name && d.importClause.namedBindings &&
        ts.isNamedImports(d.importClause.namedBindings)))
    if (bare && kind === 'named') {
      const entry = lines.get(bare) ?? { at: bare.importClause.end, names: [] }
      entry.names.push(text)
      lines.set(bare, entry)
      continue
    }
    if (bare) {
      edits.push({ start: bare.importClause.getStart(sf), end: bare.importClause.getStart(sf), text: `${text}, ` })
      continue
    }
    const key = `${module}|${kind === 'named' ? 'list' : kind}|${type}`
    const line = lines.get(key) ?? { module, kind, type, names: [] }
    if (!line.names.includes(text)) line.names.push(text)
    lines.set(key, line)
  }
  for (const [, entry] of lines) {
    if (entry.at !== undefined) edits.push({ start: entry.at, end: entry.at, text: `, { ${entry.names.join(', ')} }` })
    else edits.push(newLine(ts, sf, declarations, importLine(entry, style), style))
  }
  return edits
}

function importLine({ module, kind, names, type }, { quote, semicolon }) {
  const list = kind === 'named' ? `{ ${names.join(', ')} }` : kind === 'namespace' ? `* as ${names[0]}` : names[0]
  return `import ${type ? 'type ' : ''}${list} from ${quote}${module}${quote}${semicolon}`
}

/**
 * Other imports in place of a whole statement, or of one of its bindings: where nothing of it stays the new ones stand
 * where it stood.
 */
export function replacedImport(ts, sf, statement, binding, wanted) {
  const taken = binding ? removeBinding(ts, sf, binding) : wholeLine(sf, statement)
  const beside = sf.statements.some((s) => s !== statement && ts.isImportDeclaration(s) && wanted.some((w) => w.module === s.moduleSpecifier.text))
  const whole = taken.start <= statement.getStart(sf) && taken.end >= statement.end
  if (!whole || beside) return { edits: [{ file: sf.fileName, ...taken }], imports: wanted }
  const style = styleOf(sf)
  const lines = new Map()
  for (const { module, name, kind, as, type } of wanted) {
    const key = `${module}|${kind}|${type}`
    const line = lines.get(key) ?? { module, kind, type, names: [] }
    line.names.push(as && as !== name ? `${name} as ${as}` : name)
    lines.set(key, line)
  }
  const text = [...lines.values()].map((line) => importLine(line, style)).join(style.newLine)
  return { edits: [{ file: sf.fileName, start: statement.getStart(sf), end: statement.end, text }], imports: [] }
}

function newLine(ts, sf, declarations, line, { newLine }) {
  const last = declarations.at(-1)
  if (last) {
    // After what else stands on its line: a comment at its end belongs to it.
    const end = sf.text.indexOf('\n', last.end)
    const at = end < 0 ? sf.text.length : sf.text[end - 1] === '\r' ? end - 1 : end
    const indent = /(?<=^|\n)[ \t]*$/.exec(sf.text.slice(0, last.getStart(sf)))?.[0] ?? ''
    return { start: at, end: at, text: newLine + indent + line }
  }
  const first = componentOf(sf.fileName) && sf.statements[0]
  if (first) {
    const start = sf.text.lastIndexOf('\n', first.getStart(sf)) + 1
    const indent = /^[ \t]*/.exec(sf.text.slice(start))[0]
    return { start, end: start, text: indent + line + newLine }
  }
  let at = 0
  const shebang = /^#!.*\r?\n/.exec(sf.text)
  if (shebang) at = shebang[0].length
  for (const statement of sf.statements) {
    if (!ts.isExpressionStatement(statement) || !ts.isStringLiteral(statement.expression)) break
    const end = sf.text.indexOf('\n', statement.end)
    at = end < 0 ? sf.text.length : end + 1
  }
  return { start: at, end: at, text: line + newLine + (at === 0 ? newLine : '') }
}

function intoList(sf, list, text) {
  const last = list.elements.at(-1)
  if (!last) return { start: list.getStart(sf) + 1, end: list.getEnd() - 1, text: ` ${text} ` }
  const before = sf.text.slice(list.getStart(sf), last.getStart(sf))
  const indent = /\r?\n[ \t]*$/.exec(before)
  return { start: last.end, end: last.end, text: `,${indent ? indent[0] : ' '}${text}` }
}

export function isTypeOnly(ts, clause) {
  return clause.isTypeOnly || clause.phaseModifier === ts.SyntaxKind.TypeKeyword
}

/** The edit that takes one binding out of its import, or the whole import with its line where nothing stays. */
export function removeBinding(ts, sf, node) {
  const declaration = ts.findAncestor(node, ts.isImportDeclaration) ?? ts.findAncestor(node, ts.isExportDeclaration)
  const list = ts.findAncestor(node, (n) => ts.isNamedImports(n) || ts.isNamedExports(n))
  if (!list) {
    const clause = declaration.importClause
    if (!clause?.namedBindings || node === clause.namedBindings) {
      if (clause?.name && node === clause.namedBindings) return { start: clause.name.end, end: clause.namedBindings.end, text: '' }
      return wholeLine(sf, declaration)
    }
    return { start: clause.name.getStart(sf), end: clause.namedBindings.getStart(sf), text: '' }
  }
  const elements = list.elements
  const element = ts.findAncestor(node, (n) => n.parent === list)
  if (elements.length === 1) {
    if (declaration.importClause?.name) return { start: declaration.importClause.name.end, end: list.end, text: '' }
    return wholeLine(sf, declaration)
  }
  const index = elements.indexOf(element)
  return index === 0
    ? { start: element.getStart(sf), end: elements[1].getStart(sf), text: '' }
    : { start: elements[index - 1].end, end: element.end, text: '' }
}

export function wholeLine(sf, node) {
  const text = sf.text
  let start = node.getStart(sf)
  let end = node.end
  while (start > 0 && (text[start - 1] === ' ' || text[start - 1] === '\t')) start--
  const rest = /^[ \t]*(?:\r?\n|$)/.exec(text.slice(end))
  if ((start === 0 || text[start - 1] === '\n') && rest) end += rest[0].length
  return { start, end, text: '' }
}
