// What each step of a recording's checks does to the page. A step resolves when it holds and throws when
// it does not within the time it is given; only visible elements count.
import { readFile } from 'node:fs/promises'

export const STEP_TIMEOUT_MS = 5000
const LOAD_TIMEOUT_MS = 15000
const POLL_MS = 50
// Drag libraries start a drag only after some movement and animate the drop.
const DRAG_THRESHOLD_PX = 8
const DRAG_SETTLE_MS = 300

/** Runs one step of expected.json on the page; relative addresses are those of `baseUrl`. */
export async function runStep(page, baseUrl, step) {
  const perform = STEPS[step.do]
  if (!perform) throw new Error(`unknown step ${JSON.stringify(step.do)}`)
  await perform(page, step, baseUrl)
}

const timeout = STEP_TIMEOUT_MS
const load = { waitUntil: 'load', timeout: LOAD_TIMEOUT_MS }

const STEPS = {
  goto: (page, step, baseUrl) => page.goto(new URL(step.path ?? '/', baseUrl).href, load),
  reload: (page) => page.reload(load),
  click: (page, step) => target(page, step).click({ timeout }),
  fill: (page, step) => target(page, step).fill(step.value, { timeout }),
  select: (page, step) => target(page, step).selectOption(step.value, { timeout }),
  press: (page, step) =>
    step.selector ? target(page, step).press(step.key, { timeout }) : page.keyboard.press(step.key),
  wait: (page, step) => page.waitForTimeout(step.ms),
  // The field may be hidden behind a button or a drop zone.
  attach: (page, { selector, filename, content }) =>
    page.locator(`css=${selector}`).first().setInputFiles(
      { name: filename, mimeType: 'application/octet-stream', buffer: Buffer.from(content) },
      { timeout },
    ),
  drag,
  expectText: (page, step) =>
    until(page, async () => (await matches(page, step).count()) > 0, async () => {
      const seen = await page.locator(`css=${step.selector}`).allInnerTexts()
      return `no visible ${describe(step)}; texts there: ${JSON.stringify(seen.slice(0, 6).map(collapse))}`
    }),
  expectNoText: (page, step) =>
    until(page, async () => (await matches(page, step).count()) === 0, () => `still visible: ${describe(step)}`),
  expectCount: (page, step) =>
    until(
      page,
      async () => (await matches(page, step).count()) === step.count,
      async () => `expected ${step.count} of ${describe(step)}, found ${await matches(page, step).count()}`,
    ),
  expectValue: (page, step) => {
    const field = target(page, { selector: step.selector, nth: step.nth })
    return until(
      page,
      async () => (await field.inputValue({ timeout })) === step.value,
      async () => `expected value ${JSON.stringify(step.value)}, found ${JSON.stringify(await field.inputValue({ timeout }))}`,
    )
  },
  expectUrl: (page, step) =>
    until(page, () => page.url().includes(step.text), () => `address is ${page.url()}, lacks ${step.text}`),
  expectTitle: (page, step) =>
    until(
      page,
      async () => (await page.title()).includes(step.text),
      async () => `title is ${JSON.stringify(await page.title())}, lacks ${JSON.stringify(step.text)}`,
    ),
  expectDownload,
}

/** All visible elements that a step means. */
function matches(page, { selector, text }) {
  const found = page.locator(`css=${selector}`)
  return (text === undefined ? found : found.filter({ hasText: text })).filter({ visible: true })
}

/** The one visible element that a step means. */
function target(page, step) {
  return matches(page, step).nth(step.nth ?? 0)
}

async function drag(page, { from, to }) {
  const [startX, startY] = await gripOf(target(page, from))
  const [endX, endY] = await gripOf(target(page, to))
  await page.mouse.move(startX, startY)
  await page.mouse.down()
  await page.mouse.move(startX + DRAG_THRESHOLD_PX, startY + DRAG_THRESHOLD_PX, { steps: 4 })
  await page.mouse.move(endX, endY, { steps: 20 })
  await page.waitForTimeout(DRAG_SETTLE_MS)
  // The targets may have moved aside meanwhile; one more movement makes the page look again.
  await page.mouse.move(endX + 1, endY + 1, { steps: 2 })
  await page.mouse.up()
  await page.waitForTimeout(DRAG_SETTLE_MS)
}

/** Where to take hold of an element: its middle, near the top of tall ones. */
async function gripOf(element) {
  await element.scrollIntoViewIfNeeded({ timeout })
  const box = await element.boundingBox({ timeout })
  return [box.x + box.width / 2, box.y + Math.min(box.height / 2, 60)]
}

async function expectDownload(page, step) {
  const [download] = await Promise.all([
    page.waitForEvent('download', { timeout }),
    target(page, step).click({ timeout }),
  ])
  const name = download.suggestedFilename()
  if (step.filename && !name.includes(step.filename)) throw new Error(`the download is called ${name}`)
  const content = await readFile(await download.path(), 'utf8')
  for (const wanted of [step.contains ?? []].flat()) {
    if (!content.includes(wanted)) {
      throw new Error(`the download lacks ${JSON.stringify(wanted)}: ${JSON.stringify(content.slice(0, 300))}`)
    }
  }
}

/** Waits until `holds` answers true; `explain` tells what was there instead. */
async function until(page, holds, explain) {
  const deadline = Date.now() + STEP_TIMEOUT_MS
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(await explain())
    await page.waitForTimeout(POLL_MS)
  }
}

function describe({ selector, text }) {
  return text === undefined ? selector : `${selector} with text ${JSON.stringify(text)}`
}

function collapse(text) {
  return text.replace(/\s+/g, ' ').trim()
}
