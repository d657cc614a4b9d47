// What an import names and what is there: modules that do not exist, names that a module does not export.

import path from 'node:path'
import { isBuiltin } from 'node:module'
import { isTypeOnly, removeBinding, replacedImport, styleOf, wholeLine } from './edits.mjs'

const ENDING = /(?:\.d)?\.[cm]?[jt]sx?$/
const STYLES = /\.(css|scss|sass|less)$/

/** Imports of local style sheets that do not exist: the compiler lets them pass, the dev server does not. */
export function missingSideEffects(project, sf) {
  const { ts } = project.workspace
  const found = []
  for (const statement of sf.statements) {
    if (!ts.isImportDeclaration(statement) || statement.importClause || !ts.isStringLiteral(statement.moduleSpecifier)) continue
    const specifier = statement.moduleSpecifier.text
    const places = STYLES.test(specifier) ? project.locations(specifier, sf.fileName) : []
    if (places.length && !places.some((place) => project.workspace.exists(place))) {
      found.push({
        start: statement.moduleSpecifier.getStart(sf), length: statement.moduleSpecifier.getWidth(sf), code: 2882,
        messageText: `Cannot find module or type declarations for side-effect import of '${specifier}'.`,
      })
    }
  }
  return found
}

/** Imports whose ending is another than the file's: the compiler finds it all the same, the dev server does not. */
export function wrongEndings(project, sf) {
  const found = []
  for (const literal of sf.imports ?? []) {
    const [place] = /\.tsx?$/.test(literal.text) ? project.locations(literal.text, sf.fileName) : []
    const other = place && (place.endsWith('x') ? place.slice(0, -1) : `${place}x`)
    if (!place || project.workspace.exists(place) || !project.workspace.exists(other)) continue
    found.push({
      start: literal.getStart(sf), length: literal.getWidth(sf), code: 2307,
      messageText: `Cannot find module '${literal.text}' or its corresponding type declarations.`,
    })
  }
  return found
}

/** 2307, 2792, 2306, 7016, 2882: the module is not there, or has no types. */
export function moduleRule(problem, tools) {
  const { ts, workspace, project } = tools
  const { sf, start } = problem
  const literal = tools.nodeAt(sf, start)
  if (!ts.isStringLiteralLike(literal)) return []
  const specifier = literal.text
  const local = /^(?:\.{1,2}(?:\/|$)|[@~]\/|\/|src\/)/.test(specifier) || project.locations(specifier, sf.fileName).length > 0
  const statement = ts.findAncestor(literal, (n) => ts.isImportDeclaration(n) || ts.isExportDeclaration(n))
  if (problem.number === 2882) return sideEffect(literal, tools)
  const candidates = elsewhere(literal, statement, tools, local)
  if (!local && !candidates.length) {
    const other = samePackage(literal, statement, tools)
    return other ? [other] : missingPackage(problem, specifier, tools)
  }
  return candidates
}

/** Packages that are imported and only there because another package brought them. */
export function undeclared({ ts, root, package: own, projects }) {
  const declared = { ...own.dependencies, ...own.devDependencies, ...own.peerDependencies }
  const found = new Set()
  for (const project of projects) {
    for (const sf of project.program.getSourceFiles()) {
      if (!sf.fileName.startsWith(root + '/') || sf.fileName.includes('/node_modules/') || sf.isDeclarationFile) continue
      for (const { text } of sf.imports ?? []) {
        if (/^[./#~]|^@\/|^virtual:/.test(text) || isBuiltin(text) || project.locations(text, sf.fileName).length) continue
        const name = text.split('/').slice(0, text.startsWith('@') ? 2 : 1).join('/')
        if (!Object.hasOwn(declared, name) && ts.sys.fileExists(path.join(root, 'node_modules', name, 'package.json'))) found.add(name)
      }
    }
  }
  return found
}

/** A package of the app that has a word of its name in common with the missing one, and all that is imported. */
function samePackage(literal, statement, tools) {
  const names = importedNames(tools.ts, statement)
  const words = (name) => name.split(/[-/@]/).filter((word) => word && word !== 'react')
  const homes = Object.keys(tools.workspace.package.dependencies ?? {}).filter((each) =>
    words(each).some((word) => words(literal.text).includes(word)) &&
    names.length > 0 && names.every(({ name }) => packageExports(tools, each)?.has(name)))
  if (homes.length !== 1) return undefined
  const quote = literal.getText(tools.sf)[0]
  return edit('module', tools.sf, literal.getStart(tools.sf), literal.end, quote + homes[0] + quote)
}

function packageExports({ ts, project, workspace, checker }, name) {
  const file = ts.resolveModuleName(name, path.join(workspace.root, 'src/x.ts'), project.options, ts.sys).resolvedModule?.resolvedFileName
  const sf = file && project.program.getSourceFile(file)
  const symbol = sf && checker.getSymbolAtLocation(sf)
  return symbol && new Map(checker.getExportsOfModule(symbol).map((each) => [each.name, each]))
}

function missingPackage(problem, specifier, { workspace }) {
  const name = specifier.split('/').slice(0, specifier.startsWith('@') ? 2 : 1).join('/')
  if (!/^(?:@[a-z0-9~][\w.~-]*\/)?[a-z0-9~][\w.~-]*$/i.test(name)) return []
  if (isBuiltin(specifier)) return [{ name: 'package', packages: ['@types/node'] }]
  if (problem.number === 7016) return [{ name: 'package', packages: [`@types/${name.replace(/^@/, '').replace('/', '__')}`] }]
  const declared = { ...workspace.package.dependencies, ...workspace.package.devDependencies }[name]
  const exact = declared && /^[\d^~]/.test(declared) ? `${name}@${declared.replace(/^[\^~]/, '')}` : name
  return [{ name: 'package', packages: [exact] }]
}

function sideEffect(literal, tools) {
  const { ts, workspace, sf } = tools
  const name = path.basename(literal.text)
  const all = new Set([...ts.sys.readDirectory(path.join(workspace.root, 'src'), ['.css', '.scss', '.sass', '.less']), ...workspace.ownFiles()])
  const sheets = [...all].filter((file) => workspace.exists(file) && path.basename(file).toLowerCase() === name.toLowerCase())
  // One that is nowhere was to have a look that only a model can give it: without the import all would seem well.
  if (sheets.length !== 1) return []
  const quote = literal.getText(sf)[0]
  const text = relativeSpecifier(sf.fileName, sheets[0], true)
  return [edit('module', sf, literal.getStart(sf), literal.end, quote + text + quote)]
}

/** The same names from another place: a file of the wanted name, else the only one that exports them. */
function elsewhere(literal, statement, tools, local) {
  const { ts, sf, workspace } = tools
  const names = importedNames(ts, statement)
  const wanted = path.basename(literal.text).replace(ENDING, '')
  const files = workspace.ownFiles().filter((file) => file !== sf.fileName && (ENDING.test(file) || /\.(vue|svelte)$/.test(file)))
  const stem = (file) => {
    const base = path.basename(file).replace(/\.\w+$/, '')
    return base === 'index' ? path.basename(path.dirname(file)) : base
  }
  const tail = literal.text.replace(/^(?:[@~.]*\/)+/, '').replace(ENDING, '').toLowerCase()
  const rank = (file) => {
    const own = workspace.relative(file).replace(/\.\w+$/, '').replace(/\/index$/, '').toLowerCase()
    return own === tail || own === `src/${tail}` ? 0 : own.endsWith(`/${tail}`) ? 1 : 2
  }
  const alike = files.filter((file) => loose(stem(file)) === loose(wanted))
  const named = (alike.length ? alike : files.filter((file) => differsByOne(stem(file), wanted))).sort((a, b) => rank(a) - rank(b))
  const fits = named.filter((file) => names.every((each) => matches(tools, file, each)))
  const best = fits.filter((file) => rank(file) === rank(fits[0]))
  const found = []
  if (best.length === 1) found.push(respecified(literal, best[0], names, tools))
  if (!local && !found.length) return []
  if (!names.length) return found
  // No file of that name: every name comes from where it is exported, if that is one place.
  const homes = names.map((each) => {
    const owners = files.filter((file) => exportsOf(tools, file)?.has(each.name === 'default' ? each.as : each.name))
    return owners.length === 1 ? { ...each, file: owners[0] } : undefined
  })
  if (!found.length && homes.every(Boolean)) {
    const wanted = homes.map(({ name, as, type, file }) => ({
      module: specifierFor(tools, sf, file), name: name === 'default' ? as : name, as, kind: 'named', type,
    }))
    if (ts.isImportDeclaration(statement)) found.push({ name: 'module', ...replacedImport(ts, sf, statement, undefined, wanted) })
  }
  return found
}

const loose = (name) => name.toLowerCase().replace(/[-_.]/g, '')

function matches(tools, file, { name, as }) {
  const exported = exportsOf(tools, file)
  if (!exported) return name === 'default' // a component of another kind of file
  return name === '*' || exported.has(name) || (name === 'default' && exported.has(as))
}

function respecified(literal, file, names, tools) {
  const { sf } = tools
  const quote = literal.getText(sf)[0]
  return edit('module', sf, literal.getStart(sf), literal.end, quote + specifierFor(tools, sf, file, literal.text) + quote)
}

export function importedNames(ts, statement) {
  const names = []
  if (statement && ts.isExportDeclaration(statement)) {
    if (statement.exportClause && ts.isNamedExports(statement.exportClause)) {
      for (const e of statement.exportClause.elements) names.push({ name: (e.propertyName ?? e.name).text, as: e.name.text, type: false })
    }
    return names
  }
  const clause = statement?.importClause
  if (!clause) return names
  const all = isTypeOnly(ts, clause)
  if (clause.name) names.push({ name: 'default', as: clause.name.text, type: all })
  if (clause.namedBindings && ts.isNamedImports(clause.namedBindings)) {
    for (const e of clause.namedBindings.elements) {
      names.push({ name: (e.propertyName ?? e.name).text, as: e.name.text, type: all || e.isTypeOnly })
    }
  } else if (clause.namedBindings) names.push({ name: '*', as: clause.namedBindings.name.text, type: all })
  return names
}

/** Name → symbol of what a file exports; undefined for a file that the compiler does not read. */
export function exportsOf(tools, file) {
  const { workspace } = tools
  tools.exported ??= new Map()
  if (!tools.exported.has(file)) {
    const program = (workspace.projectOf(file) ?? tools.project).program
    const sf = program.getSourceFile(file)
    const checker = program.getTypeChecker()
    const symbol = sf && checker.getSymbolAtLocation(sf)
    const found = sf && new Map((symbol ? checker.getExportsOfModule(symbol) : []).map((each) => [each.name, each]))
    tools.exported.set(file, found)
  }
  return tools.exported.get(file)
}

/** How `file` is named in an import of `sf`: by the alias where the file's imports or the old specifier use it. */
export function specifierFor({ ts, project }, sf, file, old = '') {
  const aliases = Object.entries(project.options.paths ?? {}).filter(([pattern]) => pattern.endsWith('/*'))
  const base = project.options.pathsBasePath ?? path.dirname(project.config)
  const kept = /\.[cm]?[jt]sx?$/.test(old) && !/\.[cm]?jsx?$/.test(old)
  const bare = (target) => (kept || /\.(vue|svelte)$/.test(target) ? target : target.replace(ENDING, '').replace(/\/index$/, ''))
  const written = sf.statements.filter((s) => ts.isImportDeclaration(s)).map((s) => s.moduleSpecifier.text ?? '')
  for (const [pattern, targets] of aliases) {
    const prefix = pattern.slice(0, -1)
    const folder = path.resolve(base, targets[0].slice(0, -1))
    if (!file.startsWith(folder + '/')) continue
    const relative = written.filter((s) => s.startsWith('.')).length
    const aliased = written.filter((s) => s.startsWith(prefix)).length
    if (old ? old.startsWith(prefix) : aliased > relative || !sf.fileName.startsWith(folder + '/')) {
      return prefix + bare(path.relative(folder, file))
    }
  }
  return bare(relativeSpecifier(sf.fileName, file, true))
}

function relativeSpecifier(from, to, whole) {
  const relative = path.relative(path.dirname(from), to)
  const dotted = relative.startsWith('.') ? relative : `./${relative}`
  return whole ? dotted : dotted.replace(ENDING, '')
}

/** 2305, 2614, 2613, 1192, 2724, 2459: the module is there, but not what is imported from it. */
export function exportRule(problem, tools) {
  const { ts, checker, workspace, sf } = tools
  const node = tools.nodeAt(sf, problem.start)
  const statement = ts.findAncestor(node, (n) => ts.isImportDeclaration(n) || ts.isExportDeclaration(n))
  if (!statement?.moduleSpecifier) return []
  const element = ts.findAncestor(node, (n) => ts.isImportSpecifier(n) || ts.isExportSpecifier(n))
  const target = checker.getSymbolAtLocation(statement.moduleSpecifier)?.declarations?.find(ts.isSourceFile)
  const own = target && workspace.isOwn(target.fileName) ? target : undefined
  const isDefault = !element || (element.propertyName ?? element.name).text === 'default'
  const as = element ? element.name.text : statement.importClause?.name?.text
  const name = isDefault ? 'default' : (element.propertyName ?? element.name).text
  if (!as) return []
  const type = statement.importClause ? isTypeOnly(ts, statement.importClause) || Boolean(element?.isTypeOnly) : false
  const module = statement.moduleSpecifier.text
  const exported = own ? exportsOf(tools, own.fileName) : moduleExports(tools, statement)
  const binding = element ?? statement.importClause.name
  const replace = (wanted) => ({ name: 'export', ...replacedImport(ts, sf, statement, binding, [{ as, type, ...wanted }]) })
  const found = []
  if (isDefault) {
    if (own && /main\.[jt]sx?$/.test(sf.fileName) && !exported?.has('default')) found.push(...exportDefault(own, as, tools))
    if (exported?.has(as)) found.push(replace({ module, name: as, kind: 'named' }))
    if (exported && !element && usedAsNamespace(statement.importClause.name, exported, tools)) found.push(replace({ module, name: as, kind: 'namespace' }))
    if (own) {
      found.push(...exportDefault(own, as, tools))
      const values = [...exported.values()].filter((s) => s.name !== 'default' && s.flags & ts.SymbolFlags.Value)
      if (values.length === 1 && loose(values[0].name) === loose(as)) found.push(replace({ module, name: values[0].name, kind: 'named' }))
    }
    return found
  }
  if (own) found.push(...exportDeclared(own, name, tools))
  const owners = workspace.ownFiles().filter((file) => file !== sf.fileName && file !== own?.fileName && exportsOf(tools, file)?.has(name))
  if (owners.length === 1) found.push(replace({ module: specifierFor(tools, sf, owners[0]), name, kind: 'named' }))
  if (exported?.has('default') && (!own || loose(path.basename(own.fileName).replace(/\.\w+$/, '')) === loose(name) || exported.get('default').valueDeclaration?.name?.text === name || aliasName(tools, exported.get('default')) === name)) {
    found.push(replace({ module, name: as, kind: 'default' }))
  }
  const suggested = /Did you mean '([^']+)'/.exec(problem.message)?.[1]
  const meant = exported?.has(suggested) ? suggested : nearest(name, exported)
  if (meant && element) found.push(renamed(element, name, meant, tools))
  if (!own) {
    const dependency = otherPackage(tools, name, module)
    if (dependency) found.push(replace({ module: dependency, name, kind: 'named' }))
  }
  return found
}

/** The only exported name that differs by one letter, or two that are swapped. */
function nearest(name, exported) {
  const near = [...(exported?.keys() ?? [])].filter((each) => each !== 'default' && differsByOne(name, each))
  return near.length === 1 ? near[0] : undefined
}

export function differsByOne(a, b) {
  if (loose(a) === loose(b)) return true
  if (Math.abs(a.length - b.length) > 1 || a.length < 4) return false
  let start = 0
  while (a[start] === b[start]) start++
  let [endA, endB] = [a.length, b.length]
  while (endA > start && endB > start && a[endA - 1] === b[endB - 1]) endA--, endB--
  const [restA, restB] = [a.slice(start, endA), b.slice(start, endB)]
  return Math.max(restA.length, restB.length) <= 1 || (restA.length === 2 && restA === restB[1] + restB[0])
}

function aliasName({ checker, ts }, symbol) {
  return symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol).name : symbol.name
}

function moduleExports({ checker }, statement) {
  const symbol = checker.getSymbolAtLocation(statement.moduleSpecifier)
  return symbol && new Map(checker.getExportsOfModule(symbol).map((each) => [each.name, each]))
}

/** Another package of the app that the program reads already and that exports the name. */
function otherPackage(tools, name, not) {
  const declared = Object.keys(tools.workspace.package.dependencies ?? {})
  const homes = declared.filter((each) => each !== not && packageExports(tools, each)?.has(name))
  return homes.length === 1 ? homes[0] : undefined
}

/** The import and everything that uses it take the name that exists. */
function renamed(element, name, suggested, { ts, checker, sf }) {
  const symbol = checker.getSymbolAtLocation(element.name)
  const edits = []
  const visit = (node) => {
    if (ts.isIdentifier(node) && node.text === name && checker.getSymbolAtLocation(node) === symbol && !ts.isShorthandPropertyAssignment(node.parent)) {
      edits.push({ file: sf.fileName, start: node.getStart(sf), end: node.end, text: suggested })
    }
    ts.forEachChild(node, visit)
  }
  if (element.propertyName) edits.push({ file: sf.fileName, start: element.propertyName.getStart(sf), end: element.propertyName.end, text: suggested })
  else visit(sf)
  return { name: 'export', edits }
}

/** Whether a binding is only used to reach what the module exports. */
function usedAsNamespace(binding, exported, { ts, checker, sf }) {
  const symbol = checker.getSymbolAtLocation(binding)
  let uses = 0
  let fits = true
  const visit = (node) => {
    if (ts.isIdentifier(node) && node !== binding && node.text === binding.text && checker.getSymbolAtLocation(node) === symbol) {
      uses++
      fits &&= ts.isPropertyAccessExpression(node.parent) && node.parent.expression === node && exported.has(node.parent.name.text)
    }
    ts.forEachChild(node, visit)
  }
  visit(sf)
  return fits && uses > 0
}

function exportDefault(target, name, { ts }) {
  const declared = target.statements.flatMap((s) => declaredNames(ts, s))
  const components = declared.filter((each) => each.name === name)
  const chosen = components[0] ?? (declared.filter((each) => each.value).length === 1 ? declared.find((each) => each.value) : undefined)
  if (!chosen || !chosen.value) return []
  if (loose(chosen.name) !== loose(name) && loose(path.basename(target.fileName).replace(/\.\w+$/, '')) !== loose(chosen.name)) return []
  const { semicolon, newLine } = styleOf(target)
  const gap = target.text.endsWith('\n') ? newLine : newLine + newLine
  return [edit('export', target, target.text.length, target.text.length, `${gap}export default ${chosen.name}${semicolon}${newLine}`)]
}

function exportDeclared(target, name, { ts }) {
  const statement = target.statements.find((s) => declaredNames(ts, s).some((each) => each.name === name))
  if (!statement || statement.modifiers?.some((m) => m.kind === ts.SyntaxKind.ExportKeyword)) return []
  if (ts.isVariableStatement(statement) && statement.declarationList.declarations.length > 1) return []
  const at = statement.getStart(target)
  return [edit('export', target, at, at, 'export ')]
}

function declaredNames(ts, statement) {
  if (ts.isVariableStatement(statement)) {
    return statement.declarationList.declarations.filter((d) => ts.isIdentifier(d.name)).map((d) => ({ name: d.name.text, value: true }))
  }
  const value = ts.isFunctionDeclaration(statement) || ts.isClassDeclaration(statement) || ts.isEnumDeclaration(statement)
  const type = ts.isInterfaceDeclaration(statement) || ts.isTypeAliasDeclaration(statement)
  return (value || type) && statement.name ? [{ name: statement.name.text, value }] : []
}

/** 2300, 2440, 2451, 2528, 2323, 2484: the same name twice, because it is imported or exported twice. */
export function duplicateRule(problem, tools) {
  const { ts, sf } = tools
  const node = tools.nodeAt(sf, problem.start)
  const take = (what) => ({ name: 'duplicate', edits: [{ file: sf.fileName, ...what }] })
  const assignment = ts.findAncestor(node, ts.isExportAssignment)
  if (problem.number === 2528 || problem.number === 2323) {
    const all = sf.statements.filter((s) => ts.isExportAssignment(s) && ts.isIdentifier(s.expression))
    const inline = sf.statements.find((s) => s.modifiers?.some((m) => m.kind === ts.SyntaxKind.DefaultKeyword))
    const spare = all.find((s) => s.expression.text === inline?.name?.text) ?? (!inline && all.length > 1 && all[0].expression.text === all[1].expression.text ? all[1] : undefined)
    if (spare) return [take(wholeLine(sf, spare))]
  }
  if (assignment) return []
  const exported = ts.findAncestor(node, ts.isExportSpecifier)
  if (exported && !exported.parent.parent.moduleSpecifier) return [take(removeBinding(ts, sf, exported))]
  const name = node.text
  const bindings = sf.statements.filter(ts.isImportDeclaration).flatMap((d) => {
    const clause = d.importClause
    if (!clause) return []
    const named = clause.namedBindings && ts.isNamedImports(clause.namedBindings) ? [...clause.namedBindings.elements] : []
    return [...(clause.name ? [clause.name] : []), ...named].filter((b) => (ts.isIdentifier(b) ? b.text : b.name.text) === name)
  })
  if (problem.number === 2440 && bindings.length === 1) return [take(removeBinding(ts, sf, bindings[0]))]
  return bindings.length > 1 ? bindings.slice(1).reverse().map((binding) => take(removeBinding(ts, sf, binding))) : []
}

function edit(name, sf, start, end, text) {
  return { name, edits: [{ file: sf.fileName, start, end, text }] }
}
