// Hooks of React in a condition, a loop, or after an early return: found as ESLint's rules-of-hooks finds them, and moved
// before what keeps them from running once in every render, where nothing depends on the place they stood at. A loop is
// left only by hooks that give every round the same: what all share anyway, a function, or a text, a number or the like that
// comes out the same; never by what makes an object, of which every round would have its own. An effect stays under its
// condition, which moves into it. What could then mean something else is left to a model.

const HOOK = /^use[A-Z]/
const COMPONENT = /^(?:[A-Z]|use[A-Z])/
const EFFECT = /^(?:React\.)?use(?:Layout|Insertion)?Effect$/
/** Hooks of packages that make nothing: they give what a provider has, the same in every round of a loop. */
const SHARED = new Set([
  'useContext', 'useNavigate', 'useParams', 'useLocation', 'useRouter', 'usePathname', 'useTranslation', 'useTheme', 'useDispatch', 'useQueryClient',
])
/** Hooks that make a value for each place they are called at. */
const MAKING = new Set(['useMemo', 'useState', 'useDeferredValue'])
const CHANGES = new Set([
  'push', 'pop', 'shift', 'unshift', 'splice', 'sort', 'reverse', 'fill', 'copyWithin', 'set', 'add', 'delete', 'clear', 'append', 'next',
])

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

/** The component a hook stands in, the statement of its body that has it, the one to move it before, and why. */
function placeOf(ts, sf, call) {
  let why
  let node = call
  for (let parent = call.parent; parent; node = parent, parent = parent.parent) {
    if (ts.isFunctionLike(parent)) {
      if (!parent.body || !COMPONENT.test(functionName(ts, parent) ?? '')) return undefined
      if (!ts.isBlock(parent.body)) return { why }
      const statement = parent.body.statements.find((s) => s.pos <= call.pos && call.end <= s.end)
      const leaves = parent.body.statements.find((s) => s.pos < statement.pos && returnsEarly(ts, s))
      return { why: why ?? (leaves ? 'return' : undefined), body: parent.body, holder: statement, target: leaves ?? statement }
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

/** Have the hook run once in every render, where that means the same. */
export function hookRule(problem, tools) {
  const { ts, sf, nodeAt } = tools
  const call = ts.findAncestor(nodeAt(sf, problem.start), ts.isCallExpression)
  const place = call && placeOf(ts, sf, call)
  if (!place?.body || !place.why) return []
  const edits = conditionInside(call, place, tools) ?? movedOut(call, place, tools)
  return edits ? [{ name: 'hooks', edits: edits.map((edit) => ({ file: sf.fileName, ...edit })) }] : []
}

/** `if (c) { useEffect(() => { … }, [c]) }` asks inside: only the lines around what the effect does change places. */
function conditionInside(call, { why, body }, { ts, checker, sf }) {
  const statement = call.parent
  const block = statement.parent
  const choice = block?.parent
  if (why !== 'condition' || !ts.isExpressionStatement(statement) || !EFFECT.test(hookName(ts, call))) return undefined
  if (!ts.isBlock(block) || block.statements.length !== 1 || !ts.isIfStatement(choice) || choice.parent !== body) return undefined
  const [effect, list, ...more] = call.arguments
  if (choice.elseStatement || more.length || !effect || !ts.isArrowFunction(effect) || !ts.isBlock(effect.body)) return undefined
  if (effect.parameters.length || effect.modifiers?.length || (list && !ts.isArrayLiteralExpression(list))) return undefined
  const watched = new Set(list?.elements.map((each) => each.getText(sf)))
  let known = true
  const visit = (node) => {
    if (ts.isCallExpression(node) || ts.isNewExpression(node) || isAssignment(ts, node) || ts.isAwaitExpression(node)) known = false
    if (ts.isIdentifier(node) && !(ts.isPropertyAccessExpression(node.parent) && node.parent.name === node)) {
      const declarations = checker.getSymbolAtLocation(node)?.declarations ?? []
      const own = declarations.some((each) => each.pos >= body.parent.pos && each.end <= body.end && each.getSourceFile() === sf)
      let seen = !own || !list || watched.has(node.text)
      for (let whole = node.parent; !seen && ts.isPropertyAccessExpression(whole); whole = whole.parent) seen = watched.has(whole.getText(sf))
      if (!seen || declarations.some((each) => each.getSourceFile() === sf && isVariable(ts, each))) known = false
    }
    ts.forEachChild(node, visit)
  }
  visit(choice.expression)
  if (!known) return undefined
  const { text } = sf
  const asks = [choice.getStart(sf), block.getStart(sf) + 1]
  const begins = [statement.getStart(sf), effect.body.getStart(sf) + 1]
  const ends = [effect.body.end - 1, statement.end]
  const swap = ([start, end], instead) => ({ start, end, text: instead })
  return [
    swap(asks, text.slice(...begins)), swap(begins, text.slice(...asks)),
    swap(ends, '}'), swap([block.end - 1, block.end], text.slice(...ends)),
  ]
}

/** Move the whole statement of the hook before what keeps it from running, if it needs nothing that comes between. */
function movedOut(call, place, tools) {
  const { ts, checker, sf } = tools
  const { why, target } = place
  const statement = ts.findAncestor(call, (n) => ts.isStatement(n) && n.parent && (ts.isBlock(n.parent) || ts.isCaseOrDefaultClause(n.parent)))
  if (!statement || statement === target) return undefined
  const list = ts.isVariableStatement(statement) ? statement.declarationList : undefined
  if (list ? list.declarations.length !== 1 : why !== 'return' || !ts.isExpressionStatement(statement)) return undefined
  const declaration = list?.declarations[0]
  if (unwrapped(ts, declaration ? declaration.initializer : statement.expression) !== call) return undefined
  if (why === 'loop' && !(list.flags & ts.NodeFlags.Const && givesTheSame(ts, checker, call, declaration))) return undefined
  // An empty block would be the next thing to be found.
  if (why !== 'return' && statement.parent.statements.length === 1) return undefined
  if (!meansTheSame(statement, declaration, place, tools)) return undefined
  const { text } = sf
  const lineStart = (position) => text.lastIndexOf('\n', position - 1) + 1
  const start = statement.getStart(sf)
  const indent = text.slice(lineStart(target.getStart(sf)), target.getStart(sf))
  const old = text.slice(lineStart(start), start)
  const at = lineStart(ts.getLeadingCommentRanges(text, target.pos)?.[0]?.pos ?? target.getStart(sf))
  if (/\S/.test(indent) || at > start) return undefined
  const leading = ts.getLeadingCommentRanges(text, statement.pos) ?? []
  if (/\S/.test(old)) {
    // It shares its line with others.
    const gap = /^[ \t]*/.exec(text.slice(statement.end))[0].length
    const alone = statement.getText(sf)
    if (leading.length || /^[\r\n/]/.test(text.slice(statement.end + gap)) || alone.includes('\n')) return undefined
    const end = text.includes('\r\n') ? '\r\n' : '\n'
    return [{ start: at, end: at, text: indent + alone + end }, { start, end: statement.end + gap, text: '' }]
  }
  // Its comments go with it; the line it stood on goes too.
  const first = leading.find((range) => /^[ \t]*$/.test(text.slice(lineStart(range.pos), range.pos)))?.pos ?? start
  const from = lineStart(first)
  const newLine = text.indexOf('\n', statement.end)
  const to = newLine < 0 ? text.length : newLine + 1
  if (at > from || !/^\s*$/.test(text.slice(from, first)) || !/^(?:\/\/.*|\/\*.*\*\/)?$/.test(text.slice(statement.end, to).trim())) return undefined
  if (old !== indent && hasLongText(ts, sf, statement)) return undefined
  const moved = text.slice(from, to).split('\n').map((l) => (l.startsWith(old) ? indent + l.slice(old.length) : l)).join('\n')
  return [{ start: at, end: at, text: moved }, { start: from, end: to, text: '' }]
}

/** Whether a hook of a loop would give every round the same, and nobody can tell that there is only one of it. */
function givesTheSame(ts, checker, call, { name }) {
  const callee = ts.isPropertyAccessExpression(call.expression) ? call.expression.expression : call.expression
  const imported = checker.getSymbolAtLocation(callee)?.declarations?.map((each) => ts.findAncestor(each, ts.isImportDeclaration))[0]
  if (!imported || /^(?:[.#~]|@\/)/.test(imported.moduleSpecifier.text)) return false
  const hook = hookName(ts, call).replace('React.', '')
  const [from] = call.arguments
  const inline = Boolean(from) && (ts.isArrowFunction(from) || ts.isFunctionExpression(from))
  if (hook === 'useCallback') return inline
  if (!call.arguments.every((each) => isSteady(ts, checker, each))) return false
  if (!MAKING.has(hook)) return SHARED.has(hook)
  // A state that nobody can set is what it began with.
  if (hook === 'useState' && !(ts.isArrayBindingPattern(name) && name.elements.length === 1)) return false
  const fixed = (node) => (ts.isIdentifier(node) ? isFixed(ts, checker, node) : node.elements.every((each) => ts.isOmittedExpression(each) || fixed(each.name)))
  return fixed(name) && (!from || inline || isFixed(ts, checker, from))
}

/** Whether it comes out the same whenever it is worked out: nothing is made or set, and only texts, numbers and lists are asked. */
function isSteady(ts, checker, node) {
  if (isAssignment(ts, node) || ts.isNewExpression(node) || ts.isTaggedTemplateExpression(node)) return false
  if (ts.isCallExpression(node)) {
    const { expression } = node
    if (!ts.isPropertyAccessExpression(expression) || CHANGES.has(expression.name.text)) return false
    const type = checker.getTypeAtLocation(expression.expression)
    if (!isFixed(ts, checker, expression.expression) && !checker.isArrayType(type) && !checker.isTupleType(type)) return false
    const named = (each) => !ts.isFunctionLike(each) && checker.getTypeAtLocation(each).getCallSignatures().length > 0
    if (node.arguments.some(named)) return false
  }
  return !ts.forEachChild(node, (child) => !isSteady(ts, checker, child))
}

/**
 * Whether a statement means the same before `target`: what it reads is there and is not changed on the way, it does not fail
 * where something was asked first, and its names mean nothing else there.
 */
function meansTheSame(statement, declaration, { why, body, holder, target }, { ts, checker, sf }) {
  const within = (node, from, to) => node.getSourceFile() === sf && node.pos >= from && node.end <= to
  const own = (node) => within(node, statement.pos, statement.end)
  const read = new Set()
  let same = true
  const visit = (node, now) => {
    if (now && isAssignment(ts, node)) same = false
    if (ts.isIdentifier(node)) {
      const symbol = valueOf(ts, checker, node)
      for (const each of symbol?.declarations ?? []) {
        if (own(each) || each.getSourceFile() !== sf) continue
        if (within(each, target.pos, body.end) || isVariable(ts, each)) same = false
        else if (!read.has(symbol)) {
          read.add(symbol)
          if (within(each, body.pos, body.end)) visit(each, false)
        }
      }
    }
    ts.forEachChild(node, (child) => visit(child, now && !ts.isFunctionLike(child)))
  }
  visit(statement, true)
  if (!same || failsWhereNothingIs(ts, statement)) return false
  const end = why === 'loop' ? holder.end : statement.pos
  const isChanged = (node) => {
    if (own(node) || node.end < target.pos || node.pos > end) return false
    const known = ts.isIdentifier(node) && read.has(valueOf(ts, checker, node))
    return (known && mayChange(ts, checker, node)) || ts.forEachChild(node, isChanged) || false
  }
  if (isChanged(body)) return false
  return !declaration || namesAreFree(statement, declaration, body, { ts, checker })
}

/** Whether the names of a declaration mean nothing else where it would stand, and where it is used. */
function namesAreFree(statement, declaration, body, { ts, checker }) {
  const block = ts.isBlock(statement.parent) ? statement.parent : statement.parent.parent
  const inScope = (place) => new Map(checker.getSymbolsInScope(place, ts.SymbolFlags.Value).map((symbol) => [symbol.name, symbol]))
  const there = inScope(body)
  const around = inScope(block.parent)
  const isFree = (name) => {
    if (!ts.isIdentifier(name)) return name.elements.every((each) => ts.isOmittedExpression(each) || isFree(each.name))
    const meant = there.get(name.text)
    if (around.get(name.text) !== meant) return false
    if (!meant || meant === checker.getSymbolAtLocation(name)) return true
    const uses = (node) => (ts.isIdentifier(node) && node.text === name.text && valueOf(ts, checker, node) === meant) || ts.forEachChild(node, uses)
    return !uses(body)
  }
  return isFree(declaration.name)
}

/** Whether something is taken of what may not be there: `items[0].name` fails where nobody asked for the length. */
function failsWhereNothingIs(ts, node) {
  const taken = (ts.isPropertyAccessExpression(node) || ts.isElementAccessExpression(node) || ts.isCallExpression(node)) && !node.questionDotToken
  if (taken && (ts.isElementAccessExpression(node.expression) || ts.isNonNullExpression(node.expression))) return true
  return ts.forEachChild(node, (child) => failsWhereNothingIs(ts, child)) ?? false
}

function valueOf(ts, checker, node) {
  return ts.isShorthandPropertyAssignment(node.parent) ? checker.getShorthandAssignmentValueSymbol(node.parent) : checker.getSymbolAtLocation(node)
}

function isAssignment(ts, node) {
  if (ts.isBinaryExpression(node)) {
    const { kind } = node.operatorToken
    return kind >= ts.SyntaxKind.FirstAssignment && kind <= ts.SyntaxKind.LastAssignment
  }
  const steps = [ts.SyntaxKind.PlusPlusToken, ts.SyntaxKind.MinusMinusToken]
  return ts.isDeleteExpression(node) || ((ts.isPrefixUnaryExpression(node) || ts.isPostfixUnaryExpression(node)) && steps.includes(node.operator))
}

function isVariable(ts, declaration) {
  const list = ts.findAncestor(declaration, (n) => ts.isVariableDeclarationList(n) || ts.isFunctionLike(n) || ts.isStatement(n))
  return Boolean(list) && ts.isVariableDeclarationList(list) && !(list.flags & ts.NodeFlags.Const)
}

/** Whether what a name stands for may be changed here: it or a member is assigned, by a method that does, by whoever gets it. */
function mayChange(ts, checker, node) {
  let whole = node
  const isPart = (n) => ts.isPropertyAccessExpression(n) || ts.isElementAccessExpression(n) || ts.isNonNullExpression(n)
  while (isPart(whole.parent) && whole.parent.expression === whole) whole = whole.parent
  const { parent } = whole
  if (isAssignment(ts, parent)) return (parent.left ?? parent.operand ?? parent.expression) === whole
  if (!ts.isCallExpression(parent) && !ts.isNewExpression(parent)) return false
  if (parent.expression === whole) return CHANGES.has(whole.name?.text)
  return !isFixed(ts, checker, whole)
}

/** Whether it is a text, a number or the like: nobody can change it, or tell it from another that is the same. */
function isFixed(ts, checker, node) {
  const type = checker.getTypeAtLocation(node)
  const { StringLike, NumberLike, BooleanLike, BigIntLike, Null, Undefined } = ts.TypeFlags
  const fixed = StringLike | NumberLike | BooleanLike | BigIntLike | Null | Undefined
  return (type.isUnion() ? type.types : [type]).every((each) => each.flags & fixed)
}

/** Whether a text of several lines would change where its lines move. */
function hasLongText(ts, sf, node) {
  if ((ts.isNoSubstitutionTemplateLiteral(node) || ts.isTemplateExpression(node)) && node.getText(sf).includes('\n')) return true
  return ts.forEachChild(node, (child) => hasLongText(ts, sf, child)) ?? false
}

function unwrapped(ts, node) {
  while (node && (ts.isParenthesizedExpression(node) || ts.isAsExpression(node) || ts.isNonNullExpression(node))) node = node.expression
  return node
}
