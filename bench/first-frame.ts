import { type Browser, chromium } from 'playwright-core'

export type FirstFrames = { readonly samplesMs: readonly number[]; readonly medianMs: number }

/**
 * From the click on Play to the first frame presented, in headless Chromium: each time a new viewer (a fresh browser
 * context) on the title's page. The clock is the page's own, from the click event to the frame's callback.
 */
export async function measureFirstFrames(options: {
  watchUrl: string
  titleId: string
  count: number
}): Promise<FirstFrames> {
  const browser = await chromium.launch({
    executablePath: process.env['TENTPOLE_CHROMIUM'] ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--autoplay-policy=no-user-gesture-required', '--mute-audio'],
  })
  try {
    const samplesMs: number[] = []
    for (let index = 0; index < options.count; index++) samplesMs.push(await measureOnce(browser, options))
    return { samplesMs, medianMs: medianOf(samplesMs) }
  } finally {
    await browser.close()
  }
}

const WAIT_MS = 15_000

async function measureOnce(browser: Browser, options: { watchUrl: string; titleId: string }): Promise<number> {
  const context = await browser.newContext()
  try {
    const page = await context.newPage()
    await page.addInitScript(watchForFirstFrame)
    await page.goto(new URL(`/title/${options.titleId}`, options.watchUrl).href, { waitUntil: 'networkidle' })
    await page.getByTestId('play').click({ timeout: WAIT_MS })
    const handle = await page.waitForFunction(() => (window as FrameWindow).firstFrameMs, null, { timeout: WAIT_MS })
    return (await handle.jsonValue()) as number
  } finally {
    await context.close()
  }
}

type FrameWindow = Window & { clickedAtMs?: number; firstFrameMs?: number }

/** Runs in the page, before its own scripts. */
function watchForFirstFrame(): void {
  const view = window as FrameWindow
  const seen = new WeakSet<HTMLVideoElement>()
  const note = (nowMs: number): void => {
    if (view.clickedAtMs !== undefined) view.firstFrameMs ??= nowMs - view.clickedAtMs
  }
  addEventListener(
    'click',
    (event) => {
      if ((event.target as Element).closest('[data-testid=play]')) view.clickedAtMs ??= event.timeStamp
    },
    { capture: true },
  )
  new MutationObserver(() => {
    for (const video of document.querySelectorAll('video')) {
      if (seen.has(video)) continue
      seen.add(video)
      video.requestVideoFrameCallback((nowMs) => note(nowMs))
    }
  }).observe(document, { childList: true, subtree: true })
}

export function medianOf(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  const upper = sorted[middle] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2
}
