// Settings: what tsconfig, package.json and Vite's configuration say wrongly, or not in the same words.

import path from 'node:path'

const DEPRECATED = [5101, 5102, 5107, 5108]
/** Errors of the options as a whole that are told; others may come from how the service itself is set up. */
export const TOLD_OPTIONS = new Set([2688, 5090, ...DEPRECATED])
export const OPTION_ERRORS = [1005, 2688, 5023, 5025, 18003, 6053, ...DEPRECATED]
/** Errors in code that a setting may be the cause of. */
export const SETTING_ERRORS = [2307, 17004, 2686, 6142, 2550, 2583, 2584, 2585, 2568]
export const NO_ALIAS = 'vite-alias'

const VITE_CONFIGS = ['vite.config.ts', 'vite.config.mts', 'vite.config.js', 'vite.config.mjs']
const ENDINGS = ['', '.ts', '.tsx', '.d.ts', '.js', '.jsx', '/index.ts', '/index.tsx']
// Packages that do the same and are called alike.
const SAME = [['@vitejs/plugin-react', '@vitejs/plugin-react-swc']]

/** What is wrong in a tsconfig. */
export function optionRule(problem, tools) {
  const { sf, number, message } = problem
  const settings = settingsOf(tools.ts, sf)
  if (!settings) return []
  switch (number) {
    case 1005:
      return missingComma(problem)
    case 5025:
      return misspelled(problem, settings)
    case 2688:
      return typesOfNothing(problem, settings, tools)
    case 6053:
      return withoutElement(sf, list(tools.ts, settings.root, 'references'), problem.start)
    case 18003:
      return includesNothing(settings, tools)
    default:
      return DEPRECATED.includes(number) ? deprecated(problem, settings, tools) : []
  }

  function missingComma({ start }) {
    const before = sf.text.slice(0, start)
    return message === "',' expected." && !/(?:\/\/[^\n]*|\*\/)\s*$/.test(before) ? [edit(sf, before.trimEnd().length, before.trimEnd().length, ',')] : []
  }
}

/** What is wrong in a file because of its tsconfig. */
export function settingRule(problem, tools) {
  const { ts, project } = tools
  const settings = settingsOf(ts, project.json)
  if (!settings?.options) return []
  switch (problem.number) {
    case 2307:
      return aliasOfVite(problem, settings, tools)
    case 17004:
    case 2686:
    case 6142:
      return jsxOfReact(settings, tools)
    default:
      return newerLibrary(problem, settings, tools)
  }
}

/** 2307 in Vite's configuration: a plugin that is installed under the name of its sister. */
export function pluginRule(problem, tools) {
  if (!VITE_CONFIGS.includes(problem.file)) return []
  const declared = { ...tools.workspace.package.dependencies, ...tools.workspace.package.devDependencies }
  const literal = tools.nodeAt(problem.sf, problem.start)
  const pair = SAME.find((names) => names.includes(literal.text))
  const other = pair?.find((name) => name !== literal.text && Object.hasOwn(declared, name))
  if (!other || Object.hasOwn(declared, literal.text)) return []
  return [edit(problem.sf, literal.getStart(problem.sf) + 1, literal.end - 1, other)]
}

/** An alias that imports are written with, that the compiler knows and Vite does not; at most one problem. */
export function missingAlias(project) {
  const { workspace } = project
  const { ts } = workspace
  const vite = viteConfig(workspace)
  // What other files or plugins bring to the configuration cannot be seen in it.
  if (!vite || /alias|tsconfig-?paths|mergeConfig|from\s+['"]\./i.test(vite.text)) return []
  for (const [pattern, [target] = []] of Object.entries(project.options.paths ?? {})) {
    const folder = pattern.endsWith('/*') && target?.endsWith('/*') && path.resolve(project.options.pathsBasePath ?? path.dirname(project.config), target.slice(0, -2))
    if (!folder) continue
    if (!project.imports().some(({ text, file }) => text.startsWith(pattern.slice(0, -1)) && isThere(project, text, file))) continue
    const object = configObject(ts, vite)
    if (!object) return []
    const [name, place] = [pattern.slice(0, -2), `/${workspace.relative(folder)}`]
    return [{
      file: vite, start: object.getStart(vite), length: 1, code: NO_ALIAS, alias: { name, place, object },
      messageText: `Files are imported by '${pattern}', which ${path.basename(project.config)} knows and ${workspace.relative(vite.fileName)} does not: it has no alias '${name}' for '${place}'.`,
    }]
  }
  return []
}

function isThere(project, specifier, from) {
  return project.locations(specifier, from).some((place) => ENDINGS.some((ending) => project.workspace.exists(place + ending)))
}

/** The alias that Vite lacks. */
export function aliasRule({ sf, alias: { name, place, object } }, { ts }) {
  const resolve = object.properties.find((each) => each.name?.text === 'resolve')
  if (resolve && !ts.isObjectLiteralExpression(resolve.initializer)) return []
  const entry = `alias: { '${name}': '${place}' }`
  return [resolve ? intoObject(sf, resolve.initializer, entry) : intoObject(sf, object, `resolve: { ${entry} }`)]
}

function misspelled({ sf, start, message }, { root }) {
  const better = /Did you mean '([^']+)'\?/.exec(message)?.[1]
  const property = better && memberAt(root, sf, start)
  return property ? [edit(sf, property.name.getStart(sf), property.name.end, `"${better}"`)] : []
}

/** An entry of `types` whose package the app does not have. */
function typesOfNothing({ message }, settings, { ts, workspace }) {
  const name = /definition file for '([^']+)'/.exec(message)?.[1] ?? ''
  const owner = name.split('/').slice(0, name.startsWith('@') ? 2 : 1).join('/')
  const declared = { ...workspace.package.dependencies, ...workspace.package.devDependencies }
  if (Object.hasOwn(declared, owner) || Object.hasOwn(declared, `@types/${owner}`)) return []
  const types = list(ts, settings.options, 'types')
  const entry = types?.elements.find((each) => each.text === name)
  return entry ? withoutElement(settings.sf, types, entry.getStart(settings.sf)) : []
}

function includesNothing(settings, { ts, workspace }) {
  const include = list(ts, settings.root, 'include')
  if (include?.elements.length !== 1) return []
  const here = path.dirname(settings.sf.fileName)
  const [entry] = include.elements
  const wrong = path.join(here, String(entry.text).split(/[*]/)[0])
  if (wrong === here + path.sep || ts.sys.directoryExists(wrong)) return []
  return ts.sys.directoryExists(path.join(here, 'src')) || workspace.ownFiles().some((file) => file.startsWith(path.join(here, 'src/')))
    ? [edit(settings.sf, entry.getStart(settings.sf), entry.end, '"src"')]
    : []
}

function deprecated({ message }, settings, { ts }) {
  const { sf, options } = settings
  const [, name, value] = /Option '(\w+)(?:=(\w+))?'/.exec(message) ?? []
  const property = options && member(options, name)
  if (!property) return []
  if (name === 'moduleResolution' && /node/i.test(value ?? '')) {
    const module = member(options, 'module')?.initializer.text ?? ''
    // A bundler reads what is written as ES modules.
    return /^(?:es|preserve)/i.test(module) ? [edit(sf, property.initializer.getStart(sf), property.initializer.end, '"bundler"')] : []
  }
  if (name === 'baseUrl' && /^\.\/?$/.test(property.initializer.text ?? '')) return [withoutBaseUrl(settings, property, ts)]
  return value ? [] : [withoutMember(sf, options, property)]
}

/** Without a base the targets of `paths` begin at the file's own folder, and must say so. */
function withoutBaseUrl({ sf, options }, property, ts) {
  const removal = withoutMember(sf, options, property)
  const paths = member(options, 'paths')?.initializer
  const targets = paths && ts.isObjectLiteralExpression(paths) ? paths.properties.flatMap((each) => [...(each.initializer?.elements ?? [])]) : []
  const bare = targets.filter((each) => !/^[./]/.test(each.text))
  return { ...removal, edits: [...removal.edits, ...bare.map((each) => ({ file: sf.fileName, start: each.getStart(sf) + 1, end: each.getStart(sf) + 1, text: './' }))] }
}

function jsxOfReact({ sf, options }, { workspace }) {
  const react = /\d+/.exec(workspace.package.dependencies?.react ?? '')?.[0]
  if (!(Number(react) >= 17)) return []
  const jsx = member(options, 'jsx')
  if (/^react-jsx/.test(jsx?.initializer.text ?? '')) return []
  return [jsx ? edit(sf, jsx.initializer.getStart(sf), jsx.initializer.end, '"react-jsx"') : intoObject(sf, options, '"jsx": "react-jsx"')]
}

/** The compiler says from which library on there is such a member. */
function newerLibrary({ message }, { sf, options }, { ts }) {
  const wanted = /Try changing the 'lib' compiler option to '(es\d+|esnext|dom)' or later/.exec(message)?.[1]
  const lib = list(ts, options, 'lib')
  const entry = wanted?.startsWith('es') && lib?.elements.find((each) => /^es(?:\d+|next)$/i.test(each.text))
  if (!entry) return []
  const text = /[A-Z]/.test(entry.text) ? wanted.replace('es', 'ES').replace('next', 'Next') : wanted
  return [edit(sf, entry.getStart(sf), entry.end, `"${text}"`)]
}

/** An alias that Vite knows, and whose file is there. */
function aliasOfVite(problem, { sf, options }, { ts, workspace, project, nodeAt }) {
  if (member(options, 'paths')) return []
  const specifier = nodeAt(problem.sf, problem.start).text ?? ''
  const vite = viteConfig(workspace)
  const found = vite && aliases(ts, vite).find(({ name }) => specifier.startsWith(`${name}/`))
  if (!found) return []
  const file = path.join(path.dirname(vite.fileName), found.folder, specifier.slice(found.name.length + 1))
  if (!ENDINGS.some((ending) => workspace.exists(file + ending))) return []
  const target = path.relative(path.dirname(project.config), path.join(path.dirname(vite.fileName), found.folder)).split(path.sep).join('/')
  return [intoObject(sf, options, `"paths": { "${found.name}/*": ["./${target}/*"] }`)]
}

/** `{name, folder}` of every alias of Vite's configuration that names a folder in plain words. */
function aliases(ts, vite) {
  const found = []
  const visit = (node) => {
    if (ts.isPropertyAssignment(node) && node.name.text === 'alias' && ts.isObjectLiteralExpression(node.initializer)) {
      for (const each of node.initializer.properties) {
        const folders = ts.isPropertyAssignment(each) ? [...each.initializer.getText(vite).matchAll(/['"`]\.?\/([\w./-]+?)\/?['"`]/g)] : []
        if (folders.length === 1) found.push({ name: each.name.text.replace(/\/$/, ''), folder: folders[0][1] })
      }
    }
    ts.forEachChild(node, visit)
  }
  visit(vite)
  return found
}

function viteConfig(workspace) {
  const name = VITE_CONFIGS.find((each) => workspace.exists(workspace.absolute(each)))
  const file = name && workspace.absolute(name)
  return file && workspace.ts.createSourceFile(file, workspace.text(file), workspace.ts.ScriptTarget.Latest, true)
}

/** The object that Vite's configuration exports. */
function configObject(ts, vite) {
  const exported = vite.statements.find((each) => ts.isExportAssignment(each))?.expression
  const value = exported && ts.isCallExpression(exported) ? exported.arguments[0] : exported
  return value && ts.isObjectLiteralExpression(value) ? value : undefined
}

function settingsOf(ts, sf) {
  const root = sf?.statements?.[0]?.expression
  if (!root || !ts.isObjectLiteralExpression(root)) return undefined
  const options = member(root, 'compilerOptions')?.initializer
  return { sf, root, options: options && ts.isObjectLiteralExpression(options) ? options : undefined }
}

function member(object, name) {
  return object.properties.find((each) => each.name?.text === name && each.initializer)
}

function list(ts, object, name) {
  const value = object && member(object, name)?.initializer
  return value && ts.isArrayLiteralExpression(value) ? value : undefined
}

function memberAt(object, sf, start) {
  for (const each of object.properties) {
    if (each.name?.getStart(sf) === start) return each
    const inner = each.initializer?.properties && memberAt(each.initializer, sf, start)
    if (inner) return inner
  }
  return undefined
}

function withoutElement(sf, array, start) {
  const found = array?.elements.find((each) => each.getStart(sf) <= start && start < each.end)
  return found ? [without(sf, array.elements, found)] : []
}

function withoutMember(sf, object, property) {
  return without(sf, object.properties, property)
}

function without(sf, all, one) {
  const index = all.indexOf(one)
  if (index > 0) return edit(sf, all[index - 1].end, one.end, '')
  return edit(sf, one.getStart(sf), all[1]?.getStart(sf) ?? one.end, '')
}

/** A member more in an object, after its last one, on a line of its own where the others have theirs. */
function intoObject(sf, object, text) {
  const last = object.properties.at(-1)
  if (!last) return edit(sf, object.getStart(sf) + 1, object.end - 1, ` ${text} `)
  const indent = /\n[ \t]*$/.exec(sf.text.slice(object.getStart(sf), last.getStart(sf)))?.[0]
  const comma = object.properties.hasTrailingComma
  const at = comma ? sf.text.indexOf(',', last.end) + 1 : last.end
  return edit(sf, at, at, `${comma ? '' : ','}${indent ?? ' '}${text}${comma ? ',' : ''}`)
}

function edit(sf, start, end, text) {
  return { name: 'config', edits: [{ file: sf.fileName, start, end, text }] }
}
