import { afterAll, beforeAll, expect, test } from 'bun:test'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { type Browser, chromium, type Page } from 'playwright-core'
import { renderReport } from '../../src/storm/report/html.ts'
import type { StormReport } from '../../src/storm/report/report.ts'
import { buildReportPage } from '../../web/storm/build.ts'
import { makeStormReport } from '../fixtures/storm-report.ts'

const PHONE = { width: 390, height: 844 }
const DESK = { width: 1440, height: 900 }
const HOSTILE = '</script><img src="http://127.0.0.1:9/x" onerror="document.title=1"><b id="broken">'

let directory: string
let template: string
let browser: Browser

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'tentpole-report-'))
  template = await buildReportPage()
  browser = await chromium.launch({
    executablePath: process.env['TENTPOLE_CHROMIUM'] ?? '/usr/bin/chromium',
    headless: true,
    args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking'],
  })
}, 60_000)

afterAll(async () => {
  await browser?.close()
  rmSync(directory, { recursive: true, force: true })
})

type Opened = { page: Page; asked: string[]; complaints: string[]; close(): Promise<void> }

/** Opens a report from the disk, without a network, and notes whatever it asks for or complains of. */
async function open(
  report: StormReport,
  options: { viewport?: typeof PHONE; colorScheme?: 'dark' | 'light' } = {},
): Promise<Opened> {
  const path = join(directory, `${crypto.randomUUID()}.html`)
  writeFileSync(path, renderReport(template, report))
  const address = pathToFileURL(path).href
  const context = await browser.newContext({ viewport: DESK, colorScheme: 'dark', offline: true, ...options })
  const page = await context.newPage()
  const [asked, complaints]: [string[], string[]] = [[], []]
  page.on('request', (request) => {
    if (!request.url().startsWith('data:') && request.url() !== address) asked.push(request.url())
  })
  page.on('pageerror', (error) => complaints.push(String(error)))
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text())
  })
  await page.goto(address)
  await page.locator('#charts canvas, #charts .note').first().waitFor()
  return { page, asked, complaints, close: () => context.close() }
}

test('opens from a disk without a network, asks for nothing, and says its verdict', async () => {
  const { page, asked, complaints, close } = await open(makeStormReport())
  expect(await page.getByTestId('verdict').textContent()).toBe('Failed: 3 of 12 objectives missed')
  expect(await page.title()).toBe('Failed: 3 of 12 objectives missed · premiere')
  expect(await page.locator('#objectives tbody tr').count()).toBe(12)
  expect(await page.locator('#repeat code').textContent()).toBe('npx tentpole storm --scenario premiere --seed 42')
  expect(await page.evaluate(() => document.fonts.check('12px "Inter Variable"'))).toBe(true)
  expect({ asked, complaints }).toEqual({ asked: [], complaints: [] })
  await close()
}, 30_000)

test('each chart is drawn in its colours, its axes say their units, its faults are marked and named', async () => {
  const { page, close } = await open(makeStormReport())
  const charts = await page.evaluate(() => {
    const coloursOf = (canvas: HTMLCanvasElement): number => {
      const data = canvas.getContext('2d')?.getImageData(0, 0, canvas.width, canvas.height).data ?? []
      let vivid = 0
      // Axes and text are grey; a pixel whose channels lie far apart belongs to a line.
      for (let at = 0; at < data.length; at += 4) {
        const channels = [data[at] ?? 0, data[at + 1] ?? 0, data[at + 2] ?? 0]
        if ((data[at + 3] ?? 0) > 200 && Math.max(...channels) - Math.min(...channels) > 60) vivid += 1
      }
      return vivid
    }
    return [...document.querySelectorAll('.chart')].map((figure) => ({
      id: figure.id,
      vivid: coloursOf(figure.querySelector('canvas') as HTMLCanvasElement),
      axes: [...figure.querySelectorAll('.axis-label')].map((label) => label.textContent ?? ''),
      faults: [...figure.querySelectorAll('.fault-mark')].map((mark) => mark.getBoundingClientRect().height > 100),
      labels: [...figure.querySelectorAll('.fault-label')].map((label) => label.textContent ?? ''),
      recoveries: figure.querySelectorAll('.recovery-mark').length,
      phases: [...figure.querySelectorAll('.phase-name')].map((name) => name.textContent ?? ''),
    }))
  })
  expect(charts).toHaveLength(8)
  for (const chart of charts) {
    expect(chart.vivid).toBeGreaterThan(300)
    expect(chart.axes.length).toBeGreaterThanOrEqual(2)
    for (const label of chart.axes) expect(label).toMatch(/\([^)]*(?:s|ms|count|per second|%)[^)]*\)$/)
    expect(chart.axes.at(-1)).toBe('Time since the storm began (s)')
    expect(chart.faults).toEqual([true, true])
    expect(chart.labels).toEqual(['1 cell-b killed and kept down for 8 s', '2 store killed'])
    expect(chart.recoveries).toBe(2)
    expect(chart.phases).toEqual(['quiet evening', 'spike', 'hold', 'exit rush'])
  }
  await close()
}, 30_000)

test('a fault stands where it struck', async () => {
  const { page, close } = await open(makeStormReport())
  const share = await page.evaluate(() => {
    const chart = document.querySelector('#chart-viewers') as HTMLElement
    const plot = (chart.querySelector('.u-over') as HTMLElement).getBoundingClientRect()
    const mark = (chart.querySelector('.fault-mark') as HTMLElement).getBoundingClientRect()
    return [(mark.left - plot.left) / plot.width, (mark.right - plot.left) / plot.width]
  })
  expect(share[0]).toBeCloseTo(18.02 / 60, 2)
  expect(share[1]).toBeCloseTo(26.03 / 60, 2)
  await close()
}, 30_000)

test('one cursor for all charts, by mouse and by keyboard; a line can be hidden', async () => {
  const { page, close } = await open(makeStormReport())
  const report = makeStormReport()
  const value = (chart: string): Promise<string | null> =>
    page.locator(`#chart-${chart} .legend-value`).first().textContent()
  expect(await value('viewers')).toStartWith('peak ')
  await page.locator('#moment').focus()
  for (let press = 0; press < 20; press += 1) await page.keyboard.press('ArrowRight')
  expect(await value('viewers')).toBe(report.series[20]?.playing.toLocaleString('en-US') ?? '')
  expect(await value('requests')).toBe(report.series[20]?.requests.toLocaleString('en-US') ?? '')
  expect(await page.locator('output').textContent()).toBe('0:21.0 spike · cell-b killed and kept down for 8 s')
  const box = await page.locator('#chart-latency .u-over').boundingBox()
  if (box === null) throw new Error('the chart of latencies has no plot')
  await page.mouse.move(box.x + (box.width * 40) / 60, box.y + box.height / 2)
  await page.locator('output', { hasText: '0:40.0 hold' }).waitFor()
  expect(await value('viewers')).toBe(report.series[39]?.playing.toLocaleString('en-US') ?? '')
  const line = page.locator('#chart-viewers .legend button').first()
  await line.focus()
  await page.keyboard.press('Enter')
  expect(await line.getAttribute('aria-pressed')).toBe('false')
  await close()
}, 30_000)

test.each([
  ['a phone', PHONE],
  ['a narrow phone', { width: 360, height: 640 }],
  ['a desk', DESK],
])(
  '%s: the page never scrolls sideways, and every chart is inside it',
  async (_name, viewport) => {
    const { page, close } = await open(makeStormReport(), { viewport })
    await page.locator('summary').click()
    const found = await page.evaluate(() => ({
      overflow: document.documentElement.scrollWidth - document.documentElement.clientWidth,
      widest: Math.max(
        ...[...document.querySelectorAll('.chart canvas')].map((one) => one.getBoundingClientRect().right),
      ),
      narrowest: Math.min(...[...document.querySelectorAll('.u-over')].map((one) => one.getBoundingClientRect().width)),
    }))
    expect(found.overflow).toBeLessThanOrEqual(0)
    expect(found.widest).toBeLessThanOrEqual(viewport.width)
    expect(found.narrowest).toBeGreaterThan(180)
    await close()
  },
  30_000,
)

test.each(['dark', 'light'] as const)(
  '%s: no accessibility violations, on a desk and on a phone',
  async (colorScheme) => {
    const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
    for (const viewport of [DESK, PHONE]) {
      const { page, close } = await open(makeStormReport({ verdict: 'invalid', invalidBecause: ['it lagged'] }), {
        colorScheme,
        viewport,
      })
      await page.locator('summary').click()
      const client = await page.context().newCDPSession(page)
      await client.send('Runtime.evaluate', { expression: axe })
      const violations = await page.evaluate(async () => {
        const engine = (
          window as unknown as {
            axe: { run(options: unknown): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> }
          }
        ).axe
        const result = await engine.run({
          runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
        })
        return result.violations.map(({ id, nodes }) => ({ id, html: nodes.map((node) => node.html.slice(0, 120)) }))
      })
      expect(violations).toEqual([])
      await close()
    }
  },
  60_000,
)

test('hostile labels are shown as text, wherever a report has words', async () => {
  const sound = makeStormReport()
  const [fault, probe, objective] = [sound.faults[0], sound.probes[0], sound.objectives[0]]
  if (fault === undefined || probe === undefined || objective === undefined)
    throw new Error('the fixture has one of each')
  const { page, asked, complaints, close } = await open(
    makeStormReport({
      verdict: 'invalid',
      invalidBecause: [HOSTILE],
      scenario: {
        ...sound.scenario,
        name: HOSTILE,
        description: HOSTILE,
        phases: [{ name: HOSTILE, fromMs: 0, toMs: 60_000 }],
      },
      target: { url: HOSTILE, startedByStorm: false, version: HOSTILE },
      objectives: [{ ...objective, name: HOSTILE, detail: HOSTILE }],
      faults: [{ ...fault, label: HOSTILE, roles: [HOSTILE] }],
      probes: [{ ...probe, name: HOSTILE, violations: [{ atMs: 1, what: HOSTILE }] }],
      timeline: [{ atMs: 1, kind: 'note', label: HOSTILE }],
      cells: [{ cell: HOSTILE, viewers: 1, requests: 1, errors: 0, p50Ms: 1, p99Ms: 1 }],
      totals: { ...sound.totals, errorsByReason: { [HOSTILE]: 1 } },
    }),
  )
  expect(await page.locator('#broken, main img').count()).toBe(0)
  expect(await page.locator('.event-label').first().textContent()).toBe(HOSTILE)
  expect(await page.title()).toContain(HOSTILE)
  expect({ asked, complaints }).toEqual({ asked: [], complaints: [] })
  expect(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth)).toBe(true)
  await close()
}, 30_000)

const SPARSE: readonly (readonly [string, Partial<StormReport>])[] = [
  ['nothing at all', { series: [], objectives: [], timeline: [], faults: [], probes: [], cells: [], requests: [] }],
  [
    'one second without an answer',
    {
      series: makeStormReport()
        .series.slice(0, 1)
        .map((sample) => ({
          ...sample,
          p50Ms: null,
          p99Ms: null,
          homeP99Ms: null,
          playbackP99Ms: null,
          startupP95Ms: null,
          rolesDown: null,
        })),
    },
  ],
]

test.each(SPARSE)(
  'a report of %s is a page without errors',
  async (_name, changes) => {
    const { page, complaints, close } = await open(makeStormReport({ verdict: 'passed', ...changes }))
    expect(await page.locator('h2').count()).toBe(12)
    expect(complaints).toEqual([])
    await close()
  },
  30_000,
)
