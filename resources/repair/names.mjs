// Names and values that are nearly right: letters swapped, text for a number, a date in a subtraction, twice the same.

import { wholeLine } from './edits.mjs'
import { differsByOne } from './modules.mjs'

/** 2339, 2353, 2561, 2304, 2322, 2345, 2724: what is there differs by one letter, or by two that are swapped. */
export function nearRule(problem, { ts, sf, checker, nodeAt }) {
  const node = nodeAt(sf, problem.start)
  const found = []
  const rename = (target, name) => found.push(replace(sf, target, name))
  const suggested = /Did you mean '([\w$]+)'\?/.exec(problem.message)?.[1]
  if (problem.number === 2724) {
    if (suggested && ts.isIdentifier(node) && !ts.findAncestor(node, ts.isImportDeclaration)) rename(node, suggested)
  } else if (problem.number === 2339 && ts.isIdentifier(node) && ts.isPropertyAccessExpression(node.parent) && node.parent.name === node) {
    const type = checker.getApparentType(checker.getNonNullableType(checker.getTypeAtLocation(node.parent.expression)))
    const near = only(checker.getPropertiesOfType(type).map((p) => p.name), node.text)
    if (near) rename(node, near)
  } else if (problem.number === 2353 || problem.number === 2561) {
    const property = ts.findAncestor(node, ts.isPropertyAssignment) ?? ts.findAncestor(node, ts.isShorthandPropertyAssignment)
    const type = property && ts.isObjectLiteralExpression(property.parent) && checker.getContextualType(property.parent)
    if (type && (ts.isIdentifier(property.name) || ts.isStringLiteral(property.name))) {
      const has = property.parent.properties.map((p) => p.name?.getText(sf))
      const names = (type.isUnion() ? type.types : [type]).flatMap((each) => checker.getPropertiesOfType(each).map((p) => p.name))
      const camel = property.name.text.replace(/-([a-z])/g, (_, letter) => letter.toUpperCase())
      const near = camel !== property.name.text && names.includes(camel) ? camel : only(names, property.name.text)
      if (near && !has.includes(near)) {
        if (ts.isShorthandPropertyAssignment(property)) found.push(insert(sf, property.getStart(sf), `${near}: `))
        else rename(property.name, near)
      }
    }
  } else if (problem.number === 2304 && ts.isIdentifier(node)) {
    const meaning = ts.isTypeReferenceNode(node.parent) ? ts.SymbolFlags.Type : ts.SymbolFlags.Value
    const near = only(checker.getSymbolsInScope(node, meaning).map((s) => s.name), node.text)
    if (near) rename(node, near)
  }
  const literal = literalAt(ts, sf, node)
  if (literal && (problem.number === 2322 || problem.number === 2345 || problem.number === 2820)) {
    const type = checker.getContextualType(literal)
    if (ts.isStringLiteral(literal) && type) {
      const values = (type.isUnion() ? type.types : [type]).filter((each) => each.isStringLiteral()).map((each) => each.value)
      const near = only(values, literal.text) ?? values.find((value) => value.toLowerCase() === literal.text.toLowerCase() && value !== literal.text)
      const quote = literal.getText(sf)[0]
      if (near) rename(literal, quote + near + quote)
      if (/'string' is not assignable to (?:parameter of )?type 'number/.test(problem.message) && /^-?\d+(?:\.\d+)?$/.test(literal.text) && !ts.isJsxAttribute(literal.parent)) {
        rename(literal, literal.text)
      }
    } else if (ts.isNumericLiteral(literal) && /'number' is not assignable to (?:parameter of )?type 'string/.test(problem.message)) {
      rename(literal, `'${literal.text}'`)
    }
  }
  return found
}

function literalAt(ts, sf, node) {
  if (ts.isStringLiteral(node) || ts.isNumericLiteral(node)) return node
  const holder = node.parent
  const value = ts.isPropertyAssignment(holder) || ts.isVariableDeclaration(holder) || ts.isJsxAttribute(holder) ? holder.initializer : undefined
  return value && (ts.isStringLiteral(value) || ts.isNumericLiteral(value)) ? value : undefined
}

function only(names, wanted) {
  const near = [...new Set(names)].filter((name) => name !== wanted && differsByOne(name, wanted))
  return near.length === 1 ? near[0] : undefined
}

/** 2367: compared with a text that the other side can never be, by a letter. */
export function comparedRule(problem, { ts, sf, checker, nodeAt }) {
  const comparison = ts.findAncestor(nodeAt(sf, problem.start), ts.isBinaryExpression)
  const literal = comparison && [comparison.left, comparison.right].find(ts.isStringLiteral)
  if (!literal) return []
  const type = checker.getTypeAtLocation(literal === comparison.left ? comparison.right : comparison.left)
  const near = only((type.isUnion() ? type.types : [type]).filter((each) => each.isStringLiteral()).map((each) => each.value), literal.text)
  const quote = literal.getText(sf)[0]
  return near ? [replace(sf, literal, quote + near + quote)] : []
}

/** 2678: a case that its switch can never meet, by a letter. */
export function caseRule(problem, { ts, sf, checker, nodeAt }) {
  const clause = ts.findAncestor(nodeAt(sf, problem.start), ts.isCaseClause)
  const literal = clause?.expression
  if (!literal || !ts.isStringLiteral(literal)) return []
  const type = checker.getTypeAtLocation(clause.parent.parent.expression)
  const taken = clause.parent.clauses.map((each) => each.expression?.text)
  const values = (type.isUnion() ? type.types : [type]).filter((each) => each.isStringLiteral()).map((each) => each.value)
  const near = only(values.filter((value) => !taken.includes(value)), literal.text)
  const quote = literal.getText(sf)[0]
  return near ? [replace(sf, literal, quote + near + quote)] : []
}

/** 2749: a value where a type is wanted: its type, or that of its members. */
export function valueAsTypeRule(problem, { ts, sf, nodeAt }) {
  const node = nodeAt(sf, problem.start)
  if (!ts.isIdentifier(node) || !ts.isTypeReferenceNode(node.parent)) return []
  return [`(typeof ${node.text})[number]`, `typeof ${node.text}`].map((text) => replace(sf, node, text))
}

/** 5097: an ending that the settings do not allow. */
export function endingRule(problem, { ts, sf, nodeAt }) {
  const node = nodeAt(sf, problem.start)
  return ts.isStringLiteral(node) ? [{ name: 'near', edits: [{ file: sf.fileName, start: node.getStart(sf) + 1, end: node.end - 1, text: node.text.replace(/\.[cm]?tsx?$/, '') }] }] : []
}

/** 2451, 2393, 2300: declared twice in the same words: the second goes. */
export function declaredTwiceRule(problem, { ts, sf, nodeAt }) {
  const statement = ts.findAncestor(nodeAt(sf, problem.start), (n) => ts.isStatement(n) && n.parent && (ts.isSourceFile(n.parent) || ts.isBlock(n.parent)))
  const all = statement?.parent.statements ?? []
  const first = all.find((each) => each.getText(sf) === statement.getText(sf))
  return first && first !== statement ? [{ name: 'duplicate', edits: [{ file: sf.fileName, ...wholeLine(sf, statement) }] }] : []
}

/** 2362, 2363: dates are subtracted by their times. */
export function dateRule(problem, { ts, sf, checker, nodeAt }) {
  let node = nodeAt(sf, problem.start)
  while (node.parent && node.end < problem.start + problem.length) node = node.parent
  if (node.end !== problem.start + problem.length || checker.typeToString(checker.getTypeAtLocation(node)) !== 'Date') return []
  return ts.isIdentifier(node) || ts.isPropertyAccessExpression(node) || ts.isCallExpression(node) || ts.isNewExpression(node)
    ? [insert(sf, node.end, '.getTime()')]
    : []
}

/** 17001, 1117: the same attribute or property twice, word for word; classes in two attributes are all meant. */
export function twiceRule(problem, { ts, sf, nodeAt }) {
  const node = ts.findAncestor(nodeAt(sf, problem.start), (n) => ts.isJsxAttribute(n) || ts.isPropertyAssignment(n))
  if (!node) return []
  const all = node.parent.properties
  const previous = all[all.indexOf(node) - 1]
  const gone = { file: sf.fileName, start: previous?.end, end: node.end, text: '' }
  if (all.some((each) => each !== node && each.getText(sf) === node.getText(sf))) return [{ name: 'duplicate', edits: [gone] }]
  const classes = (each) => ts.isJsxAttribute(each) && each.name.getText(sf) === 'className' && each.initializer && ts.isStringLiteral(each.initializer)
  const other = classes(node) && all.find((each) => each !== node && classes(each))
  if (!other) return []
  const at = other.initializer.end - 1
  return [{ name: 'duplicate', edits: [gone, { file: sf.fileName, start: at, end: at, text: ` ${node.initializer.text}` }] }]
}

/** 2578: a comment that expects an error where there is none any more. */
export function expectationRule(problem, { sf }) {
  const text = sf.text.slice(problem.start, problem.start + problem.length)
  if (!/^\/\/\s*@ts-expect-error[^\n]*$/.test(text)) return []
  const range = { getStart: () => problem.start, end: problem.start + problem.length }
  return [{ name: 'expectation', edits: [{ file: sf.fileName, ...wholeLine(sf, range) }] }]
}

/** 1127: a text in the quotes of a word processor. */
export function curlyRule(problem, { sf }) {
  const start = sf.text.lastIndexOf('\n', problem.start - 1) + 1
  const end = sf.text.indexOf('\n', problem.start)
  const line = sf.text.slice(start, end < 0 ? sf.text.length : end)
  const straight = line.replace(/[“”]([^“”"]*)[“”]/g, '"$1"').replace(/[‘’]([^‘’']*)[‘’]/g, "'$1'")
  return straight === line ? [] : [{ name: 'syntax', edits: [{ file: sf.fileName, start, end: start + line.length, text: straight }] }]
}

/** 1002, 1005: an apostrophe inside a text in single quotes. */
export function apostropheRule(problem, { sf }) {
  const start = sf.text.lastIndexOf('\n', problem.start - 1) + 1
  const end = sf.text.indexOf('\n', problem.start)
  const line = sf.text.slice(start, end < 0 ? sf.text.length : end)
  const match = /'([^'"\n]*[A-Za-z]'[A-Za-z][^'"\n]*)'/.exec(line)
  if (!match) return []
  return [{ name: 'syntax', edits: [{ file: sf.fileName, start: start + match.index, end: start + match.index + match[0].length, text: `"${match[1]}"` }] }]
}

function replace(sf, node, text) {
  return { name: 'near', edits: [{ file: sf.fileName, start: node.getStart(sf), end: node.end, text }] }
}

function insert(sf, at, text) {
  return { name: 'near', edits: [{ file: sf.fileName, start: at, end: at, text }] }
}
