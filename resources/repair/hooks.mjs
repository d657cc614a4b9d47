// Hooks of React in a condition, a loop, or after an early return: found as ESLint's rules-of-hooks finds them, and
// moved to the top of the component where nothing depends on the place they stood at.

const HOOK = /^use[A-Z]/
const COMPONENT = /^(?:[A-Z]|use[A-Z])/

/** Diagnostics-like entries for one file. */
export function misplacedHooks(ts, sf) {
  if (!/\bfrom\s*['"](?:react|preact\/hooks)['"]|\bReact\b/.test(sf.text)) return []
  const found = []
  const visit = (node) => {
    const name = hookName(ts, node)
    if (name) {
      const place = placeOf(ts, sf, node)
      if (place?.why) {
        found.push({
          start: node.expression.getStart(sf), length: node.expression.getWidth(sf), code: 'react-hooks/rules-of-hooks',
          messageText:
            place.why === 'loop'
              ? `React Hook "${name}" may be executed more than once. Possibly because it is called in a loop. React Hooks must be called in the exact same order in every component render.`
              : `React Hook "${name}" is called conditionally. React Hooks must be called in the exact same order in every component render.${place.why === 'return' ? ' Did you accidentally call a React Hook after an early return?' : ''}`,
        })
      }
    }
    ts.forEachChild(node, visit)
  }
  visit(sf)
  return found
}

function hookName(ts, node) {
  if (!ts.isCallExpression(node)) return undefined
  const callee = node.expression
  if (ts.isIdentifier(callee) && HOOK.test(callee.text)) return callee.text
  if (ts.isPropertyAccessExpression(callee) && ts.isIdentifier(callee.expression) && callee.expression.text === 'React' && HOOK.test(callee.name.text)) {
    return `React.${callee.name.text}`
  }
  return undefined
}

/** The component a hook stands in, the statement of its body, and what keeps it from being called every time. */
function placeOf(ts, sf, call) {
  let why
  let node = call
  for (let parent = call.parent; parent; node = parent, parent = parent.parent) {
    if (ts.isFunctionLike(parent)) {
      if (!parent.body || !COMPONENT.test(functionName(ts, parent) ?? '')) return undefined
      if (!ts.isBlock(parent.body)) return { why }
      const statement = parent.body.statements.find((s) => s.pos <= call.pos && call.end <= s.end)
      const leaves = parent.body.statements.find((s) => s.pos < statement.pos && returnsEarly(ts, s))
      return { why: why ?? (leaves ? 'return' : undefined), body: parent.body, statement: why ? statement : leaves, from: call }
    }
    if (ts.isIterationStatement(parent, false)) why = 'loop'
    else if (ts.isIfStatement(parent) && node !== parent.expression) why ??= 'condition'
    else if (ts.isConditionalExpression(parent) && node !== parent.condition) why ??= 'condition'
    else if (ts.isCaseOrDefaultClause(parent) || ts.isCatchClause(parent)) why ??= 'condition'
    else if (
      ts.isBinaryExpression(parent) && node === parent.right &&
      [ts.SyntaxKind.AmpersandAmpersandToken, ts.SyntaxKind.BarBarToken, ts.SyntaxKind.QuestionQuestionToken].includes(parent.operatorToken.kind)
    ) why ??= 'condition'
  }
  return undefined
}

function functionName(ts, node) {
  if (node.name && ts.isIdentifier(node.name)) return node.name.text
  let parent = node.parent
  while (ts.isCallExpression(parent) || ts.isParenthesizedExpression(parent)) parent = parent.parent
  return ts.isVariableDeclaration(parent) && ts.isIdentifier(parent.name) ? parent.name.text : undefined
}

function returnsEarly(ts, statement) {
  let found = false
  const visit = (node) => {
    if (found || ts.isFunctionLike(node)) return
    if (ts.isReturnStatement(node)) found = true
    else ts.forEachChild(node, visit)
  }
  if (!ts.isReturnStatement(statement)) visit(statement)
  return found
}

/** Move the whole statement of the hook before what keeps it from running, if it needs nothing that comes between. */
export function hookRule(problem, { ts, checker, sf, nodeAt }) {
  const call = ts.findAncestor(nodeAt(sf, problem.start), ts.isCallExpression)
  const place = call && placeOf(ts, sf, call)
  if (!place?.body || !place.why || place.why === 'loop') return []
  const target = place.statement
  const statement = ts.findAncestor(call, (n) => ts.isStatement(n) && n.parent && (ts.isBlock(n.parent) || ts.isCaseOrDefaultClause(n.parent)))
  if (!target || !statement || statement === target) return []
  const declares = ts.isVariableStatement(statement)
  if (declares ? statement.declarationList.declarations.length !== 1 : !ts.isExpressionStatement(statement)) return []
  const own = declares ? statement.declarationList.declarations[0].initializer : statement.expression
  if (unwrapped(ts, own) !== call) return []
  // An effect in a condition would run always: what it is meant to do then is not ours to decide.
  if (!declares && place.why !== 'return') return []
  const between = (declaration) =>
    declaration.getSourceFile() === sf && declaration.pos >= target.pos && declaration.end <= place.body.end &&
    !(declaration.pos >= statement.pos && declaration.end <= statement.end)
  let free = true
  const visit = (node) => {
    if (ts.isIdentifier(node)) {
      const symbol = checker.getSymbolAtLocation(node)
      if (symbol?.declarations?.some(between)) free = false
    }
    ts.forEachChild(node, visit)
  }
  visit(statement)
  if (!free) return []
  const { text } = sf
  const lineStart = (position) => text.lastIndexOf('\n', position - 1) + 1
  // Its comments go with it; the line it stood on goes too.
  const leading = ts.getLeadingCommentRanges(text, statement.pos) ?? []
  const first = leading.find((range) => /^[ \t]*$/.test(text.slice(lineStart(range.pos), range.pos)))?.pos ?? statement.getStart(sf)
  const from = lineStart(first)
  const newLine = text.indexOf('\n', statement.end)
  const to = newLine < 0 ? text.length : newLine + 1
  if (!/^\s*$/.test(text.slice(from, first)) || !/^(?:\/\/.*|\/\*.*\*\/)?$/.test(text.slice(statement.end, to).trim())) return []
  const indent = text.slice(lineStart(target.getStart(sf)), target.getStart(sf))
  const old = text.slice(lineStart(statement.getStart(sf)), statement.getStart(sf))
  if (/\S/.test(indent) || /\S/.test(old)) return []
  const moved = text.slice(from, to).split('\n').map((l) => (l.startsWith(old) ? indent + l.slice(old.length) : l)).join('\n')
  const targetComments = ts.getLeadingCommentRanges(text, target.pos) ?? []
  const at = lineStart(targetComments[0]?.pos ?? target.getStart(sf))
  if (at > from) return []
  return [{
    name: 'hooks',
    edits: [
      { file: sf.fileName, start: at, end: at, text: moved },
      { file: sf.fileName, start: from, end: to, text: '' },
    ],
  }]
}

function unwrapped(ts, node) {
  while (node && (ts.isParenthesizedExpression(node) || ts.isAsExpression(node) || ts.isNonNullExpression(node))) node = node.expression
  return node
}
