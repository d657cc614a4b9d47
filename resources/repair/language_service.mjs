// Serves one app's TypeScript project: JSON lines in (`{id, do, …}`), JSON lines out (`{id, result}` or `{id, error}`).
// It runs in the work folder and uses the app's own `typescript`, where that is the native one the one before, which
// VibeDesk has put beside it. Paths are project paths; texts that are opened
// stand in for the disk until they are forgotten.

import { createRequire } from 'node:module'
import path from 'node:path'
import { repair } from './loop.mjs'
import { isMissingLocal, plain, Workspace } from './workspace.mjs'

const NO_FILES = 18003 // of a tsconfig

const BESIDE = 'node_modules/.vibedesk/node_modules'

export async function serve(lines, send, root = process.cwd()) {
  let workspace, native = false
  try {
    // From beside the packages: the app's package.json may be what is to be mended.
    const compiler = (folder) => createRequire(path.join(root, folder, 'here.js'))('typescript')
    let ts = compiler('node_modules')
    native = !ts.createLanguageService
    if (native) ts = compiler(BESIDE)
    if (!ts.createLanguageService) throw new Error(`typescript ${ts.version} has no language service`)
    workspace = new Workspace(ts, root)
    send({ ready: true, typescript: ts.version })
  } catch (error) {
    send({ ready: false, native, error: String(error?.message ?? error) })
    return
  }
  for await (const line of lines) {
    if (!line.trim()) continue
    const request = JSON.parse(line)
    try {
      send({ id: request.id, result: answer(workspace, request) })
    } catch (error) {
      send({ id: request.id, error: String(error?.stack ?? error) })
    }
  }
}

function answer(workspace, request) {
  switch (request.do) {
    case 'open':
      workspace.open(request.files)
      return {}
    case 'forget':
      workspace.forget(request.paths)
      return {}
    case 'refresh':
      workspace.refresh()
      return {}
    case 'diagnose':
      return { problems: workspace.problems().filter((p) => !request.paths || request.paths.includes(p.file)).map(plain) }
    case 'check':
      workspace.open({ [request.path]: request.text })
      // What it imports may still be on its way.
      return { problems: workspace.problemsOf(request.path).filter((p) => !isMissingLocal(p) && p.number !== NO_FILES).map(plain) }
    case 'fix':
      return repair(workspace, request)
    default:
      throw new Error(`unknown request ${request.do}`)
  }
}
