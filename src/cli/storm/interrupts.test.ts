import { expect, test } from 'bun:test'
import { EventEmitter } from 'node:events'
import { faultCode } from '../../kernel/index.ts'
import { createInterrupts, type Interrupts } from './interrupts.ts'

type Staged = { interrupts: Interrupts; source: EventEmitter; done: string[]; at: (ms: number) => void }

function stage(): Staged {
  const source = new EventEmitter()
  const done: string[] = []
  let nowMs = 0
  const interrupts = createInterrupts({ source, exit: (code) => done.push(`exit ${code}`), nowMs: () => nowMs })
  interrupts.onSecond(() => done.push('killed'))
  return {
    interrupts,
    source,
    done,
    at(ms) {
      nowMs = ms
    },
  }
}

test('the first signal only asks, whichever it is', () => {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    const { interrupts, source, done } = stage()
    source.emit(signal)
    expect(interrupts.signal.aborted).toBe(true)
    expect(faultCode(interrupts.signal.reason)).toBe('interrupted')
    expect(done).toEqual([])
  }
})

test('one Ctrl-C that comes twice, by the terminal and by the launcher, is one', () => {
  const { source, done, at } = stage()
  source.emit('SIGINT')
  at(499)
  source.emit('SIGTERM')
  expect(done).toEqual([])
})

test('a second one does not wait', () => {
  const { source, done, at } = stage()
  source.emit('SIGINT')
  at(600)
  source.emit('SIGINT')
  expect(done).toEqual(['killed', 'exit 130'])
})

test('closed, it hears nothing more', () => {
  const { interrupts, source } = stage()
  interrupts.close()
  source.emit('SIGINT')
  expect(interrupts.signal.aborted).toBe(false)
  expect(source.listenerCount('SIGINT')).toBe(0)
})
