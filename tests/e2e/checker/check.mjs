// Runs one list of steps of a recording's expected.json against a served app in Chromium.
//   node check.mjs URL EXPECTED.JSON [--key checks] [--shot OUT.PNG] [--chromium /usr/bin/chromium]
// Prints one JSON object; exit status 0 when every step held and the page neither logged an error nor
// asked another host for anything, 1 when not, 2 when it could not be run.
import { readFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { chromium } from 'playwright-core'
import { runStep } from './steps.mjs'

const CHROMIUM_FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

async function main() {
  const { values: options, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      key: { type: 'string', default: 'checks' },
      shot: { type: 'string' },
      chromium: { type: 'string', default: '/usr/bin/chromium' },
    },
  })
  if (positionals.length !== 2) throw new Error('usage: check.mjs URL EXPECTED.JSON [--key K] [--shot F] [--chromium F]')
  const [url, file] = positionals
  const expected = JSON.parse(await readFile(file, 'utf8'))
  const steps = expected[options.key]
  if (!steps?.length) throw new Error(`${file} has no steps under ${JSON.stringify(options.key)}`)

  const browser = await chromium.launch({ executablePath: options.chromium, args: CHROMIUM_FLAGS })
  try {
    const context = await browser.newContext({
      viewport: expected.viewport ?? { width: 1280, height: 860 },
      locale: 'en-GB',
      timezoneId: 'Europe/Berlin',
    })
    const page = await context.newPage()
    const trouble = await watch(page, new URL(url).origin)
    const { milestones, failed } = await runAll(page, url, steps)
    if (options.shot) await page.screenshot({ path: options.shot })
    const ok = !failed && trouble.errors.length === 0 && trouble.blocked.length === 0
    return { ok, steps: steps.length, milestones, failed, ...trouble }
  } finally {
    await browser.close()
  }
}

/** Records what a healthy page never does, and keeps it from reaching other hosts. */
async function watch(page, origin) {
  const trouble = { errors: [], blocked: [] }
  page.on('console', (message) => {
    if (message.type() === 'error') trouble.errors.push({ kind: 'console', text: message.text(), url: message.location().url })
  })
  page.on('pageerror', (error) => trouble.errors.push({ kind: 'exception', text: String(error.stack ?? error) }))
  page.on('dialog', (dialog) => dialog.accept())
  await page.route('**/*', (route) => {
    const { origin: asked, protocol, href } = new URL(route.request().url())
    if (asked === origin || protocol === 'data:' || protocol === 'blob:') return route.continue()
    trouble.blocked.push(href)
    return route.abort()
  })
  return trouble
}

/** Runs the steps up to the first that fails; milestones are the labels of those that held. */
async function runAll(page, url, steps) {
  const milestones = []
  for (const [index, step] of steps.entries()) {
    try {
      await runStep(page, url, step)
    } catch (error) {
      const begun = steps.slice(0, index + 1).findLast((earlier) => earlier.check)?.check ?? null
      return { milestones, failed: { index, step, milestone: begun, reason: error.message.split('\n')[0] } }
    }
    if (step.check) milestones.push(step.check)
  }
  return { milestones, failed: null }
}

try {
  const result = await main()
  console.log(JSON.stringify(result, null, 1))
  process.exitCode = result.ok ? 0 : 1
} catch (error) {
  console.error(error.message)
  process.exitCode = 2
}
