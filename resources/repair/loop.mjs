// Repairs to a fixed point: every batch of edits is checked against the whole project, and what does not make it better
// is taken back.

import { compilerFixes } from './code_fixes.mjs'
import { aliasRule, NO_ALIAS, OPTION_ERRORS, optionRule, pluginRule, SETTING_ERRORS, settingRule } from './config.mjs'
import { applied, importEdits, objection } from './edits.mjs'
import { hookRule } from './hooks.mjs'
import { attributeRule, bracketRule, fenceRule, fragmentRule, tagRule } from './markup.mjs'
import { duplicateRule, exportRule, moduleRule, undeclared } from './modules.mjs'
import { apostropheRule, caseRule, comparedRule, curlyRule, dateRule, declaredTwiceRule, endingRule, expectationRule, nearRule, twiceRule, valueAsTypeRule } from './names.mjs'
import { effectRule, handlerRule, jsxNamespaceRule, optionalRule, refRule, returnRule, stateRule, targetRule } from './react.mjs'
import { elementRule, implementedRule, iteratedRule, pickedRule, spreadRule, typeArgumentsRule } from './shapes.mjs'
import { awaitedRule, awaitRule, caughtRule, memberRule, propsRule, refTypeRule, takenRule, wideRule } from './types.mjs'
import { plain } from './workspace.mjs'

const RULES = [
  [fenceRule, null],
  [settingRule, SETTING_ERRORS],
  [pluginRule, [2307]],
  [moduleRule, [2307, 2792, 2306, 7016, 2882, 2732]],
  [exportRule, [2305, 2614, 2613, 1192, 2724, 2459, 2460, 2306]],
  [duplicateRule, [2300, 2440, 2451, 2528, 2323, 2484]],
  [attributeRule, [2322, 2769, 2820, 2353, 2559]],
  [refRule, [2554]],
  [jsxNamespaceRule, [2503, 2304]],
  [stateRule, [2345, 2322, 2339, 2769, 18047, 18048, 2531, 2532, 2698]],
  [handlerRule, [7006]],
  [propsRule, [7031]],
  [refTypeRule, [18047, 2322, 2339, 2531]],
  [targetRule, [2339]],
  [effectRule, [2345]],
  [returnRule, [2786]],
  [dateRule, [2362, 2363]],
  [comparedRule, [2367]],
  [caseRule, [2678]],
  [valueAsTypeRule, [2749]],
  [endingRule, [5097, 2691]],
  [declaredTwiceRule, [2451, 2393, 2300]],
  [caughtRule, [18046]],
  [takenRule, [2304, 18004]],
  [twiceRule, [17001, 1117]],
  [expectationRule, [2578]],
  [iteratedRule, [2488, 18047, 18048]],
  [spreadRule, [2556]],
  [typeArgumentsRule, [2558]],
  [pickedRule, [2344]],
  [implementedRule, [2420]],
  [elementRule, [2604]],
  [compilerFixes, null],
  [awaitRule, [2339]],
  [awaitedRule, [2740, 2739, 2741, 2322, 2345]],
  [nearRule, [2339, 2353, 2561, 2304, 2322, 2345, 2724, 2820]],
  [wideRule, [2322, 2345]],
  [memberRule, [2353]],
  [optionalRule, [18047, 18048, 18049, 2531, 2532, 2533, 2722]],
]
const SYNTAX_RULES = [fenceRule, apostropheRule, curlyRule, compilerFixes, fragmentRule, tagRule, bracketRule]
const FIRST = new Set(['module', 'export', 'duplicate']) // what else is wrong in a file often ends with these
const NAMES = new Set([2304, 2307, 2503, 2552, 6133, 7006, 18004])
const PATIENCE = 4
const UNREADABLE = 1000 // what a syntax error counts: nothing else in its file can be judged

export function repair(workspace, { codes, paths, protect = [], components = [], rounds = 12, seconds = 20 }) {
  workspace.lookInto(components)
  const run = new Run(workspace, { codes, paths, protect, seconds })
  const first = workspace.problems()
  run.toFixedPoint(rounds)
  run.deferred(rounds)
  run.leaveUnreadable()
  undeclared(workspace).forEach((name) => run.packages.add(name))
  const left = workspace.problems()
  const edits = run.changedTexts()
  workspace.lookInto([])
  const remaining = counted(left)
  const fixed = first.filter((problem) => {
    const count = remaining.get(problem.key) ?? 0
    remaining.set(problem.key, count - 1)
    return count <= 0
  })
  return {
    edits, packages: [...run.packages],
    fixed: fixed.map(plain), left: left.map(plain), rounds: run.rounds, log: run.log,
  }
}

class Run {
  constructor(workspace, { codes, paths, protect, seconds }) {
    Object.assign(this, { workspace, codes, paths, seconds })
    this.began = Date.now()
    this.used = process.cpuUsage()
    this.protect = new Set(protect)
    this.original = new Map()
    this.refused = new Set()
    this.growing = new Map()
    this.packages = new Set()
    this.log = []
    this.rounds = 0
  }

  /** The time counts as this program's own, and on a busy machine for some times that. */
  get late() {
    const { user, system } = process.cpuUsage(this.used)
    return (user + system) / 1e6 > this.seconds || (Date.now() - this.began) / 1000 > PATIENCE * this.seconds
  }

  toFixedPoint(rounds) {
    for (let round = 0; round < rounds && !this.late; round++) {
      const before = this.workspace.problems()
      const candidates = this.candidates(before)
      if (!candidates.length) return
      this.rounds++
      if (!this.attempt(candidates, before)) return
    }
  }

  /** Edits that bring more errors to light than they mend are kept only where the next repairs make up for it. */
  deferred(rounds) {
    const waiting = [...this.growing.values()]
    this.growing.clear()
    for (const { key } of waiting) {
      if (this.late) return
      const before = this.workspace.problems()
      this.refused.delete(key)
      const candidate = this.candidates(before, key)[0]
      this.refused.add(key)
      if (!candidate) continue
      const saved = this.save()
      if (!this.apply([candidate])) continue
      this.rounds++
      this.toFixedPoint(rounds)
      if (weight(this.workspace.problems()) < weight(before)) this.log.push(`${candidate.name} ${candidate.problem.key}: kept with what it led to`)
      else this.restore(saved)
      this.growing.clear()
    }
  }

  /** A file that still cannot be read stays as it was: half a repair of brackets is none. */
  leaveUnreadable() {
    const broken = new Set(this.workspace.problems().filter((p) => p.syntax).map((p) => p.file))
    const texts = {}
    for (const [file, text] of this.original) if (broken.has(this.workspace.relative(file))) texts[this.workspace.relative(file)] = text
    this.workspace.open(texts)
  }

  /** The next thing to try for every problem; not two that touch each other. */
  candidates(problems, only) {
    const chosen = []
    const exported = new Map()
    const broken = new Set(problems.filter((p) => p.syntax).map((p) => p.file))
    const taken = new Map()
    const first = new Set()
    for (const problem of problems) {
      if (!problem.sf || (this.paths && !this.paths.includes(problem.file))) continue
      if (this.codes && !this.codes.includes(problem.code)) continue
      if (broken.has(problem.file) && !problem.syntax) continue
      for (const candidate of this.of(problem, exported)) {
        const key = `${problem.key}|${candidate.name}|${JSON.stringify([candidate.edits?.map((e) => e.text), candidate.imports])}`
        if (only ? key !== only : this.refused.has(key)) continue
        if (candidate.packages) {
          candidate.packages.forEach((name) => this.packages.add(name))
          break
        }
        const edits = candidate.edits ?? []
        if (edits.some((e) => this.protect.has(this.workspace.relative(e.file)))) continue
        if (candidate.imports?.length && this.protect.has(problem.file)) continue
        const settled = FIRST.has(candidate.name)
        if (first.has(problem.file) && !settled) break
        if (settled && !first.has(problem.file)) {
          first.add(problem.file)
          for (const other of chosen.filter((each) => each.problem.file === problem.file)) chosen.splice(chosen.indexOf(other), 1)
          taken.delete(problem.sf.fileName)
        }
        if (edits.some((e) => (taken.get(e.file) ?? []).some((t) => e.start < t.end + 1 && t.start < e.end + 1))) break
        for (const e of edits) taken.set(e.file, [...(taken.get(e.file) ?? []), e])
        chosen.push({ ...candidate, edits, imports: candidate.imports ?? [], problem, key })
        break
      }
      if (this.late) break
    }
    // A setting may be the cause of errors everywhere.
    const settings = chosen.filter(({ name }) => name === 'config')
    return settings.length ? settings : chosen
  }

  of(problem, exported) {
    const { project, sf, number, code } = problem
    const { workspace } = this
    const tools = {
      ts: workspace.ts, workspace, project, sf, exported, checker: project.program.getTypeChecker(), program: project.program,
      nodeAt: (file, position) => nodeAt(workspace.ts, file, position),
    }
    const rules = code === NO_ALIAS ? [aliasRule]
      : sf.fileName.endsWith('.json') ? [optionRule].filter(() => OPTION_ERRORS.includes(number))
      : problem.syntax ? SYNTAX_RULES
      : code.startsWith('react-hooks') ? [hookRule]
      : RULES.filter(([, numbers]) => !numbers || numbers.includes(number)).map(([rule]) => rule)
    return rules.flatMap((rule) => {
      try {
        return rule(problem, tools)
      } catch (error) {
        this.log.push(`${rule.name} ${problem.key}: ${error?.stack ?? error}`)
        return []
      }
    })
  }

  /** Apply the candidates, or the halves of them that do good; return whether anything stayed. */
  attempt(candidates, before) {
    const saved = this.save()
    if (!this.apply(candidates)) {
      if (candidates.length > 1) return this.halves(candidates)
      this.refuse(candidates[0], 'it cannot be applied')
      return true // as below
    }
    const after = this.workspace.problems()
    const has = counted(after)
    const had = counted(before)
    const idle = candidates.filter(({ problem }) => (has.get(problem.key) ?? 0) >= had.get(problem.key))
    const fresh = after.filter((problem) => (has.get(problem.key) ?? 0) > (had.get(problem.key) ?? 0))
    // One error may come in place of another where an import brought the types that tell it, or where the compiler
    // tells the attributes of one element one by one; else it is no repair.
    const swaps = candidates.every(({ name }) => FIRST.has(name) || name === 'import' || name === 'attribute')
    const grew = swaps ? weight(after) > weight(before) : weight(after) >= weight(before)
    const misfit = candidates.length === 1 && candidates[0].name === 'syntax' && fresh.some((problem) => this.isOnItsLine(problem, candidates[0], saved))
    if (!idle.length && !grew && !misfit && (!fresh.length || candidates.length === 1)) {
      for (const { name, problem } of candidates) this.log.push(`${name} ${problem.key}: done`)
      return true
    }
    this.restore(saved)
    if (candidates.length === 1) {
      this.refuse(candidates[0], idle.length ? 'the error stayed' : misfit ? 'its line makes no sense then' : 'errors grew')
      if (!idle.length && !misfit) this.growing.set(candidates[0].key, candidates[0])
      return true // the next candidate of this problem may be better
    }
    // The files where something is wrong now are looked at apart.
    const bad = new Set([...idle.map(({ problem }) => problem.file), ...fresh.map((problem) => problem.file)])
    const touches = ({ problem, edits }) => bad.has(problem.file) || edits.some((e) => bad.has(this.workspace.relative(e.file)))
    const suspects = candidates.filter(touches)
    if (!suspects.length || suspects.length === candidates.length) return this.halves(candidates)
    const kept = this.attempt(candidates.filter((candidate) => !suspects.includes(candidate)), before)
    return this.again(suspects) || kept
  }

  /** Whether an error that shows once a file can be read lies where its bracket was guessed; names may be missing anywhere. */
  isOnItsLine({ file, line, number }, { edits }, saved) {
    const lineOf = (edit) => (saved.get(edit.file) ?? this.original.get(edit.file)).slice(0, edit.start).split('\n').length
    return !NAMES.has(number) && edits.some((edit) => this.workspace.relative(edit.file) === file && lineOf(edit) === line)
  }

  /** Try some of the candidates after others were made: those may have moved what these edit, or made them needless. */
  again(candidates) {
    const before = this.workspace.problems()
    const still = this.candidates(before).filter(({ key }) => candidates.some((each) => each.key === key))
    return still.length > 0 && this.attempt(still, before)
  }

  halves(candidates) {
    const middle = candidates.length >> 1
    let kept = false
    for (const part of [candidates.slice(0, middle), candidates.slice(middle)]) {
      if (this.late) break
      if (kept ? this.again(part) : this.attempt(part, this.workspace.problems())) kept = true
    }
    return kept
  }

  refuse(candidate, why) {
    this.refused.add(candidate.key)
    this.log.push(`${candidate.name} ${candidate.problem.key}: ${why}`)
  }

  apply(candidates) {
    const { workspace } = this
    const byFile = new Map()
    const imports = new Map()
    for (const { edits, imports: wanted, problem } of candidates) {
      for (const edit of edits) byFile.set(edit.file, [...(byFile.get(edit.file) ?? []), edit])
      if (wanted.length) imports.set(problem.sf, [...(imports.get(problem.sf) ?? []), ...wanted])
    }
    for (const [sf, wanted] of imports) {
      byFile.set(sf.fileName, [...(byFile.get(sf.fileName) ?? []), ...importEdits(workspace.ts, sf, wanted)])
    }
    const texts = {}
    for (const [file, edits] of byFile) {
      const before = workspace.text(file)
      const source = workspace.source(file)
      const after = applied(before, edits)
      if (after === undefined || after === before) return false
      const why = objection(workspace.ts, file, before, after)
      if (why) {
        this.log.push(`${workspace.relative(file)}: ${why}`)
        return false
      }
      texts[workspace.relative(file)] = applied(source, edits)
      if (!this.original.has(file)) this.original.set(file, source)
    }
    workspace.open(texts)
    return true
  }

  save() {
    return new Map([...this.original.keys()].map((file) => [file, this.workspace.source(file)]))
  }

  restore(saved) {
    const texts = {}
    for (const [file, text] of this.original) texts[this.workspace.relative(file)] = saved.get(file) ?? text
    this.workspace.open(texts)
  }

  changedTexts() {
    const texts = {}
    for (const [file, text] of this.original) {
      const now = this.workspace.source(file)
      if (now !== text) texts[this.workspace.relative(file)] = now
    }
    return texts
  }
}

function counted(problems) {
  const found = new Map()
  for (const { key } of problems) found.set(key, (found.get(key) ?? 0) + 1)
  return found
}

function weight(problems) {
  return problems.reduce((sum, problem) => sum + (problem.syntax ? UNREADABLE : 1), 0)
}

function nodeAt(ts, sf, position) {
  let found = sf
  for (;;) {
    const child = ts.forEachChild(found, (each) => (each.getStart(sf) <= position && position < each.end ? each : undefined))
    if (!child) return found
    found = child
  }
}
