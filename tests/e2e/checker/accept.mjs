// Runs acceptance checks against a served app in Chromium, each with fresh browser storage.
//   node accept.mjs URL CHECKS.JSON [--shots FOLDER] [--chromium /usr/bin/chromium]
// CHECKS.JSON is a list of {name, steps}. A step `as {user}` goes on in another browser profile, 'first' in the first.
// Prints a JSON list of {name, ok, failed, errors, blocked}; exit status 0 when all held, 1 when not, 2 when it could
// not be run. With --shots every check leaves pictures of its last page: wide, phone width and dark.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { chromium } from 'playwright-core'
import { runStep } from './steps.mjs'

const FLAGS = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run']
const FIRST = 'first'
const WIDE = { width: 1280, height: 860 }
const PHONE = { width: 375, height: 780 }

async function main() {
  const { values: options, positionals } = parseArgs({
    allowPositionals: true,
    options: { shots: { type: 'string' }, chromium: { type: 'string', default: '/usr/bin/chromium' } },
  })
  const [url, file] = positionals
  if (!file) throw new Error('usage: accept.mjs URL CHECKS.JSON [--shots FOLDER] [--chromium F]')
  const checks = JSON.parse(await readFile(file, 'utf8'))
  const browser = await chromium.launch({ executablePath: options.chromium, args: FLAGS })
  try {
    const results = []
    for (const check of checks) results.push(await runCheck(browser, url, check, options.shots))
    return results
  } finally {
    await browser.close()
  }
}

async function runCheck(browser, url, check, shots) {
  const trouble = { errors: [], blocked: [] }
  const pages = new Map()
  let page = await pageOf(browser, url, FIRST, pages, trouble)
  let failed = null
  for (const [index, step] of check.steps.entries()) {
    try {
      if (step.do === 'as') page = await pageOf(browser, url, step.user, pages, trouble)
      else await runStep(page, url, step)
    } catch (error) {
      failed = { index, step, reason: error.message.split('\n')[0] }
      break
    }
  }
  if (shots) await takeShots(page, join(shots, check.name.replace(/[^\p{L}\d]+/gu, '-')))
  for (const opened of pages.values()) await opened.context().close()
  const ok = !failed && trouble.errors.length === 0 && trouble.blocked.length === 0
  return { name: check.name, ok, failed, ...trouble }
}

/** The page of a person; the first one is FIRST. */
async function pageOf(browser, url, user, pages, trouble) {
  if (pages.has(user)) return pages.get(user)
  const context = await browser.newContext({ viewport: WIDE, locale: 'de-DE', timezoneId: 'Europe/Berlin' })
  const page = await context.newPage()
  const origin = new URL(url).origin
  page.on('console', (message) => {
    // A refusal by the app's own server is for the app to handle; Chromium reports each of them.
    const refusal = message.text().startsWith('Failed to load resource')
    if (message.type() === 'error' && !refusal) trouble.errors.push(message.text())
  })
  page.on('pageerror', (error) => trouble.errors.push(String(error.stack ?? error)))
  page.on('dialog', (dialog) => dialog.accept())
  await page.route('**/*', (route) => {
    const asked = new URL(route.request().url())
    if (asked.origin === origin || ['data:', 'blob:'].includes(asked.protocol)) return route.continue()
    trouble.blocked.push(asked.href)
    return route.abort()
  })
  pages.set(user, page)
  if (user !== FIRST) await page.goto(url)
  return page
}

async function takeShots(page, path) {
  await page.screenshot({ path: `${path}.png`, fullPage: true, animations: 'disabled' })
  await page.emulateMedia({ colorScheme: 'dark' })
  await page.screenshot({ path: `${path}.dark.png`, fullPage: true, animations: 'disabled' })
  await page.emulateMedia({ colorScheme: 'light' })
  await page.setViewportSize(PHONE)
  await page.screenshot({ path: `${path}.phone.png`, fullPage: true, animations: 'disabled' })
}

try {
  const results = await main()
  console.log(JSON.stringify(results, null, 1))
  process.exitCode = results.every((result) => result.ok) ? 0 : 1
} catch (error) {
  console.error(error.message)
  process.exitCode = 2
}
