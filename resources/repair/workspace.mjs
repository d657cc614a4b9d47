// The project as its compiler sees it: every tsconfig it is made of, over the disk with opened texts on top.

import fs from 'node:fs'
import path from 'node:path'
import { componentOf, isComponent, moduleOf, scriptOf, shadowOf } from './components.mjs'
import { missingAlias, TOLD_OPTIONS } from './config.mjs'
import { misplacedHooks } from './hooks.mjs'
import { missingSideEffects, wrongEndings } from './modules.mjs'

const UNSEEN_KINDS = /\.(vue|svelte)$/ // files the plain compiler cannot read

export class Workspace {
  constructor(ts, root) {
    this.ts = ts
    this.root = root
    this.overlays = new Map()
    this.edition = 0
    this.components = new Map()
    this.refresh()
  }

  open(files) {
    for (const [name, text] of Object.entries(files)) {
      const file = this.absolute(name)
      if (this.overlays.get(file)?.text === text) continue
      const before = this.exists(file)
      this.overlays.set(file, { text, version: `o${++this.edition}` })
      if (before !== (text !== null)) this.filesChanged = true
    }
  }

  forget(names) {
    for (const file of names ? names.map((name) => this.absolute(name)) : [...this.overlays.keys()]) {
      if (this.overlays.delete(file)) this.filesChanged = true
    }
    this.edition++
  }

  /** Look into these components too, whose checker found errors at `{file, line, column}`; into none where there are none. */
  lookInto(told) {
    this.components = new Map()
    for (const each of told) {
      const file = this.absolute(each.file)
      if (!this.exists(file) || (!this.components.has(file) && this.exists(shadowOf(file)))) continue // one of its own
      this.components.set(file, [...(this.components.get(file) ?? []), each])
    }
    this.filesChanged = true
    this.edition++
    // What only their own checker can judge, such as the markup and the framework's own words, is left to it.
    this.unjudged = undefined
    this.unjudged = new Set(this.componentProblems().filter((problem) => !this.isTold(problem)).map(({ key }) => key))
  }

  isTold({ file, line, column }) {
    const told = this.components.get(this.absolute(file)) ?? []
    return told.some((each) => each.line === line && each.column === column)
  }

  componentProblems() {
    if (!this.components.size) return []
    this.sync()
    const found = this.projects.flatMap((project) => [...this.components.keys()].flatMap((component) => {
      const sf = project.program.getSourceFile(shadowOf(component))
      return sf ? project.problemsOf(sf) : []
    }))
    return found.filter(({ key }) => !this.unjudged?.has(key))
  }

  /** The component that a file of the compiler's stands for. */
  component(file) {
    const component = componentOf(file)
    return component && this.components.has(component) ? component : undefined
  }

  /** Packages or settings have changed: everything is read anew. */
  refresh() {
    this.projects?.forEach((project) => project.service.dispose())
    this.registry = this.ts.createDocumentRegistry()
    this.looked = new Map()
    this.filesChanged = true
    this.edition++
    this.projects = configFiles(this.ts, this.root).map((config) => new Project(this, config))
  }

  /** package.json; empty where there is none that can be read. */
  get package() {
    const text = this.text(this.absolute('package.json'))
    if (this.manifest?.text !== text) this.manifest = { text, value: parsedJson(text) ?? {} }
    return this.manifest.value
  }

  absolute(name) {
    return path.join(this.root, name)
  }

  relative(file) {
    return path.relative(this.root, this.component(file) ?? file).split(path.sep).join('/')
  }

  isOwn(file) {
    return file.startsWith(this.root + '/') && !file.includes('/node_modules/')
  }

  exists(file) {
    if (this.component(file)) return true
    const overlay = this.overlays.get(file)
    if (overlay) return overlay.text !== null
    if (this.isOwn(file)) return this.ts.sys.fileExists(file)
    let found = this.looked.get(file)
    if (found === undefined) this.looked.set(file, (found = this.ts.sys.fileExists(file)))
    return found
  }

  text(file) {
    const component = this.component(file)
    return component ? moduleOf(this.source(component)) : this.source(file)
  }

  /** The whole text of a file, also where the compiler is shown a part. */
  source(file) {
    file = this.component(file) ?? file
    const overlay = this.overlays.get(file)
    return overlay ? (overlay.text ?? undefined) : this.ts.sys.readFile(file)
  }

  version(file) {
    file = this.component(file) ?? file
    const overlay = this.overlays.get(file)
    if (overlay) return overlay.version
    if (!this.isOwn(file)) return '1'
    const stat = fs.statSync(file, { throwIfNoEntry: false })
    return stat ? `${stat.mtimeMs}/${stat.size}` : ''
  }

  /** Look what changed on the disk; before each answer. */
  sync() {
    for (const project of this.projects) project.sync()
    this.filesChanged = false
  }

  /** Every error of the whole project, in the order of the files. */
  problems() {
    this.sync()
    const found = new Map()
    for (const project of this.projects) {
      // An alias may be missing in a file that is none of this project's.
      for (const problem of [...project.problems(), ...missingAlias(project).map((each) => project.problem(each))]) if (!found.has(problem.place)) found.set(problem.place, problem)
    }
    for (const problem of this.componentProblems()) found.set(problem.place, problem)
    for (const problem of this.missingProjects()) found.set(problem.place, problem)
    return [...found.values()].sort((a, b) => (a.file < b.file ? -1 : a.file > b.file ? 1 : a.start - b.start))
  }

  /** What the root tsconfig refers to and is not there. */
  missingProjects() {
    const { ts } = this
    const [project] = this.projects
    const json = project && ts.parseJsonText(this.absolute('tsconfig.json'), this.text(this.absolute('tsconfig.json')) ?? '{}')
    const members = json?.statements[0]?.expression.properties ?? []
    const references = members.find((each) => each.name?.text === 'references')?.initializer?.elements ?? []
    return references.flatMap((reference) => {
      const given = reference.properties?.find((each) => each.name?.text === 'path')?.initializer?.text
      const target = given && path.resolve(this.root, given)
      if (!target || this.exists(target) || ts.sys.directoryExists(target)) return []
      const start = reference.getStart(json)
      return [project.problem({ file: json, start, length: reference.end - start, code: 6053, messageText: `File '${target}' not found.` })]
    })
  }

  /** The errors of one file alone; of one that belongs to no project only whether it can be read. */
  problemsOf(name) {
    this.sync()
    const file = this.absolute(name)
    const project = this.projectOf(file)
    if (project) return project.problemsOf(project.program.getSourceFile(file), project.program)
    const settings = this.projects.find(({ config }) => config === file)
    if (settings) return settings.configErrors.map((error) => settings.problem({ ...error, file: error.file ?? settings.json }))
    const [any] = this.projects
    return any ? this.unreadable(file).map((error) => ({ ...any.problem(error, true), file: name })) : []
  }

  /** What the compiler cannot read of a file, in a component of its script. */
  unreadable(file) {
    const { ts } = this
    const text = this.source(file) ?? ''
    if (file.endsWith('.json')) return ts.parseJsonText(file, text).parseDiagnostics
    const component = isComponent(file)
    const compilerOptions = { allowJs: true, jsx: ts.JsxEmit.Preserve, target: ts.ScriptTarget.ESNext, module: ts.ModuleKind.ESNext }
    const asked = { fileName: component ? shadowOf(file) : file, reportDiagnostics: true, compilerOptions }
    return ts.transpileModule(component ? scriptOf(text) : text, asked).diagnostics.filter((each) => each.file)
  }

  projectOf(file) {
    return this.projects.find((project) => project.program?.getSourceFile(file))
  }

  ownFiles() {
    const files = new Set()
    for (const project of this.projects) for (const file of project.fileNames) files.add(file)
    for (const [file, overlay] of this.overlays) if (overlay.text !== null) files.add(file)
    return [...files]
  }
}

/** One tsconfig with its language service; `program` is the newest after `sync`. */
class Project {
  constructor(workspace, config) {
    this.workspace = workspace
    this.config = config
    this.fileNames = []
    this.versions = new Map()
    this.revision = 0
    this.cache = new WeakMap()
    this.service = workspace.ts.createLanguageService(this.host(), workspace.registry)
  }

  host() {
    const { ts, root } = this.workspace
    const workspace = this.workspace
    return {
      getCompilationSettings: () => this.options,
      getScriptFileNames: () => this.fileNames,
      getScriptVersion: (file) => this.versions.get(file) ?? workspace.version(file),
      getScriptSnapshot: (file) => {
        const text = workspace.text(file)
        return text === undefined ? undefined : ts.ScriptSnapshot.fromString(text)
      },
      getProjectVersion: () => String(this.revision),
      getCurrentDirectory: () => root,
      getDefaultLibFileName: (options) => ts.getDefaultLibFilePath(options),
      hasInvalidatedResolutions: (file) => this.invalidated && workspace.isOwn(file),
      fileExists: (file) => workspace.exists(file),
      readFile: (file) => workspace.text(file),
      directoryExists: (folder) =>
        ts.sys.directoryExists(folder) || [...workspace.overlays.keys()].some((file) => file.startsWith(folder + '/')),
      getDirectories: ts.sys.getDirectories,
      readDirectory: ts.sys.readDirectory,
      realpath: ts.sys.realpath,
      useCaseSensitiveFileNames: () => true,
      getPackageJsonAutoImportProvider: () => this.unusedPackages(),
    }
  }

  /** The app's packages that no file imports yet: names may come from them as well. */
  unusedPackages() {
    const { ts, root, package: own } = this.workspace
    const host = { fileExists: ts.sys.fileExists, readFile: ts.sys.readFile }
    const entries = Object.keys(own.dependencies ?? {}).flatMap((name) => {
      const found = ts.resolveModuleName(name, path.join(root, 'src/x.ts'), this.options, host).resolvedModule
      return found?.extension?.endsWith('ts') && !this.program.getSourceFile(found.resolvedFileName) ? [found.resolvedFileName] : []
    })
    const key = entries.join()
    if (this.unused?.key !== key) {
      const options = { ...this.options, noLib: true, types: [], noResolve: false }
      this.unused = { key, program: entries.length ? ts.createProgram(entries, options) : undefined }
    }
    return this.unused.program
  }

  sync() {
    const { ts, overlays, root } = this.workspace
    const json = ts.parseJsonText(this.config, this.workspace.text(this.config) ?? '{}')
    const parsed = ts.parseJsonSourceFileConfigFileContent(json, ts.sys, path.dirname(this.config), undefined, this.config)
    const names = new Set(parsed.fileNames)
    const covers = coverage(parsed.raw, path.dirname(this.config), root)
    for (const [file, overlay] of overlays) {
      if (overlay.text === null) names.delete(file)
      else if (covers(file)) names.add(file)
    }
    for (const component of this.workspace.components.keys()) if (covers(shadowOf(component))) names.add(shadowOf(component))
    const { incremental: _i, tsBuildInfoFile: _t, composite: _c, ...options } = parsed.options
    options.noEmit = true
    // Files that are not there may be on their way, or stand above the disk.
    const errors = parsed.errors.filter((error) => error.code !== 18003 || !names.size)
    this.configErrors = [...new Set([...json.parseDiagnostics, ...errors])]
    const told = json.text + JSON.stringify({ ...options, configFile: undefined }) // the options may come from elsewhere
    let changed = this.workspace.filesChanged || told !== this.told
    Object.assign(this, { json, told })
    this.invalidated = this.workspace.filesChanged || names.size !== this.fileNames.length
    const known = new Set([...names, ...this.versions.keys()])
    for (const file of known) {
      const version = this.workspace.version(file)
      if (this.versions.get(file) !== version) {
        this.versions.set(file, version)
        changed = true
      }
    }
    if (!changed && names.size === this.fileNames.length) return
    this.options = options
    this.fileNames = [...names]
    this.revision++
    this.program = this.service.getProgram()
    for (const sf of this.program.getSourceFiles()) {
      if (this.workspace.isOwn(sf.fileName)) this.versions.set(sf.fileName, this.workspace.version(sf.fileName))
    }
    this.builder = ts.createSemanticDiagnosticsBuilderProgram(
      this.program,
      { createHash: ts.sys.createHash, useCaseSensitiveFileNames: () => true },
      this.builder,
    )
    this.found = undefined
  }

  problems() {
    if (this.found) return this.found
    while (this.builder.getSemanticDiagnosticsOfNextAffectedFile()) continue
    const options = this.service.getCompilerOptionsDiagnostics().filter(({ code }) => TOLD_OPTIONS.has(code))
    this.found = [...this.configErrors, ...options].map((error) => this.problem({ ...error, file: error.file ?? this.json }))
    for (const sf of this.program.getSourceFiles()) {
      if (this.workspace.isOwn(sf.fileName) && !this.workspace.component(sf.fileName)) this.found.push(...this.problemsOf(sf))
    }
    return this.found
  }

  problemsOf(sf, checked = this.builder) {
    const { ts } = this.workspace
    const syntactic = this.program.getSyntacticDiagnostics(sf)
    const semantic = checked.getSemanticDiagnostics(sf)
    const found = []
    for (const [list, syntax] of [[syntactic, true], [semantic, false]]) {
      for (const diagnostic of list) {
        if (diagnostic.category !== ts.DiagnosticCategory.Error || this.isUnseen(sf, diagnostic)) continue
        found.push(this.problem(diagnostic, syntax))
      }
    }
    if (syntactic.length) return found
    let own = this.cache.get(sf)
    if (!own) this.cache.set(sf, (own = misplacedHooks(ts, sf)))
    for (const extra of [...own, ...missingSideEffects(this, sf), ...wrongEndings(this, sf)]) found.push(this.problem({ file: sf, ...extra }))
    return found
  }

  /** What the app's own files import, types aside. */
  imports() {
    const own = this.program.getSourceFiles().filter((sf) => this.workspace.isOwn(sf.fileName) && !sf.isDeclarationFile)
    return own.flatMap((sf) => (sf.imports ?? [])
      .filter((literal) => !literal.parent?.importClause?.isTypeOnly)
      .map(({ text }) => ({ text, file: sf.fileName })))
  }

  isUnseen(sf, { code, start, length }) {
    if (code !== 2307) return false
    const wanted = sf.text.slice(start + 1, start + length - 1)
    return UNSEEN_KINDS.test(wanted) && this.locations(wanted, sf.fileName).some((file) => this.workspace.exists(file))
  }

  /** Where a local specifier may point, without its endings: relative, or by the project's aliases. */
  locations(specifier, from) {
    if (/^\.{1,2}(\/|$)/.test(specifier)) return [path.resolve(path.dirname(from), specifier)]
    const found = []
    const base = this.options.pathsBasePath ?? path.dirname(this.config)
    for (const [pattern, targets] of Object.entries(this.options.paths ?? {})) {
      const star = pattern.indexOf('*')
      const matches = star < 0 ? specifier === pattern : specifier.startsWith(pattern.slice(0, star))
      if (!matches) continue
      for (const target of targets) {
        found.push(path.resolve(base, star < 0 ? target : target.replace('*', specifier.slice(star))))
      }
    }
    return found
  }

  problem({ file: sf, start = 0, length = 0, code, messageText, relatedInformation, alias }, syntax = false) {
    const { ts } = this.workspace
    const message = ts.flattenDiagnosticMessageText(messageText, '\n').split('\n').map((l) => l.trim()).join('\n')
    const place = sf ? sf.getLineAndCharacterOfPosition(start) : undefined
    const file = sf ? this.workspace.relative(sf.fileName) : ''
    const name = typeof code === 'number' ? `TS${code}` : code
    return {
      project: this, sf, start, length, code: name, number: typeof code === 'number' ? code : 0, message, file, syntax,
      related: relatedInformation ?? [], alias,
      line: place ? place.line + 1 : 0,
      column: place ? place.character + 1 : 0,
      key: `${file}|${name}|${message}`,
      place: `${file}|${start}|${name}|${message}`,
    }
  }
}

/** The tsconfigs that hold files: what the root one refers to, and itself where it has files. */
function configFiles(ts, root) {
  const found = []
  const visit = (file) => {
    if (found.includes(file) || !ts.sys.fileExists(file)) return
    const config = ts.readConfigFile(file, ts.sys.readFile).config ?? {}
    const references = config.references ?? []
    if (!(Array.isArray(config.files) && config.files.length === 0 && !config.include)) {
      if (!references.length || config.include || config.files) found.push(file)
    }
    for (const reference of references) {
      const target = path.resolve(path.dirname(file), String(reference.path ?? ''))
      visit(ts.sys.directoryExists(target) ? path.join(target, 'tsconfig.json') : target)
    }
  }
  visit(path.join(root, 'tsconfig.json'))
  if (!found.length) visit(path.join(root, 'tsconfig.app.json'))
  return found
}

/** Whether a new file belongs to a config, by its `include`. */
function coverage(raw, folder, root) {
  const include = raw?.include ?? (raw?.files ? [] : ['**/*'])
  const patterns = include.map((entry) => {
    const absolute = path.resolve(folder, entry)
    const source = absolute.replace(/[.+^${}()|[\]\\]/g, '\\$&').replace(/\*\*\/|\*\*|\*|\?/g, (glob) =>
      glob === '**/' ? '(?:.*/)?' : glob === '**' ? '.*' : glob === '*' ? '[^/]*' : '[^/]')
    return new RegExp(`^${source}(?:/.*)?$`)
  })
  return (file) =>
    file.startsWith(root + '/') && /\.[cm]?tsx?$/.test(file) && !file.includes('/node_modules/') &&
    patterns.some((pattern) => pattern.test(file))
}

/** Whether a problem is an import of a file of the app that is not there. */
export function isMissingLocal({ number, project, sf, start, length }) {
  return (number === 2307 || number === 2882) && project.locations(sf.text.slice(start + 1, start + length - 1), sf.fileName).length > 0
}

/** What is told of a problem outside. */
export function plain({ file, line, column, code, message, syntax }) {
  return { file, line, column, code, message, syntax }
}

function parsedJson(text) {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
