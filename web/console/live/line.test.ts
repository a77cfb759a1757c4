import { expect, test } from 'bun:test'
import type { Result } from '../../common/problem.ts'
import { createLiveLine } from './line.ts'
import type { LiveState } from './state.ts'

/** An EventSource that the test speaks through. */
class Source extends EventTarget {
  onopen: (() => void) | null = null
  onerror: (() => void) | null = null
  closed = false
  close(): void {
    this.closed = true
  }
  say(name: string, data: string): void {
    this.dispatchEvent(new MessageEvent(name, { data }))
  }
}

function open(answer: Result<unknown>) {
  const sources: Source[] = []
  const line = createLiveLine({
    url: '/api/events',
    open: () => {
      const source = new Source()
      sources.push(source)
      return source as unknown as EventSource
    },
    probe: async () => answer,
    now: () => 1_000,
  })
  const until = (holds: (state: LiveState) => boolean): Promise<void> =>
    new Promise((resolve) => {
      const check = (): void => {
        if (!holds(line.state())) return
        leave()
        resolve()
      }
      const leave = line.subscribe(check)
      check()
    })
  return { line, sources, until }
}

test('what the line says is in the state, and what cannot be read is not', async () => {
  const { line, sources, until } = open({ ok: true, value: null })
  sources[0]?.onopen?.()
  sources[0]?.say('titles', '[{"id":"a"}]')
  sources[0]?.say('message', 'not JSON')
  sources[0]?.say('message', '{"id":"1","type":"t"}')
  await until((state) => state.events.length === 1)
  expect(line.state()).toMatchObject({ connection: 'live' })
  expect(line.state().titles?.size).toBe(1)
  line.close()
  expect(sources[0]?.closed).toBe(true)
})

test('a lost line is opened again', async () => {
  const { line, sources, until } = open({ ok: false, problem: { status: 0, code: 'unreachable', detail: '' } })
  sources[0]?.onopen?.()
  sources[0]?.onerror?.()
  expect(line.state().connection).toBe('reconnecting')
  while (sources.length < 2) await new Promise((resolve) => setTimeout(resolve, 20))
  sources[1]?.onopen?.()
  await until((state) => state.connection === 'live')
  line.close()
})

test('a refused line is not opened again', async () => {
  const { line, sources, until } = open({ ok: false, problem: { status: 401, code: 'operator-needed', detail: '' } })
  sources[0]?.onerror?.()
  await until((state) => state.connection === 'refused')
  expect(sources).toHaveLength(1)
  line.close()
})
