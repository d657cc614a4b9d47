// TypeScript's own code fixes, those that repair: never one that silences an error, makes up a value or writes a stub.

import { isBuiltin } from 'node:module'
import { applied, removeBinding, styleOf, wholeLine } from './edits.mjs'

// Best first. Left out on purpose: anything that adds `any`, `unknown`, `!`, comments for the compiler, default values,
// empty members or functions, parameters, or that changes the configuration.
const ALLOWED = [
  'forgottenThisPropertyAccess', 'import', 'fixImportNonExportedMember', 'convertToTypeOnlyImport', 'convertToTypeOnlyExport', 'splitTypeOnlyImport',
  'useDefaultImport', 'invalidImportSyntax', 'requireInTs', 'fixExpectedComma', 'spelling', 'addMissingAwaitToInitializer', 'addMissingAwait',
  'fixAwaitInSyncFunction', 'addMissingAsync', 'fixReturnTypeInAsyncFunction', 'removeUnnecessaryAwait', 'fixConvertConstToLet',
  'addMissingConst', 'fixMissingCallParentheses', 'removeAccidentalCallParentheses', 'addMissingNewOperator', 'returnValueCorrect',
  'fixInvalidJsxCharacters_expression', 'fixPropertyAssignment', 'extendsInterfaceBecomesImplements',
  'constructorForDerivedNeedSuperCall', 'classSuperMustPrecedeThisAccess', 'fixOverrideModifier',
  'fixPropertyOverrideAccessor', 'addVoidToPromise', 'fixNaNEquality', 'fixIncorrectNamedTupleSyntax', 'convertLiteralTypeToMappedType',
  'fixConvertToMappedObjectType', 'correctQualifiedNameToIndexedAccessType', 'fixNoPropertyAccessFromIndexSignature', 'useBigintLiteral',
  'addMissingConstraint', 'addNameToNamelessParameter', 'addEmptyExportDeclaration', 'addOptionalPropertyUndefined', 'fixMissingMember',
  'inferFromUsage', 'unusedIdentifier', 'fixUnusedLabel', 'wrapDecoratorInParentheses', 'addMissingInvocationForDecorator',
  'addMissingDeclareProperty', 'fixImplicitThis',
]
const UNUSED = new Set([6133, 6138, 6192, 6196, 6198, 6199, 6205])

export function compilerFixes(problem, tools) {
  const { ts, project, sf } = tools
  if (UNUSED.has(problem.number)) {
    const own = unusedImport(problem, tools)
    if (own) return [own]
  }
  const { newLine, quote, semicolon } = styleOf(sf)
  const format = {
    ...ts.getDefaultFormatCodeSettings(newLine), ...indentation(sf.text),
    semicolons: semicolon ? ts.SemicolonPreference.Insert : ts.SemicolonPreference.Remove,
  }
  const preferences = {
    quotePreference: quote === "'" ? 'single' : 'double',
    importModuleSpecifierPreference: usesAlias(tools) ? 'non-relative' : 'relative',
    importModuleSpecifierEnding: 'minimal',
    preferTypeOnlyAutoImports: Boolean(project.options.verbatimModuleSyntax || /^import type /m.test(sf.text)),
  }
  const end = problem.start + problem.length
  const fixes = project.service.getCodeFixesAtPosition(sf.fileName, problem.start, end, [problem.number], format, preferences)
  const found = []
  for (const fix of fixes) {
    const name = fix.fixName
    if (!ALLOWED.includes(name) || fix.commands?.length || fix.changes.some((change) => change.isNewFile)) continue
    if (name === 'import') {
      const wanted = importOf(fix, tools)
      if (wanted) found.push(wanted)
      continue
    }
    if (name === 'unusedIdentifier' && !isSafeRemoval(fix, problem, tools)) continue
    if (name === 'fixMissingMember' && !isSafeMember(fix)) continue
    found.push({ name, edits: editsOf(fix) })
  }
  const order = (candidate) => ALLOWED.indexOf(candidate.name)
  return found.sort((a, b) => order(a) - order(b) || (a.distance ?? 0) - (b.distance ?? 0))
}

function editsOf(fix) {
  return fix.changes.flatMap(({ fileName, textChanges }) =>
    textChanges.map(({ span, newText }) => ({ file: fileName, start: span.start, end: span.start + span.length, text: newText })))
}

/** The import a fix adds, for our own writing of it: several of one file then fit together, and its style is kept. */
function importOf(fix, tools) {
  const { ts, sf, workspace, project } = tools
  const edits = editsOf(fix)
  if (edits.some((edit) => edit.file !== sf.fileName)) return undefined
  const after = applied(sf.text, edits)
  const had = bindings(ts, sf)
  const has = bindings(ts, ts.createSourceFile(sf.fileName, after, ts.ScriptTarget.Latest, true))
  const added = [...has.values()].filter((each) => !had.has(each.key))
  if (added.length !== 1 || [...had.keys()].some((key) => !has.has(key))) return { name: 'import', edits }
  const [{ module, name, as, kind, type }] = added
  if (!/^[.@~]/.test(module) || /^@[^/]+\//.test(module)) {
    const owner = module.split('/').slice(0, module.startsWith('@') ? 2 : 1).join('/')
    const node = isBuiltin(module) && (project.options.types ?? []).includes('node')
    const local = project.locations(module, sf.fileName).length > 0
    if (!local && !node && !Object.hasOwn(workspace.package.dependencies ?? {}, owner)) return undefined
  }
  return { name: 'import', edits: [], imports: [{ module, name, as, kind, type }], distance: module.split('/').length + (kind === 'named' ? 0 : 0.5) }
}

function bindings(ts, sf) {
  const found = new Map()
  const add = (module, name, as, kind, type) => {
    const key = [module, name, as, kind].join('|')
    found.set(key, { key, module, name, as, kind, type })
  }
  for (const statement of sf.statements) {
    if (!ts.isImportDeclaration(statement) || !statement.importClause) continue
    const { name, namedBindings, isTypeOnly } = statement.importClause
    const module = statement.moduleSpecifier.text
    if (name) add(module, name.text, name.text, 'default', isTypeOnly)
    if (namedBindings && ts.isNamespaceImport(namedBindings)) add(module, namedBindings.name.text, namedBindings.name.text, 'namespace', isTypeOnly)
    else namedBindings?.elements.forEach((e) => add(module, (e.propertyName ?? e.name).text, e.name.text, 'named', isTypeOnly || e.isTypeOnly))
  }
  return found
}

function usesAlias({ sf, project }) {
  const prefixes = Object.keys(project.options.paths ?? {}).map((pattern) => pattern.replace(/\*$/, ''))
  const written = [...sf.text.matchAll(/from\s*['"]([^'"]+)['"]/g)].map((m) => m[1])
  const aliased = written.filter((each) => prefixes.some((prefix) => each.startsWith(prefix))).length
  return aliased > written.filter((each) => each.startsWith('.')).length
}

function indentation(text) {
  if (/^\t/m.test(text)) return { convertTabsToSpaces: false, indentSize: 4, tabSize: 4 }
  const first = /^( +)\S/m.exec(text)?.[1].length ?? 2
  return { convertTabsToSpaces: true, indentSize: first >= 4 ? 4 : 2, tabSize: first >= 4 ? 4 : 2 }
}

function unusedImport(problem, { ts, sf, nodeAt }) {
  const node = nodeAt(sf, problem.start)
  const declaration = ts.findAncestor(node, ts.isImportDeclaration)
  if (!declaration) return undefined
  const whole = problem.length >= declaration.getWidth(sf) || problem.number === 6192
  const binding = ts.findAncestor(node, ts.isImportSpecifier) ?? (ts.isNamespaceImport(node.parent) ? node.parent : node)
  return { name: 'unusedIdentifier', edits: [{ file: sf.fileName, ...(whole ? wholeLine(sf, declaration) : removeBinding(ts, sf, binding)) }] }
}

function isSafeRemoval(fix, problem, { ts, sf, nodeAt }) {
  if (/^Prefix/.test(fix.description)) return true
  const node = nodeAt(sf, problem.start)
  const declaration = ts.findAncestor(node, (n) => ts.isVariableDeclaration(n) || ts.isBindingElement(n) || ts.isFunctionLike(n) || ts.isTypeParameterDeclaration(n))
  if (!declaration || ts.isFunctionLike(declaration)) return false
  let going = declaration
  while (ts.isBindingElement(going) && going.parent.elements.filter(ts.isBindingElement).length === 1) going = going.parent.parent
  if (hasEffect(ts, going)) return false
  return ts.isBindingElement(declaration) || ts.isTypeParameterDeclaration(declaration) || !ts.isFunctionLike(declaration.initializer ?? node)
}

/** Whether anything happens where this is worked out, besides that it has a value; not in the functions that it makes. */
function hasEffect(ts, node) {
  if (ts.isFunctionLike(node)) return false
  const kind = ts.SyntaxKind
  return (
    ts.isCallLikeExpression(node) && !ts.isJsxOpeningLikeElement(node) || ts.isAwaitExpression(node) || ts.isYieldExpression(node) ||
    ts.isDeleteExpression(node) || ts.isPostfixUnaryExpression(node) ||
    ts.isPrefixUnaryExpression(node) && [kind.PlusPlusToken, kind.MinusMinusToken].includes(node.operator) ||
    ts.isBinaryExpression(node) && node.operatorToken.kind >= kind.FirstAssignment && node.operatorToken.kind <= kind.LastAssignment ||
    Boolean(ts.forEachChild(node, (child) => hasEffect(ts, child)))
  )
}

/** Only what declares a member by a type that is known from how it is used: no methods, no values. */
function isSafeMember(fix) {
  const text = fix.changes.flatMap((change) => change.textChanges.map((each) => each.newText)).join('')
  return fix.changes.length === 1 && /^\s*(?:"?[\w$]+"?\??: [^;,{}()]+[;,]?|[\w$]+,?)\s*$/.test(text) && !/\b(?:any|unknown|never|null|undefined|object)\b/.test(text)
}
