// Types that are not written down and can be told from how a thing is used: references, states, literals, members.

import { nameOf, optionalRule } from './react.mjs'

/** 18047, 2339, 2322 …: `useRef(null)` whose type the element or the assignments tell. */
export function refTypeRule(problem, tools) {
  const { ts, sf, checker, nodeAt } = tools
  const access = ts.findAncestor(nodeAt(sf, problem.start), (n) => ts.isPropertyAccessExpression(n) && n.name.text === 'current')
  if (!access || !ts.isIdentifier(access.expression)) return []
  const symbol = checker.getSymbolAtLocation(access.expression)
  const call = symbol?.valueDeclaration?.initializer
  if (!call || !ts.isCallExpression(call) || call.typeArguments || call.getSourceFile() !== sf) return []
  if (!/^(?:React\.)?useRef$/.test(call.expression.getText(sf)) || call.arguments[0]?.getText(sf) !== 'null') return []
  const types = new Set()
  const visit = (node) => {
    if (ts.isIdentifier(node) && checker.getSymbolAtLocation(node) === symbol) {
      const { parent } = node
      if (ts.isJsxExpression(parent) && ts.isJsxAttribute(parent.parent) && parent.parent.name.getText(sf) === 'ref') {
        types.add(/\b((?:HTML|SVG)\w*Element)\b/.exec(checker.typeToString(checker.getContextualType(node) ?? checker.getAnyType()))?.[1])
      } else if (ts.isPropertyAccessExpression(parent) && ts.isBinaryExpression(parent.parent) && parent.parent.left === parent &&
        parent.parent.operatorToken.kind === ts.SyntaxKind.EqualsToken) {
        types.add(assigned(parent.parent.right))
      }
    }
    ts.forEachChild(node, visit)
  }
  visit(sf)
  types.delete('null')
  const [type] = types
  if (types.size !== 1 || !type) return []
  const text = /Element$/.test(type) ? type : `${type} | null`
  const typed = { file: sf.fileName, start: call.expression.end, end: call.expression.end, text: `<${text}>` }
  const asked = problem.number === 18047 ? optionalRule(problem, tools).flatMap((candidate) => candidate.edits) : []
  return [{ name: 'type', edits: [typed, ...asked] }]

  function assigned(value) {
    if (value.kind === ts.SyntaxKind.NullKeyword) return 'null'
    const timer = ts.isCallExpression(value) && /^(?:window\.)?(setTimeout|setInterval|requestAnimationFrame)$/.exec(value.expression.getText(sf))
    if (timer) return timer[1] === 'requestAnimationFrame' || value.expression.getText(sf).startsWith('window.') ? 'number' : `ReturnType<typeof ${timer[1]}>`
    const name = nameOf(checker.getTypeAtLocation(value), tools)
    return name && !name.imports.length ? name.text : undefined
  }
}

/** 7031: a component that does not say what it takes: what all of its uses give it. */
export function propsRule(problem, tools) {
  const { ts, sf, checker, nodeAt, project, workspace } = tools
  const pattern = ts.findAncestor(nodeAt(sf, problem.start), ts.isObjectBindingPattern)
  const parameter = pattern?.parent
  if (!parameter || !ts.isParameter(parameter) || parameter.type) return []
  const fn = parameter.parent
  const named = fn.name ?? (ts.isVariableDeclaration(fn.parent) ? fn.parent.name : undefined)
  if (!named || !ts.isIdentifier(named) || fn.parameters[0] !== parameter) return []
  const uses = (project.service.findReferences(sf.fileName, named.getStart(sf)) ?? []).flatMap(({ references }) => references).flatMap(({ fileName, textSpan }) => {
    const file = project.program.getSourceFile(fileName)
    const opening = file && workspace.isOwn(fileName) && nodeAt(file, textSpan.start).parent
    return opening && ts.isJsxOpeningLikeElement(opening) ? [opening] : []
  })
  const members = []
  const imports = []
  for (const element of pattern.elements) {
    const name = (element.propertyName ?? element.name).text
    if (element.dotDotDotToken || !name) return []
    const given = uses.map((opening) => givenType(opening, name))
    if (given.some((each) => each === null)) return []
    const texts = new Map(given.filter(Boolean).map((each) => [each.text, each]))
    if (texts.size !== 1) return []
    const [type] = texts.values()
    imports.push(...type.imports)
    members.push(`${name}${element.initializer || given.includes(undefined) ? '?' : ''}: ${type.text}`)
  }
  if (!members.length) return []
  return [{ name: 'type', edits: [{ file: sf.fileName, start: pattern.end, end: pattern.end, text: `: { ${members.join('; ')} }` }], imports }]

  /** What one use gives: a type, undefined where nothing, null where that cannot be written down. */
  function givenType(opening, name) {
    const { properties } = opening.attributes
    if (properties.some(ts.isJsxSpreadAttribute)) return null
    if (name === 'children' && ts.isJsxOpeningElement(opening)) return { text: 'React.ReactNode', imports: [] }
    const attribute = properties.find((each) => each.name.getText() === name)
    if (!attribute) return undefined
    const value = attribute.initializer
    if (!value) return { text: 'boolean', imports: [] }
    if (ts.isStringLiteral(value)) return { text: 'string', imports: [] }
    const type = checker.getTypeAtLocation(value.expression)
    const signatures = type.getCallSignatures()
    if (signatures.length === 1) return handler(signatures[0], value)
    return nameOf(checker.getBaseTypeOfLiteralType(type), tools) ?? null
  }

  function handler(signature, at) {
    const taken = signature.parameters.map((each) => ({ each, type: nameOf(checker.getTypeOfSymbolAtLocation(each, at), tools) }))
    if (taken.some(({ type }) => !type)) return null
    return { text: `(${taken.map(({ each, type }) => `${each.name}: ${type.text}`).join(', ')}) => void`, imports: taken.flatMap(({ type }) => type.imports) }
  }
}

/** 2339 at a promise that was put in a variable without `await`. */
export function awaitRule(problem, { ts, sf, checker, nodeAt }) {
  const access = ts.findAncestor(nodeAt(sf, problem.start), ts.isPropertyAccessExpression)
  if (!access || !ts.isIdentifier(access.expression) || !/on type 'Promise</.test(problem.message)) return []
  const declaration = checker.getSymbolAtLocation(access.expression)?.valueDeclaration
  const call = declaration && ts.isVariableDeclaration(declaration) && !declaration.type ? declaration.initializer : undefined
  const fn = call && ts.findAncestor(call, ts.isFunctionLike)
  if (!call || !ts.isCallExpression(call) || declaration.getSourceFile() !== sf) return []
  if (!fn?.modifiers?.some((m) => m.kind === ts.SyntaxKind.AsyncKeyword)) return []
  return [{ name: 'await', edits: [{ file: sf.fileName, start: call.getStart(sf), end: call.getStart(sf), text: 'await ' }] }]
}

/** 2740, 2739, 2741, 2322: a promise where its value is wanted, in an async function. */
export function awaitedRule(problem, { ts, sf, checker, nodeAt }) {
  if (!/Type 'Promise<|from type 'Promise<|type 'Promise</.test(problem.message)) return []
  const node = nodeAt(sf, problem.start)
  const holder = ts.findAncestor(node, (n) => ts.isVariableDeclaration(n) || ts.isBinaryExpression(n) || ts.isCallExpression(n) || ts.isPropertyAssignment(n) || ts.isReturnStatement(n))
  const values = !holder ? [] : ts.isBinaryExpression(holder) ? [holder.right]
    : ts.isCallExpression(holder) ? [holder, ...holder.arguments]
    : [ts.isReturnStatement(holder) ? holder.expression : holder.initializer]
  const value = values.find((each) => each && ts.isCallExpression(each) && checker.typeToString(checker.getTypeAtLocation(each)).startsWith('Promise<') &&
    (each === node || (each.pos <= problem.start && problem.start < each.end) || !ts.isCallExpression(holder)))
  const fn = value && ts.findAncestor(value, ts.isFunctionLike)
  if (!fn?.modifiers?.some((m) => m.kind === ts.SyntaxKind.AsyncKeyword)) return []
  return [{ name: 'await', edits: [{ file: sf.fileName, start: value.getStart(sf), end: value.getStart(sf), text: 'await ' }] }]
}

/** 18046: what was caught may be anything; its message is asked for safely. */
export function caughtRule(problem, { ts, sf, checker, nodeAt }) {
  const access = nodeAt(sf, problem.start).parent
  if (!access || !ts.isPropertyAccessExpression(access) || access.name.text !== 'message' || !ts.isIdentifier(access.expression)) return []
  const declaration = checker.getSymbolAtLocation(access.expression)?.valueDeclaration
  if (!declaration || !ts.isVariableDeclaration(declaration) || !ts.isCatchClause(declaration.parent)) return []
  const name = access.expression.text
  const whole = ts.isCallExpression(access.parent) || ts.isJsxExpression(access.parent) || ts.isVariableDeclaration(access.parent) || ts.isTemplateSpan(access.parent) ||
    ts.isPropertyAssignment(access.parent) || ts.isReturnStatement(access.parent)
  const text = `${name} instanceof Error ? ${name}.message : String(${name})`
  return [{ name: 'caught', edits: [{ file: sf.fileName, start: access.getStart(sf), end: access.end, text: whole ? text : `(${text})` }] }]
}

/** 2304, 18004: a property that the component declares and does not take. */
export function takenRule(problem, { ts, sf, checker, nodeAt }) {
  const node = nodeAt(sf, problem.start)
  if (!ts.isIdentifier(node)) return []
  for (let fn = ts.findAncestor(node, ts.isFunctionLike); fn; fn = ts.findAncestor(fn.parent, ts.isFunctionLike)) {
    const pattern = fn.parameters[0]?.name
    if (!pattern || !ts.isObjectBindingPattern(pattern) || !pattern.elements.length) continue
    if (!checker.getPropertyOfType(checker.getTypeAtLocation(fn.parameters[0]), node.text)) continue
    const rest = pattern.elements.find((each) => each.dotDotDotToken)
    const at = rest ? rest.getStart(sf) : pattern.elements.at(-1).end
    const between = /\r?\n[ \t]*$/.exec(sf.text.slice(pattern.getStart(sf), (rest ?? pattern.elements.at(-1)).getStart(sf)))
    const gap = between ? between[0] : ' '
    return [{ name: 'taken', edits: [{ file: sf.fileName, start: at, end: at, text: rest ? `${node.text},${gap}` : `,${gap}${node.text}` }] }]
  }
  return []
}

/** 2322, 2345: a variable of literals whose type grew too wide gets the type it is used as. */
export function wideRule(problem, tools) {
  const { ts, sf, checker, nodeAt } = tools
  let node = nodeAt(sf, problem.start)
  if (ts.isJsxAttribute(node.parent) && node.parent.initializer && ts.isJsxExpression(node.parent.initializer)) node = node.parent.initializer.expression
  else if ((ts.isVariableDeclaration(node.parent) || ts.isPropertyAssignment(node.parent)) && node.parent.name === node) node = node.parent.initializer
  if (!node || !ts.isIdentifier(node)) return []
  const target = checker.getContextualType(node)
  const declaration = checker.getSymbolAtLocation(node)?.valueDeclaration
  if (!target || !declaration || declaration.getSourceFile() !== sf) return []
  const name = nameOf(checker.getNonNullableType(target), tools)
  if (!name) return []
  if (ts.isVariableDeclaration(declaration) && !declaration.type && declaration.initializer && isLiteral(ts, declaration.initializer)) {
    return [{ name: 'type', edits: [{ file: sf.fileName, start: declaration.name.end, end: declaration.name.end, text: `: ${name.text}` }], imports: name.imports }]
  }
  const call = ts.isBindingElement(declaration) && ts.isArrayBindingPattern(declaration.parent) && declaration.parent.elements[0] === declaration &&
    declaration.parent.parent.initializer
  if (call && ts.isCallExpression(call) && !call.typeArguments && /^(?:React\.)?useState$/.test(call.expression.getText(sf)) && call.arguments[0] && isLiteral(ts, call.arguments[0])) {
    return [{ name: 'type', edits: [{ file: sf.fileName, start: call.expression.end, end: call.expression.end, text: `<${name.text}>` }], imports: name.imports }]
  }
  return []
}

function isLiteral(ts, node) {
  return ts.isStringLiteral(node) || ts.isNumericLiteral(node) || ts.isObjectLiteralExpression(node) || ts.isArrayLiteralExpression(node)
}

/** 2353: a property that is given and not declared, of a type of the app: declared, and optional, since others lack it. */
export function memberRule(problem, tools) {
  const { ts, sf, checker, workspace, nodeAt } = tools
  const property = ts.findAncestor(nodeAt(sf, problem.start), (n) => ts.isPropertyAssignment(n) || ts.isShorthandPropertyAssignment(n))
  if (!property || !ts.isIdentifier(property.name) || !ts.isObjectLiteralExpression(property.parent)) return []
  const type = checker.getContextualType(property.parent)
  if (!type || type.isUnion()) return []
  const declaration = (type.aliasSymbol ?? type.symbol)?.declarations?.[0]
  const body = declaration && (ts.isInterfaceDeclaration(declaration) ? declaration : ts.isTypeAliasDeclaration(declaration) && ts.isTypeLiteralNode(declaration.type) ? declaration.type : undefined)
  const owner = declaration?.getSourceFile()
  const last = body?.members.at(-1)
  if (!last || !workspace.isOwn(owner.fileName)) return []
  const value = ts.isPropertyAssignment(property) ? property.initializer : property.name
  const name = nameOf(checker.getBaseTypeOfLiteralType(checker.getTypeAtLocation(value)), { ...tools, sf: owner })
  if (!name || name.imports.length || name.text.startsWith('{')) return []
  const before = owner.text.slice(owner.text.lastIndexOf('\n', last.getStart(owner)) , last.getStart(owner))
  const ended = /[;,]$/.exec(last.getText(owner))?.[0] ?? ''
  const lines = /^\n[ \t]*$/.test(before)
  // After what stands on the line of the last member: a comment there belongs to it.
  const end = owner.text.indexOf('\n', last.end)
  const at = lines && end > 0 ? (owner.text[end - 1] === '\r' ? end - 1 : end) : last.end
  const gap = lines ? (owner.text[end - 1] === '\r' ? '\r' : '') + before : ended ? ' ' : '; '
  return [{ name: 'member', edits: [{ file: owner.fileName, start: at, end: at, text: `${gap}${property.name.text}?: ${name.text}${lines ? ended : ended && ended}` }] }]
}
