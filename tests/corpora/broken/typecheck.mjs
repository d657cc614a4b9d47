// Type-checks and lints many small projects in one process, which share their node_modules.
// Reads {"modules": folder, "projects": [{"name", "folder", "touched", "lint"}]} from standard input and
// writes {name: [{code, file, line, message}]}. An empty `touched` means everything.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { pathToFileURL } from 'node:url'

const { modules, projects } = JSON.parse(readFileSync(0, 'utf8'))
const ts = createRequire(path.join(modules, 'x.js'))('typescript')
const sourceFiles = new Map()

const found = {}
for (const project of projects) {
  found[project.name] = checked(project)
  if (project.lint) found[project.name].push(...(await linted(project)))
}
process.stdout.write(JSON.stringify(found))

function checked({ folder, touched }) {
  const diagnostics = []
  for (const config of configs(folder, diagnostics)) {
    const parsed = ts.getParsedCommandLineOfConfigFile(config, {}, {
      ...ts.sys,
      onUnRecoverableConfigFileDiagnostic: (diagnostic) => diagnostics.push(diagnostic),
    })
    if (!parsed) continue
    const own = [config, ...parsed.fileNames].map((file) => path.relative(folder, file))
    if (touched.length && !touched.includes('tsconfig.json') && !own.some((file) => touched.includes(file))) continue
    diagnostics.push(...diagnosed(parsed))
  }
  return diagnostics.map((diagnostic) => ({
    code: diagnostic.code,
    file: diagnostic.file ? path.relative(folder, diagnostic.file.fileName) : '',
    line: diagnostic.file ? diagnostic.file.getLineAndCharacterOfPosition(diagnostic.start).line + 1 : 0,
    message: ts.flattenDiagnosticMessageText(diagnostic.messageText, '\n'),
  }))
}

function configs(folder, diagnostics) {
  const root = path.join(folder, 'tsconfig.json')
  const { config, error } = ts.readConfigFile(root, ts.sys.readFile)
  if (error) diagnostics.push(error)
  return (config?.references ?? []).map((reference) => path.join(folder, reference.path)).filter((file) => {
    if (ts.sys.fileExists(file)) return true
    diagnostics.push({ code: 6053, file: undefined, messageText: `File '${file}' not found.` })
    return false
  })
}

// What `tsc -b` says: errors of types only where the syntax is right.
function diagnosed(parsed) {
  const { fileNames, options } = parsed
  const { tsBuildInfoFile: _, ...others } = options
  const program = ts.createProgram(fileNames, { ...others, incremental: false }, host(options))
  const first = [...ts.getConfigFileParsingDiagnostics(parsed), ...program.getSyntacticDiagnostics()]
  if (first.length) return first
  const settings = [...program.getOptionsDiagnostics(), ...program.getGlobalDiagnostics()]
  return settings.length ? settings : program.getSemanticDiagnostics()
}

function host(options) {
  const compilerHost = ts.createCompilerHost(options)
  const read = compilerHost.getSourceFile
  const { target, module, jsx, moduleDetection } = options
  const settings = JSON.stringify({ target, module, jsx, moduleDetection })
  compilerHost.getSourceFile = (file, version, ...rest) => {
    if (!file.startsWith(modules)) return read(file, version, ...rest)
    const key = `${file}\0${settings}`
    if (!sourceFiles.has(key)) sourceFiles.set(key, read(file, version, ...rest))
    return sourceFiles.get(key)
  }
  return compilerHost
}

async function linted({ folder }) {
  const { ESLint } = await import(pathToFileURL(path.join(modules, 'eslint', 'lib', 'api.js')).href)
  const results = await new ESLint({
    cwd: folder,
    // In one process the parser sees many projects and asks which one is meant.
    overrideConfig: { languageOptions: { parserOptions: { tsconfigRootDir: folder } } },
  }).lintFiles(['src'])
  return results.flatMap(({ filePath, messages }) =>
    messages
      .filter((message) => message.severity === 2)
      .map((message) => ({
        code: message.ruleId ?? 'syntax',
        file: path.relative(folder, filePath),
        line: message.line ?? 0,
        message: message.message,
      })),
  )
}
