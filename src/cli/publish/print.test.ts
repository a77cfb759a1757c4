import { expect, test } from 'bun:test'
import { createProgressPrinter } from './print.ts'
import type { PublishEvent } from './publish-title.ts'

const titleId = '0123456789abcdef'
const url = `http://localhost:8080/title/${titleId}`
const EVENTS: PublishEvent[] = [
  { type: 'created', titleId, resumed: false },
  ...Array.from({ length: 101 }, (_, percent): PublishEvent => {
    return { type: 'upload', titleId, fileName: 'film.mp4', sentBytes: percent, totalBytes: 100 }
  }),
  { type: 'progress', titleId, percent: 40, stages: [{ name: 'video', done: 4, total: 10 }] },
  { type: 'playable', titleId, url },
  { type: 'progress', titleId, percent: 100, stages: [{ name: 'video', done: 10, total: 10 }] },
  { type: 'published', titleId, url },
]

function show(events: readonly PublishEvent[], options: { json?: boolean; onTerminal?: boolean }) {
  const printed: string[] = []
  const bars: (string | null)[] = []
  const print = createProgressPrinter(
    {
      print: (line) => printed.push(line),
      complain: () => {},
      showProgress: options.onTerminal ? (line) => bars.push(line) : null,
    },
    { json: options.json ?? false },
  )
  for (const event of events) print(event)
  return { printed, bars }
}

test('with json: one object a line, whole', () => {
  const { printed } = show(EVENTS, { json: true })
  expect(printed.map((line) => JSON.parse(line))).toEqual(EVENTS)
})

test('without a terminal: a line at every tenth, and what matters in full', () => {
  const { printed } = show(EVENTS, {})
  expect(printed.filter((line) => line.startsWith('upload'))).toHaveLength(11)
  expect(printed).toContain(`playable   ${url}`)
  expect(printed.at(-1)).toBe(`published  ${url}`)
})

test('on a terminal: bars in place, cleared before a line stays', () => {
  const { printed, bars } = show(EVENTS, { onTerminal: true })
  expect(printed).toEqual([`title ${titleId}`, `playable   ${url}`, `published  ${url}`])
  expect(bars.some((line) => line?.includes(' 50%'))).toBe(true)
  expect(bars.at(-1)).toBeNull()
})
