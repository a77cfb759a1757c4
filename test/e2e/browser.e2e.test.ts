import { afterAll, afterEach, beforeAll, expect, test } from 'bun:test'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type BrowserContext, chromium, type Page } from 'playwright-core'
import { eventually, makeFilm, makeLongFilm, type Platform, startPlatform } from './platform.ts'

const FLAGS = [
  ...[
    '--no-sandbox',
    '--disable-gpu',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
  ],
  ...['--no-first-run', '--autoplay-policy=no-user-gesture-required'],
]
const CONSOLE_PATHS = [
  ...['/titles', '/edge', '/events', '/events/live', '/events/dead-letters', '/events/dead-letters/none'],
  ...['/events/journey', '/events/journey/none'],
]
const CAPTIONS = Array.from({ length: 15 }, (_, index) => {
  const stamp = (seconds: number): string => `00:00:${String(seconds).padStart(2, '0')},000`
  return `${index + 1}\n${stamp(index * 2)} --> ${stamp(index * 2 + 2)}\nCaption ${index + 1}: grüße\n`
}).join('\n')

let platform: Platform
let directory: string
let context: BrowserContext
let page: Page
let titleId = ''
const pageErrors: string[] = []

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'tentpole-browser-'))
  platform = await startPlatform()
  const film = await makeFilm(join(directory, 'film.mp4'), { seconds: 30, size: '854x480' })
  writeFileSync(join(directory, 'film.srt'), CAPTIONS)
  const published = await platform.cli(
    'publish',
    film,
    '--title',
    'Browser film',
    '--description',
    'Played by a machine.',
    '--captions',
    `${join(directory, 'film.srt')}:en:English`,
    '--json',
  )
  if (published.exitCode !== 0) throw new Error(`publishing failed: ${published.stderr}\n${platform.output()}`)
  titleId = /\/title\/([0-9a-z]{16})/.exec(published.stdout)?.[1] ?? ''
  context = await chromium.launchPersistentContext(join(directory, 'profile'), {
    executablePath: process.env['TENTPOLE_CHROMIUM'] ?? '/usr/bin/chromium',
    headless: true,
    args: FLAGS,
    viewport: { width: 1280, height: 800 },
    locale: 'en-US',
  })
  page = await context.newPage()
  page.on('pageerror', (error) => pageErrors.push(String(error)))
}, 180_000)

afterEach(() => {
  expect(pageErrors.splice(0)).toEqual([])
})

afterAll(async () => {
  await context?.close()
  await platform?.stop()
  rmSync(directory, { recursive: true, force: true })
})

type VideoState = {
  currentTime: number
  decodedFrames: number
  decodedAudioBytes: number
  height: number
  paused: boolean
  cues: string[]
  duration: number
}

function videoState(): Promise<VideoState> {
  return page.evaluate(() => {
    const video = document.querySelector('video') as HTMLVideoElement & { webkitAudioDecodedByteCount: number }
    const cues = [...video.textTracks]
      .flatMap((track) => (track.mode === 'disabled' ? [] : [...(track.activeCues ?? [])]))
      .map((cue) => (cue as VTTCue).text)
    const drawn = [...document.querySelectorAll('.shaka-text-container, [data-testid=captions-text]')]
      .map((element) => element.textContent ?? '')
      .filter(Boolean)
    return {
      currentTime: video.currentTime,
      decodedFrames: video.getVideoPlaybackQuality().totalVideoFrames,
      decodedAudioBytes: video.webkitAudioDecodedByteCount,
      height: video.videoHeight,
      paused: video.paused,
      cues: [...cues, ...drawn],
      duration: video.duration,
    }
  })
}

async function pressPlay(id: string): Promise<void> {
  await page.goto(new URL(`/title/${id}`, platform.watchUrl).href)
  await page.getByTestId('play').first().click()
  await page.locator('video').waitFor()
  await eventually('the picture moves', async () => (await videoState()).currentTime > 0.3)
}

const seekTo = (seconds: number): Promise<void> =>
  page.evaluate((to) => {
    const slider = document.querySelector('[data-testid=seek]') as HTMLElement
    if (slider instanceof HTMLInputElement) {
      const setter = Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value')?.set
      setter?.call(slider, String(to))
      slider.dispatchEvent(new Event('input', { bubbles: true }))
      slider.dispatchEvent(new Event('change', { bubbles: true }))
    } else (document.querySelector('video') as HTMLVideoElement).currentTime = to
  }, seconds)

test('home shows the title in its rails and as hero', async () => {
  await page.goto(platform.watchUrl)
  await page.getByTestId('hero').waitFor()
  expect(await page.getByTestId('hero').textContent()).toContain('Browser film')
  expect(await page.getByTestId('rail-new').getByTestId('card').count()).toBe(1)
  await page.getByTestId('rail-new').getByTestId('card').first().click()
  await page.waitForURL(/\/title\//)
})

test('play: time advances, video and audio are decoded, captions appear', async () => {
  await pressPlay(titleId)
  const before = await videoState()
  await eventually('two seconds of film', async () => (await videoState()).currentTime > before.currentTime + 2)
  const after = await videoState()
  expect(after.decodedFrames).toBeGreaterThan(before.decodedFrames + 24)
  expect(after.decodedAudioBytes).toBeGreaterThan(before.decodedAudioBytes)
  expect(Math.abs(after.duration - 30)).toBeLessThan(0.1)
  await page.keyboard.press('c')
  const cues = await eventually('a caption', async () => {
    const { cues: shown } = await videoState()
    return shown.length > 0 && shown
  })
  expect(cues.join(' ')).toMatch(/Caption \d+: grüße/)
}, 60_000)

test('a published title switches quality', async () => {
  const heights = new Set<number>()
  for (const label of ['240p', '480p']) {
    await page.mouse.move(600, 500)
    await page.getByTestId('quality-button').click()
    await page.getByText(label, { exact: false }).first().click()
    heights.add(
      await eventually(`${label} is on screen`, async () => {
        const { height } = await videoState()
        return height === Number.parseInt(label, 10) && height
      }),
    )
  }
  expect([...heights]).toEqual([240, 480])
}, 60_000)

test('a reload resumes where it stopped, and home offers to continue', async () => {
  await seekTo(14)
  await eventually('plays at 14 s', async () => {
    const { currentTime } = await videoState()
    return currentTime > 14.5 && currentTime < 25
  })
  await page.keyboard.press('Space')
  await eventually('paused', async () => (await videoState()).paused)
  const { currentTime } = await videoState()
  await eventually('the position reached the platform', async () => {
    const resume = await page.evaluate(async (id) => {
      const token = Object.values(localStorage)
        .join(' ')
        .match(/eyJ[\w-]+\.[\w-]+\.[\w-]+/)?.[0]
      const response = await fetch(`/v1/titles/${id}`, { headers: { authorization: `Bearer ${token}` } })
      return ((await response.json()) as { resumeMs: number | null }).resumeMs
    }, titleId)
    return resume !== null && Math.abs(resume / 1000 - currentTime) < 3
  })
  await page.goto(platform.watchUrl)
  await page.getByTestId('rail-continue').getByTestId('card').first().waitFor()
  await pressPlay(titleId)
  const resumed = await videoState()
  expect(Math.abs(resumed.currentTime - currentTime)).toBeLessThan(5)
}, 60_000)

test('a seek to a part not yet encoded plays, the workers held back while the player seeks', async () => {
  const film = await makeLongFilm(join(directory, 'long.mp4'), { seconds: 600, size: '1280x720' })
  const publishing = platform.cliLines('publish', film, '--title', 'Long film', '--json')
  let id = ''
  for await (const line of publishing.lines) {
    id = /\/title\/([0-9a-z]{16})/.exec(line)?.[1] ?? ''
    if (id) break
  }
  await pressPlay(id)
  const held = await processTree(await platform.pidOf('worker-0'))
  for (const pid of held) signal(pid, 'SIGSTOP')
  const before = await platform.title(id)
  expect(before.state).toBe('playable')
  await seekTo(480)
  await Bun.sleep(2_000)
  const waiting = await videoState()
  expect(waiting.currentTime).toBeGreaterThan(470)
  const stuck = waiting.decodedFrames
  await Bun.sleep(500)
  expect((await videoState()).decodedFrames).toBe(stuck)
  for (const pid of held) signal(pid, 'SIGCONT')
  await eventually(
    'the part made on demand plays',
    async () => {
      const state = await videoState()
      return state.currentTime > 481 && state.currentTime < 500 && state.decodedFrames > stuck + 24
    },
    30_000,
  )
  expect((await platform.title(id)).state).toBe('playable')
  expect((await platform.cli('withdraw', id)).exitCode).toBe(0)
  process.kill(publishing.pid, 'SIGTERM')
}, 180_000)

test('a film dropped on the console is published, and a bad one says why', async () => {
  const link = (await platform.cli('console')).stdout.match(/https?:\/\/\S+/)?.[0] ?? ''
  const second = await fetch(link, { redirect: 'manual' })
  expect(second.status).toBeLessThan(400)
  const console_ = await context.newPage()
  const fresh = (await platform.cli('console')).stdout.match(/https?:\/\/\S+/)?.[0] ?? ''
  await console_.goto(fresh)
  await console_.getByText('Titles').first().click()
  const small = await makeFilm(join(directory, 'dropped.mp4'), { seconds: 4, size: '640x360' })
  for (const [name, path] of [
    ['dropped.mp4', small],
    ['broken.mp4', join(directory, 'film.srt')],
  ] as const) {
    const base64 = readFileSync(path).toString('base64')
    const transfer = await console_.evaluateHandle(
      ({ data, fileName }) => {
        const bytes = Uint8Array.from(atob(data), (character) => character.charCodeAt(0))
        const transfer = new DataTransfer()
        transfer.items.add(new File([bytes], fileName, { type: 'video/mp4' }))
        return transfer
      },
      { data: base64, fileName: name },
    )
    await console_.dispatchEvent('body', 'dragenter', { dataTransfer: transfer })
    await console_.dispatchEvent('body', 'dragover', { dataTransfer: transfer })
    await console_.dispatchEvent('body', 'drop', { dataTransfer: transfer })
    const start = console_.getByTestId('upload-start')
    if (await start.isVisible().catch(() => false)) await start.click()
  }
  const titles = async () =>
    (
      (await (await platform.staff('/api/titles')).json()) as {
        titles: { fileName: string | null; state: string; reason: string | null }[]
      }
    ).titles
  await eventually(
    'published',
    async () => (await titles()).find((title) => title.fileName === 'dropped.mp4')?.state === 'published',
    60_000,
  )
  const reason = await eventually(
    'refused',
    async () => (await titles()).find((title) => title.fileName === 'broken.mp4')?.reason,
    30_000,
  )
  await console_.getByText(reason.slice(0, 30)).first().waitFor()
  await console_.close()
  expect((await fetch(fresh, { redirect: 'manual' })).status).toBeGreaterThanOrEqual(400)
}, 120_000)

test('no accessibility violations on any page', async () => {
  const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
  const link = (await platform.cli('console')).stdout.match(/https?:\/\/\S+/)?.[0] ?? ''
  const visit = await context.newPage()
  const violations: unknown[] = []
  for (const url of ['/', `/title/${titleId}`, `/watch/${titleId}`]
    .map((path) => new URL(path, platform.watchUrl).href)
    .concat(link, ...CONSOLE_PATHS.map((path) => new URL(path, platform.consoleUrl).href))) {
    await visit.goto(url)
    await visit.locator('main, [role=main], video').first().waitFor()
    await visit.waitForLoadState('load')
    const client = await context.newCDPSession(visit)
    await client.send('Runtime.evaluate', { expression: axe })
    const found = await visit.evaluate(async () => {
      const engine = (
        window as unknown as {
          axe: { run(options: unknown): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> }
        }
      ).axe
      const result = await engine.run({ runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'] })
      return result.violations.map((violation) => ({
        id: violation.id,
        html: violation.nodes.map((node) => node.html.slice(0, 120)),
      }))
    })
    for (const violation of found) violations.push({ url, ...violation })
  }
  await visit.close()
  expect(violations).toEqual([])
}, 60_000)

function signal(pid: number, name: 'SIGSTOP' | 'SIGCONT'): void {
  try {
    process.kill(pid, name)
  } catch {
    // it ended in the meantime
  }
}

/** A process and everything below it (Linux). */
async function processTree(root: number): Promise<number[]> {
  const parents = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const stat = readFileSync(`/proc/${name}/stat`, 'utf8')
        return [{ pid: Number(name), parent: Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]) }]
      } catch {
        return []
      }
    })
  const tree = [root]
  for (const pid of tree) tree.push(...parents.filter((entry) => entry.parent === pid).map((entry) => entry.pid))
  return tree
}
