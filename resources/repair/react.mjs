// What React's types ask for and its habits forget: initial values, state types, event types, the JSX namespace.

import { exportsOf, specifierFor } from './modules.mjs'

/** 2554: `useRef<T>()` needs its initial value since React 19. */
export function refRule(problem, { ts, sf, nodeAt }) {
  const call = ts.findAncestor(nodeAt(sf, problem.start), ts.isCallExpression)
  if (!call || call.arguments.length || !/^(?:React\.)?(?:useRef|createContext)$/.test(call.expression.getText(sf))) return []
  const type = call.typeArguments?.[0]
  const at = call.end - 1
  if (/createContext$/.test(call.expression.getText(sf))) {
    const edits = [{ file: sf.fileName, start: at, end: at, text: 'null' }]
    return type ? [{ name: 'react', edits: [{ file: sf.fileName, start: type.end, end: type.end, text: ' | null' }, ...edits] }] : []
  }
  const element = type && /(?:Element|Instance|Handle)(?: \| null)?$/.test(type.getText(sf))
  return [{ name: 'react', edits: [{ file: sf.fileName, start: at, end: at, text: element || !type ? 'null' : 'undefined' }] }]
}

/** 2503: the global JSX namespace is gone in React 19. */
export function jsxNamespaceRule(problem, { ts, sf, nodeAt }) {
  const node = nodeAt(sf, problem.start)
  if (!ts.isIdentifier(node) || node.text !== 'JSX') return []
  return [{ name: 'react', edits: [{ file: sf.fileName, start: node.getStart(sf), end: node.getStart(sf), text: 'React.' }] }]
}

/** 2345, 2322, 2339, 7034 …: `useState([])` and `useState(null)` whose type the setter's calls tell. */
export function stateRule(problem, tools) {
  const { ts, sf, checker } = tools
  const found = []
  const visit = (node) => {
    if (
      ts.isVariableDeclaration(node) && ts.isArrayBindingPattern(node.name) && node.initializer && ts.isCallExpression(node.initializer) &&
      !node.initializer.typeArguments && /^(?:React\.)?useState$/.test(node.initializer.expression.getText(sf))
    ) {
      const type = stateType(node, tools)
      if (type) {
        const at = node.initializer.expression.end
        found.push({ name: 'react', edits: [{ file: sf.fileName, start: at, end: at, text: `<${type.text}>` }], imports: type.imports })
      }
    }
    ts.forEachChild(node, visit)
  }
  if (!/never|null|undefined/.test(problem.message)) return []
  visit(sf)
  return found

  function stateType(declaration) {
    const setter = declaration.name.elements[1]?.name
    const initial = declaration.initializer.arguments[0]
    const empty = initial && ts.isArrayLiteralExpression(initial) && !initial.elements.length
    const nothing = !initial || initial.kind === ts.SyntaxKind.NullKeyword || initial.getText(sf) === 'undefined'
    if (!setter || (!empty && !nothing)) return undefined
    const symbol = checker.getSymbolAtLocation(setter)
    const types = []
    const look = (node) => {
      if (ts.isCallExpression(node) && ts.isIdentifier(node.expression) && checker.getSymbolAtLocation(node.expression) === symbol && node.arguments[0]) {
        const argument = node.arguments[0]
        const own = ts.isArrowFunction(argument) && !ts.isBlock(argument.body) ? argument.body : argument
        types.push(...(empty ? elementsOf(own) : [checker.getTypeAtLocation(own)]))
      }
      ts.forEachChild(node, look)
    }
    look(sf)
    const names = new Map()
    for (const type of types) {
      for (const part of type.isUnion() && !type.aliasSymbol ? type.types : [type]) {
        const base = checker.getBaseTypeOfLiteralType(part)
        if (base.flags & (ts.TypeFlags.Null | ts.TypeFlags.Undefined | ts.TypeFlags.Never)) continue
        const name = nameOf(base, tools)
        if (!name) return undefined
        names.set(name.text, name)
      }
    }
    if (names.size !== 1) return undefined
    const [name] = names.values()
    if (empty) return { ...name, text: /^[^{].*\W/.test(name.text) ? `(${name.text})[]` : `${name.text}[]` }
    return { ...name, text: `${name.text} | ${initial && initial.kind === ts.SyntaxKind.NullKeyword ? 'null' : 'undefined'}` }
  }

  function elementsOf(node) {
    if (ts.isArrayLiteralExpression(node)) {
      return node.elements.filter((e) => !ts.isSpreadElement(e)).map((e) => checker.getTypeAtLocation(e))
    }
    const type = checker.getTypeAtLocation(node)
    return checker.isArrayType(type) ? checker.getTypeArguments(type) : []
  }
}

/** How a type is written in this file: a primitive, or a name that is in scope or can be imported. */
export function nameOf(type, tools) {
  const { ts, checker, sf, workspace } = tools
  if (type.flags & (ts.TypeFlags.String | ts.TypeFlags.Number | ts.TypeFlags.Boolean | ts.TypeFlags.BooleanLiteral)) {
    return { text: checker.typeToString(checker.getBaseTypeOfLiteralType(type)).replace(/^(?:true|false)$/, 'boolean'), imports: [] }
  }
  if (checker.isArrayType(type)) {
    const element = nameOf(checker.getTypeArguments(type)[0], tools)
    return element && { ...element, text: /^[\w.]+$/.test(element.text) ? `${element.text}[]` : `(${element.text})[]` }
  }
  const symbol = type.aliasSymbol ?? type.symbol
  if (symbol?.name === '__object') return plainObject(type, tools)
  if (!symbol || symbol.name.startsWith('__') || type.aliasTypeArguments?.length || checker.getTypeArguments?.(type)?.length) return undefined
  const declared = symbol.declarations?.[0]?.getSourceFile()
  if (!declared) return undefined
  const inScope = checker.resolveName(symbol.name, sf.endOfFileToken, ts.SymbolFlags.Type, false)
  if (inScope) return { text: symbol.name, imports: [] }
  if (!workspace.isOwn(declared.fileName) || !exportsOf(tools, declared.fileName)?.has(symbol.name)) return undefined
  return { text: symbol.name, imports: [{ module: specifierFor(tools, sf, declared.fileName), name: symbol.name, kind: 'named', type: true }] }
}

/** The type of an object literal whose members are all primitives. */
function plainObject(type, { ts, checker }) {
  const plain = ts.TypeFlags.StringLike | ts.TypeFlags.NumberLike | ts.TypeFlags.BooleanLike
  const members = checker.getPropertiesOfType(type).map((property) => {
    const own = checker.getBaseTypeOfLiteralType(checker.getTypeOfSymbol(property))
    return own.flags & plain ? `${property.name}: ${checker.typeToString(own)}` : undefined
  })
  return members.length && members.every(Boolean) ? { text: `{ ${members.join('; ')} }`, imports: [] } : undefined
}

/** 7006: a handler's parameter takes its type from the attribute the handler is given to. */
export function handlerRule(problem, tools) {
  const { ts, sf, checker, nodeAt } = tools
  const parameter = ts.findAncestor(nodeAt(sf, problem.start), ts.isParameter)
  if (!parameter || parameter.type || !ts.isIdentifier(parameter.name)) return []
  const fn = parameter.parent
  const named = fn.name ?? (ts.isVariableDeclaration(fn.parent) ? fn.parent.name : undefined)
  if (!named || !ts.isIdentifier(named)) return []
  const symbol = checker.getSymbolAtLocation(named)
  const index = fn.parameters.indexOf(parameter)
  const types = new Set()
  const visit = (node) => {
    if (ts.isIdentifier(node) && node !== named && ts.isJsxExpression(node.parent) && checker.getSymbolAtLocation(node) === symbol) {
      const contextual = checker.getContextualType(node)
      const signature = contextual && checker.getNonNullableType(contextual).getCallSignatures()[0]
      const given = signature?.parameters[index]
      types.add(given ? reactType(checker.getTypeOfSymbolAtLocation(given, node)) : undefined)
    }
    ts.forEachChild(node, visit)
  }
  visit(sf)
  const [type] = types
  if (types.size !== 1 || !type) return []
  const bare = ts.isArrowFunction(fn) && fn.parameters.length === 1 && sf.text[fn.parameters.pos - 1] !== '('
  const at = parameter.name.end
  const edits = bare
    ? [{ file: sf.fileName, start: parameter.getStart(sf), end: at, text: `(${parameter.name.text}: ${type.text})` }]
    : [{ file: sf.fileName, start: at, end: at, text: `: ${type.text}` }]
  return [{ name: 'react', edits, imports: type.imports }]

  function reactType(type) {
    const symbolOf = type.aliasSymbol ?? type.symbol
    const args = type.aliasTypeArguments ?? checker.getTypeArguments?.(type) ?? []
    if (/Event$/.test(symbolOf?.name ?? '') && symbolOf.declarations?.some((d) => /@types\/react/.test(d.getSourceFile().fileName))) {
      const element = args[0]?.symbol?.name
      return element ? cached(`React.${symbolOf.name}<${element}>`) : undefined
    }
    const own = nameOf(type, tools)
    return own && cached(own.text, own.imports)
  }

  function cached(text, imports = []) {
    const known = [...types].find((each) => each?.text === text)
    return known ?? { text, imports }
  }
}

/** 2339 at `EventTarget`: the element that listens has its type, the one that was hit has none. */
export function targetRule(problem, { ts, sf, checker, nodeAt }) {
  const access = ts.findAncestor(nodeAt(sf, problem.start), ts.isPropertyAccessExpression)
  const target = access?.expression
  if (!target || !ts.isPropertyAccessExpression(target) || target.name.text !== 'target' || !/'EventTarget/.test(problem.message)) return []
  const found = []
  const parameter = checker.getSymbolAtLocation(target.expression)?.valueDeclaration
  const attribute = parameter && ts.isParameter(parameter) && parameter.type && ts.findAncestor(parameter, ts.isJsxAttribute)
  if (attribute && parameter.parent.parent.parent === attribute) {
    const contextual = checker.getContextualType(attribute.initializer) ?? checker.getContextualType(parameter.parent)
    const signature = contextual && checker.getNonNullableType(contextual).getCallSignatures()[0]
    const type = signature?.parameters[0] && checker.getTypeOfSymbolAtLocation(signature.parameters[0], attribute)
    const [element] = type?.aliasTypeArguments ?? (type ? checker.getTypeArguments(type) : [])
    const name = (type?.aliasSymbol ?? type?.symbol)?.name
    if (name && element?.symbol) {
      found.push({ name: 'react', edits: [{ file: sf.fileName, start: parameter.type.getStart(sf), end: parameter.type.end, text: `React.${name}<${element.symbol.name}>` }] })
    }
  }
  found.push({ name: 'react', edits: [{ file: sf.fileName, start: target.name.getStart(sf), end: target.name.end, text: 'currentTarget' }] })
  return found
}

/** 2345: an effect must not be async; what it does may be. */
export function effectRule(problem, { ts, sf, nodeAt }) {
  const fn = ts.findAncestor(nodeAt(sf, problem.start), (n) => ts.isArrowFunction(n) || ts.isFunctionExpression(n))
  if (!fn || !ts.isCallExpression(fn.parent) || fn.parent.arguments[0] !== fn || !ts.isArrowFunction(fn) || !ts.isBlock(fn.body)) return []
  if (!/^(?:React\.)?use(?:Layout)?Effect$/.test(fn.parent.expression.getText(sf))) return []
  if (!fn.modifiers?.some((m) => m.kind === ts.SyntaxKind.AsyncKeyword)) return []
  if (returnsValue(ts, fn.body)) return [] // what cleans up must be given to React, and when is not ours to decide
  const start = fn.getStart(sf)
  return [{
    name: 'react',
    edits: [
      { file: sf.fileName, start, end: start, text: '() => { void (' },
      { file: sf.fileName, start: fn.end, end: fn.end, text: ')() }' },
    ],
  }]
}

function returnsValue(ts, node) {
  if (ts.isFunctionLike(node)) return false
  if (ts.isReturnStatement(node)) return node.expression !== undefined
  return Boolean(ts.forEachChild(node, (child) => returnsValue(ts, child)))
}

/** 2786: a component whose markup stands there without `return`. */
export function returnRule(problem, { ts, sf, checker, workspace, nodeAt }) {
  let symbol = checker.getSymbolAtLocation(nodeAt(sf, problem.start))
  if (symbol && symbol.flags & ts.SymbolFlags.Alias) symbol = checker.getAliasedSymbol(symbol)
  const declaration = symbol?.valueDeclaration
  const fn = declaration && (ts.isVariableDeclaration(declaration) ? declaration.initializer : declaration)
  const body = fn && (ts.isArrowFunction(fn) || ts.isFunctionDeclaration(fn)) && fn.body && ts.isBlock(fn.body) ? fn.body : undefined
  const last = body?.statements.at(-1)
  const owner = declaration?.getSourceFile()
  if (!last || !ts.isExpressionStatement(last) || !workspace.isOwn(owner.fileName)) return []
  let markup = last.expression
  while (ts.isParenthesizedExpression(markup)) markup = markup.expression
  if (!ts.isJsxElement(markup) && !ts.isJsxFragment(markup) && !ts.isJsxSelfClosingElement(markup)) return []
  const at = last.getStart(owner)
  return [{ name: 'react', edits: [{ file: owner.fileName, start: at, end: at, text: 'return ' }] }]
}

/** 18047, 18048, 2531, 2532: a call on what may be missing, as a statement or as a child in markup: asked for first. */
export function optionalRule(problem, { ts, sf, nodeAt }) {
  let node = nodeAt(sf, problem.start)
  while (node.parent && node.end < problem.start + problem.length) node = node.parent
  if (problem.number === 2722 && ts.isCallExpression(node.parent) && node.parent.expression === node) {
    const { parent } = node.parent
    // Its result is not used: as a statement, or as the whole of a handler.
    if (!ts.isExpressionStatement(parent) && !(ts.isArrowFunction(parent) && ts.isJsxExpression(parent.parent))) return []
    return [{ name: 'optional', edits: [{ file: sf.fileName, start: node.end, end: node.end, text: '?.' }] }]
  }
  const access = node.parent
  if (!access || access.expression !== node || !(ts.isPropertyAccessExpression(access) || ts.isElementAccessExpression(access)) || access.questionDotToken) return []
  let top = access
  let called = false
  while ((ts.isPropertyAccessExpression(top.parent) || ts.isCallExpression(top.parent) || ts.isElementAccessExpression(top.parent)) && top.parent.expression === top) {
    top = top.parent
    called ||= ts.isCallExpression(top)
  }
  const asStatement = called && ts.isExpressionStatement(top.parent)
  const asChild = ts.isJsxExpression(top.parent) && (ts.isJsxElement(top.parent.parent) || ts.isJsxFragment(top.parent.parent))
  if (!asStatement && !asChild) return []
  const text = ts.isPropertyAccessExpression(access) ? '?' : '?.'
  return [{ name: 'optional', edits: [{ file: sf.fileName, start: node.end, end: node.end, text }] }]
}
