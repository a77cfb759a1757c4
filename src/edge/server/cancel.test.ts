import { expect, test } from 'bun:test'
import { createCanceller, NEVER_CANCELLED, toAbortSignal } from './cancel.ts'

test('everyone who listens is told once, and nobody who no longer does', () => {
  const { signal, abort } = createCanceller()
  const told: string[] = []
  const gone = (): void => void told.push('gone')
  signal.addEventListener('abort', () => told.push('first'))
  signal.addEventListener('abort', gone)
  signal.addEventListener('abort', () => told.push('second'))
  signal.removeEventListener('abort', gone)
  expect(signal.aborted).toBe(false)
  abort()
  abort()
  expect(signal.aborted).toBe(true)
  expect(told).toEqual(['first', 'second'])
})

test('one that leaves while others are told is still told of what was under way, and changes nothing for them', () => {
  const { signal, abort } = createCanceller()
  const told: string[] = []
  const last = (): void => void told.push('last')
  signal.addEventListener('abort', () => signal.removeEventListener('abort', last))
  signal.addEventListener('abort', last)
  abort()
  expect(told).toEqual(['last'])
})

test('the runtime has a signal of its own for it, aborted before or after', () => {
  const { signal, abort } = createCanceller()
  const before = toAbortSignal(signal)
  expect(before.aborted).toBe(false)
  abort()
  expect(before.aborted).toBe(true)
  expect(toAbortSignal(signal).aborted).toBe(true)
  const own = new AbortController().signal
  expect(toAbortSignal(own)).toBe(own)
  expect(NEVER_CANCELLED.aborted).toBe(false)
})
