// What is taken for something that it nearly is: an object for a list, an element for a component, type arguments for needed.

import { differsByOne } from './modules.mjs'

/** 2488, 18047, 18048: an object is taken apart or walked through like a list, or a list that may be missing is. */
export function iteratedRule(problem, { ts, sf, checker, nodeAt }) {
  const node = whole(problem, sf, nodeAt)
  const { parent } = node
  if (ts.isArrayBindingPattern(node)) return byName(node)
  const loop = ts.isForOfStatement(parent) && parent.expression === node
  const spread = ts.isSpreadElement(parent) && ts.isArrayLiteralExpression(parent.parent)
  if (!(loop || spread) || !(ts.isIdentifier(node) || ts.isPropertyAccessExpression(node) || ts.isCallExpression(node))) return []
  const type = checker.getTypeAtLocation(node)
  const there = checker.getNonNullableType(type)
  if (there !== type) {
    if (!checker.isArrayType(there)) return []
    return [edited('shape', sf, [node.getStart(sf), loop ? '' : '('], [node.end, loop ? ' ?? []' : ' ?? [])'])]
  }
  const pattern = loop && ts.isVariableDeclarationList(parent.initializer) && parent.initializer.declarations[0].name
  const pairs = pattern && ts.isArrayBindingPattern(pattern) && pattern.elements.length === 2
  return pairs && isRecord(there) ? [edited('shape', sf, [node.getStart(sf), 'Object.entries('], [node.end, ')'])] : []

  /** Its members are what it holds; the compiler takes anything for `Object.entries`, which finds none in a promise or a map. */
  function isRecord(each) {
    if (!(each.flags & ts.TypeFlags.Object)) return false
    const written = each.symbol?.flags & (ts.SymbolFlags.TypeLiteral | ts.SymbolFlags.ObjectLiteral)
    return Boolean(checker.getIndexInfoOfType(each, ts.IndexKind.String) || (written && !each.getCallSignatures().length && !each.getConstructSignatures().length))
  }

  /** Every name is that of a member: what a hook returns, mostly. */
  function byName(list) {
    const value = ts.isVariableDeclaration(list.parent) && list.parent.initializer
    const members = value ? checker.getPropertiesOfType(checker.getTypeAtLocation(value)).map(({ name }) => name) : []
    const named = list.elements.every((each) => ts.isBindingElement(each) && !each.dotDotDotToken && ts.isIdentifier(each.name) && members.includes(each.name.text))
    return named && list.elements.length ? [edited('shape', sf, [list.getStart(sf), '{ ', 1], [list.end - 1, ' }', 1])] : []
  }
}

/** 2556: a list of literals that is spread into a call never changes. */
export function spreadRule(problem, { ts, sf, checker, nodeAt }) {
  const spread = ts.findAncestor(nodeAt(sf, problem.start), ts.isSpreadElement)
  const declaration = spread && ts.isIdentifier(spread.expression) && checker.getSymbolAtLocation(spread.expression)?.valueDeclaration
  if (!declaration || !ts.isVariableDeclaration(declaration) || declaration.type || declaration.getSourceFile() !== sf) return []
  const list = ts.getCombinedNodeFlags(declaration) & ts.NodeFlags.Const ? declaration.initializer : undefined
  return list && ts.isArrayLiteralExpression(list) ? [edited('shape', sf, [list.end, ' as const'])] : []
}

/** 2558: more type arguments than a call takes, or fewer: then all are inferred. */
export function typeArgumentsRule(problem, { ts, sf, nodeAt }) {
  const [, most, given] = /Expected (?:\d+-)?(\d+) type arguments, but got (\d+)/.exec(problem.message) ?? []
  const call = ts.findAncestor(nodeAt(sf, problem.start), (n) => ts.isCallLikeExpression(n) && n.typeArguments?.pos <= problem.start && problem.start < n.typeArguments?.end)
  if (!call || given === undefined) return []
  const all = call.typeArguments
  const keep = Number(given) > Number(most) ? Number(most) : 0
  const from = keep ? all[keep - 1].end : all.pos - 1
  const to = keep ? all.end : sf.text.indexOf('>', all.end) + 1
  return [edited('shape', sf, [from, '', to - from])]
}

/** 2344: one of the names of members that a type picks, by a letter. */
export function pickedRule(problem, { ts, sf, checker, nodeAt }) {
  const picked = whole(problem, sf, nodeAt)
  const reference = ts.findAncestor(picked, ts.isTypeReferenceNode)
  const [owner] = reference?.typeArguments ?? []
  if (!owner || ts.findAncestor(picked, (n) => n === owner)) return []
  const members = checker.getPropertiesOfType(checker.getTypeFromTypeNode(owner)).map(({ name }) => name)
  return (ts.isUnionTypeNode(picked) ? picked.types : [picked]).flatMap((each) => {
    const literal = ts.isLiteralTypeNode(each) && ts.isStringLiteral(each.literal) ? each.literal : undefined
    if (!literal || members.includes(literal.text)) return []
    const near = members.filter((name) => differsByOne(name, literal.text))
    return near.length === 1 ? [edited('near', sf, [literal.getStart(sf) + 1, near[0], literal.text.length])] : []
  })
}

/** 2420: a member that the interface wants is there by another letter: it is the class that is wrong. */
export function implementedRule(problem, { ts, sf, checker, project, workspace, nodeAt }) {
  const wanted = /Property '([\w$]+)' is missing in type/.exec(problem.message)?.[1]
  const owner = ts.findAncestor(nodeAt(sf, problem.start), ts.isClassLike)
  if (!wanted || !owner) return []
  const promised = (owner.heritageClauses ?? []).flatMap(({ types }) => types)
    .flatMap((type) => checker.getPropertiesOfType(checker.getTypeAtLocation(type)).map(({ name }) => name))
  const near = owner.members.map(({ name }) => name)
    .filter((name) => name && ts.isIdentifier(name) && !promised.includes(name.text) && differsByOne(name.text, wanted))
  if (near.length !== 1) return []
  const places = project.service.findRenameLocations(sf.fileName, near[0].getStart(sf), false, false, {}) ?? []
  if (!places.length || places.some(({ fileName }) => !workspace.isOwn(fileName))) return []
  const edits = places.map(({ fileName, textSpan, prefixText = '', suffixText = '' }) => (
    { file: fileName, start: textSpan.start, end: textSpan.start + textSpan.length, text: prefixText + wanted + suffixText }))
  return [{ name: 'near', edits }]
}

/** 2604: a module is used as the component that is its default, or an element as if it were a component. */
export function elementRule(problem, { ts, sf, checker, nodeAt }) {
  const tag = nodeAt(sf, problem.start)
  const symbol = ts.isIdentifier(tag) && ts.isJsxOpeningLikeElement(tag.parent) && checker.getSymbolAtLocation(tag)
  const [declaration] = (symbol && symbol.declarations) || []
  if (!declaration) return []
  if (ts.isNamespaceImport(declaration)) {
    const exported = checker.getExportsOfModule(checker.getAliasedSymbol(symbol)).some(({ name }) => name === 'default')
    return exported ? [edited('module', sf, [declaration.getStart(sf), tag.text, declaration.getWidth(sf)])] : []
  }
  const element = tag.parent
  const is = /^(?:React\.)?(?:JSX\.)?(?:React)?Element\b/.test(checker.typeToString(checker.getTypeAtLocation(tag)))
  if (!is || !ts.isJsxSelfClosingElement(element) || element.attributes.properties.length) return []
  const inMarkup = ts.isJsxElement(element.parent) || ts.isJsxFragment(element.parent)
  return [edited('shape', sf, [element.getStart(sf), inMarkup ? `{${tag.text}}` : tag.text, element.getWidth(sf)])]
}

/** The node that the problem is said of. */
function whole(problem, sf, nodeAt) {
  let node = nodeAt(sf, problem.start)
  while (node.parent && node.end < problem.start + problem.length) node = node.parent
  return node
}

/** A candidate of `[where, text, length of what goes]`. */
function edited(name, sf, ...changes) {
  return { name, edits: changes.map(([start, text, length = 0]) => ({ file: sf.fileName, start, end: start + length, text })) }
}
